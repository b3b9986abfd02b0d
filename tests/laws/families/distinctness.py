"""Law cases of `rxml.operators.distinctness`."""

from __future__ import annotations

from operator import eq
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIXED = st.one_of(
    st.integers(0, 2), st.lists(st.integers(0, 1), max_size=1), st.just(float("nan")), st.none()
)
LEFT_OUT: dict[str, Any] = {"ahead": None}


def distinct(
    key: Any = None, same: Any = eq, bound: int = 1000
) -> Callable[[list[Any]], Iterator[Any]]:
    """reactivex's way: every key against every key before, here the newest `bound`."""

    def model(xs: list[Any]) -> Iterator[Any]:
        known: list[Any] = []
        for x in xs:
            new = key(x) if key else x
            if not any(same(old, new) for old in known):
                known = [*known, *([new] if new == new else [])][-bound:]  # noqa: PLR0124 - NaN
                yield x

    return model


def share(x: int) -> int:
    return 6 // x


def near(a: int, b: int) -> bool:
    return abs(a - b) < 2


CASES = {
    "distinct": Case(ops.distinct, distinct(), MIXED, options=LEFT_OUT),
    "distinct:key": Case(lambda: ops.distinct(share), distinct(share), options=LEFT_OUT),
    "distinct:comparer": Case(
        lambda: ops.distinct(None, near),
        distinct(same=near),
        options=LEFT_OUT,
    ),
    "distinct:bound": Case(
        lambda: ops.distinct(max_keys=2), distinct(bound=2), MIXED, options=LEFT_OUT
    ),
}
