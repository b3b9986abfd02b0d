"""Law cases of `rxml.operators.questions`."""

from __future__ import annotations

import math
from typing import Any

from rxml import operators as ops
from tests.laws.case import Case


def good(x: int) -> bool:
    return 6 // x > 0


def great(x: int) -> bool:
    return 6 // x > 5


def divides(x: int, value: int) -> bool:
    return value // x > 5


# The model of an empty input may be right by chance: how much is needed is then not what it seems.
ALL: dict[str, Any] = {"ahead": None}

CASES = {
    "all": Case(lambda: ops.all(good), lambda xs: [all(map(good, xs))], options=ALL),
    "some": Case(ops.some, lambda xs: [bool(xs)]),
    "some:predicate": Case(
        lambda: ops.some(great),
        lambda xs: [any(map(great, xs))],
        options=ALL,
    ),
    "contains": Case(
        lambda: ops.contains(2),
        lambda xs: [2 in xs],
        options=ALL,
    ),
    "contains:nan": Case(lambda: ops.contains(math.nan), lambda _: [False], options=ALL),
    "contains:comparer": Case(
        lambda: ops.contains(6, divides),
        lambda xs: [any(map(great, xs))],
        options=ALL,
    ),
    "is_empty": Case(ops.is_empty, lambda xs: [not xs]),
}
