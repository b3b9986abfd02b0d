"""Propagation: distributions of inputs through models that take floats, in one call."""

from __future__ import annotations

from rxml.models.propagating.methods import Method, delta, method_of, unscented, worlds
from rxml.models.propagating.model import Dress, PropagatingModel, propagated

__all__ = [
    "Dress",
    "Method",
    "PropagatingModel",
    "delta",
    "method_of",
    "propagated",
    "unscented",
    "worlds",
]
