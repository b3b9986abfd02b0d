"""Engines: where a stage runs when one process is not enough."""

from __future__ import annotations

from rxml.engines.processes import processes

__all__ = ["processes"]
