"""Operator, by the name of its own."""

from __future__ import annotations

from rxml.flow.flowable import Operator

__all__ = ["Operator"]
