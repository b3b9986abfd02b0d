"""Law cases of `rxml.operators.starting`."""

from __future__ import annotations

from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "start_with": Case(lambda: ops.start_with(7, None), lambda xs: [7, None, *xs]),
    "start_with:nothing": Case(ops.start_with, lambda xs: xs),
}
