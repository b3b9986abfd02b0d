"""Law cases of `rxml.operators.transform`."""

from __future__ import annotations

from itertools import accumulate, pairwise, starmap
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator


def share(x: int) -> int:
    return 12 // x


def split(a: int, b: int) -> int:
    return a // b


def total(a: int, b: int) -> int:
    return a + b


def shrunk(state: int | None, x: int) -> int | None:
    """Of None it begins, and it comes back to None: None is an accumulation like any other."""
    return (state or 7) // x or None


def from_none(xs: list[int]) -> Iterator[Any]:
    state: int | None = None
    for x in xs:
        state = shrunk(state, x)
        yield state


CASES = {
    "map": Case(lambda: ops.map(share), lambda xs: map(share, xs)),
    "map:nothing": Case(ops.map, iter),
    "starmap": Case(
        lambda: ops.starmap(split),
        lambda xs: starmap(split, xs),
        st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    ),
    "starmap:nothing": Case(ops.starmap, iter),
    "scan": Case(lambda: ops.scan(total), lambda xs: accumulate(xs, total)),
    "scan:seed": Case(lambda: ops.scan(shrunk, None), from_none),
    "pairwise": Case(ops.pairwise, pairwise),
}
