"""Law cases of `rxml.operators.extremes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from rxml.flow.empty import NoElementsError
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable

ALL: dict[str, Any] = {"ahead": None}
NUMBERS = st.one_of(st.integers(-3, 3), st.just(float("nan")), st.booleans())


def best(better: Callable[[Any, Any], bool]) -> Callable[[list[Any]], list[Any]]:
    def model(xs: list[Any]) -> list[Any]:
        if not xs:
            raise NoElementsError("of the model")
        found = xs[0]
        for x in xs[1:]:
            found = x if better(x, found) else found
        return [found]

    return model


def by_share(a: int, b: int) -> float:
    """A comparison that fails for 0, and for which other elements are equal."""
    return abs(6 // a) - abs(6 // b)


CASES = {
    "min": Case(ops.min, best(lambda x, found: x < found), NUMBERS, options=ALL),
    "min:comparer": Case(
        lambda: ops.min(by_share), best(lambda x, found: by_share(x, found) < 0), options=ALL
    ),
    "max": Case(ops.max, best(lambda x, found: x > found), NUMBERS, options=ALL),
    "max:comparer": Case(
        lambda: ops.max(by_share), best(lambda x, found: by_share(x, found) > 0), options=ALL
    ),
}
