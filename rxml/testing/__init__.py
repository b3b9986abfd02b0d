"""The published test kit: virtual time, probes, laws, strategies. Nothing that is shipped imports it."""

from __future__ import annotations

from rxml.testing.errors import DeadlockError, LeakError, RunawayError
from rxml.testing.virtual_loop import VirtualLoop
from rxml.testing.virtual_time import Driver, advance, run, settle

__all__ = [
    "DeadlockError",
    "Driver",
    "LeakError",
    "RunawayError",
    "VirtualLoop",
    "advance",
    "run",
    "settle",
]
