"""Law cases of `rxml.operators.sampling`."""

from __future__ import annotations

import rxml
from rxml import operators as ops
from tests.laws.case import Case

RATE = {"rate": True, "ahead": None}

CASES = {
    "debounce": Case(lambda: ops.debounce(0.5), None, options=RATE),
    "debounce:0": Case(lambda: ops.debounce(0), None, options=RATE),
    "sample": Case(lambda: ops.sample(0.75), None, options=RATE),
    "sample:flow": Case(lambda: ops.sample(rxml.interval(1.5)), None, options=RATE),
}
