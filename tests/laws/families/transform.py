"""Law cases of `rxml.operators.transform`."""

from __future__ import annotations

from itertools import accumulate

from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "map": Case(lambda: ops.map(lambda x: 12 // x), lambda xs: (12 // x for x in xs)),
    "scan": Case(lambda: ops.scan(lambda a, b: a + b), accumulate),
}
