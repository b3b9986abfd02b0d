"""Law cases of `rxml.operators.selection`."""

from __future__ import annotations

from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT: dict[str, Any] = {"ahead": None}


def share(x: int) -> int:
    return 12 // x


def good(x: int) -> bool:
    return 6 // x > 0


def near(a: int, b: int) -> bool:
    return abs(a - b) < 2


def through(xs: list[int]) -> Iterator[int]:
    """take_while, inclusive."""
    for x in xs:
        passes = good(x)
        yield x
        if not passes:
            return


def changed(xs: list[Any], key: Any = None) -> Iterator[Any]:
    """distinct_until_changed."""
    current: list[Any] = []
    for x in xs:
        new = key(x) if key else x
        if not current or current[0] != new:
            current = [new]
            yield x


def far(xs: list[int]) -> Iterator[int]:
    """distinct_until_changed, with a comparer."""
    current: list[int] = []
    for x in xs:
        if not current or not near(current[0], x):
            current = [x]
            yield x


CASES = {
    "filter": Case(lambda: ops.filter(good), lambda xs: filter(good, xs), options=LEFT_OUT),
    "take_while": Case(lambda: ops.take_while(good), lambda xs: takewhile(good, xs)),
    "take_while:inclusive": Case(lambda: ops.take_while(good, inclusive=True), through),
    "skip_while": Case(
        lambda: ops.skip_while(good), lambda xs: dropwhile(good, xs), options=LEFT_OUT
    ),
    "distinct_until_changed": Case(
        ops.distinct_until_changed, changed, st.integers(0, 2), options=LEFT_OUT
    ),
    "distinct_until_changed:key": Case(
        lambda: ops.distinct_until_changed(share), lambda xs: changed(xs, share), options=LEFT_OUT
    ),
    "distinct_until_changed:comparer": Case(
        lambda: ops.distinct_until_changed(None, near), far, options=LEFT_OUT
    ),
    "ignore_elements": Case(ops.ignore_elements, lambda _: [], options=LEFT_OUT),
}
