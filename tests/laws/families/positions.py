"""Law cases of `rxml.operators.positions`."""

from __future__ import annotations

from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "take": Case(lambda: ops.take(3), lambda xs: xs[:3]),
    "take:0": Case(lambda: ops.take(0), lambda _: []),
    "skip": Case(lambda: ops.skip(2), lambda xs: xs[2:], options={"ahead": 2}),
    "take_last": Case(lambda: ops.take_last(2), lambda xs: xs[-2:], options={"ahead": None}),
    "take_last:0": Case(lambda: ops.take_last(0), lambda _: [], options={"ahead": None}),
    "skip_last": Case(lambda: ops.skip_last(2), lambda xs: xs[:-2]),
    "skip_last:negative": Case(lambda: ops.skip_last(-1), lambda xs: xs),
}
