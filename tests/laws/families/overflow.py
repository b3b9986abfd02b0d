"""Law cases of `rxml.operators.overflow`."""

from __future__ import annotations

import rxml
from rxml import operators as ops
from tests.laws.case import Case

RATE = {"rate": True, "ahead": None}

CASES = {
    "on_overflow": Case(lambda: ops.on_overflow("error", capacity=3), None, options=RATE),
    "on_overflow:drop_oldest": Case(
        lambda: ops.on_overflow("drop_oldest", capacity=2, max_bytes=60), None, options=RATE
    ),
    "on_overflow:drop_newest": Case(
        lambda: ops.on_overflow("drop_newest", capacity=2), None, options=RATE
    ),
    "on_overflow:latest": Case(lambda: ops.on_overflow("latest"), None, options=RATE),
    "on_overflow:conflate": Case(lambda: ops.on_overflow(rxml.Conflate(max)), None, options=RATE),
    "conflate": Case(lambda: ops.conflate(lambda a, b: a + b), None, options=RATE),
}
