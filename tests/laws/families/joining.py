"""Law cases of `rxml.operators.joining`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

import rxml
from rxml import operators as ops
from rxml.eventtime import bounded
from rxml.eventtime.joins.results import AsOf, Joined
from tests.laws.case import Case

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

RIGHT = [1, 4, 2, 2, 7]
SILENT = "results wait for the watermarks of both flows"
STATE: dict[str, Any] = {
    "ahead": None,
    "waived": {"L52": "the watermark is the least of both, and the other has ended"},
}


def time(x: int) -> int:
    """Both flows use one number for all: the time in nanoseconds, and, when halved, the key."""
    return x


def half(x: int) -> int:
    return x % 2


def right() -> Flowable[int]:
    return rxml.of(*RIGHT).pipe(ops.with_event_time(time, bounded(3e-9), unit="ns"))


def pairs(xs: list[int], *, outer: bool = False) -> list[Joined[int, int]]:
    """Nested loops: b is at most two before a and at most one behind it."""
    found: list[tuple[int, int, int, int, int, Joined[int, int]]] = []
    for i, a in enumerate(xs):
        partners = [
            (j, b) for j, b in enumerate(RIGHT) if a - 2 <= b <= a + 1 and half(a) == half(b)
        ]
        for j, b in partners:
            later = 0 if a > b else 1
            order = (i, b, j) if later == 0 else (j, a, i)
            found.append((max(a, b), later, *order, Joined(a, b, max(a, b))))
        if outer and not partners:
            found.append((a + 1, 2, i, 0, 0, Joined(a, None, a + 1)))
    return [each[-1] for each in sorted(found, key=lambda each: each[:-1])]


def known(xs: list[int]) -> list[AsOf[int, int]]:
    """The newest of the right by then, of several of one time the last."""
    return [
        AsOf(a, max((b for b in RIGHT if b <= a and half(a) == half(b)), default=None)) for a in xs
    ]


CASES = {
    "interval_join": Case(
        lambda: ops.interval_join(right(), -2e-9, 1e-9, key=half, time=time),
        pairs,
        elements=st.integers(0, 9),
        options=STATE,
    ),
    "interval_join:left": Case(
        lambda: ops.interval_join(right(), -2e-9, 1e-9, how="left", key=half, time=time),
        lambda xs: pairs(xs, outer=True),
        elements=st.integers(0, 9),
        options=STATE,
    ),
    "asof_join": Case(
        lambda: ops.asof_join(right(), key=half, time=time),
        known,
        elements=st.integers(0, 9),
        options={"ahead": None},
    ),
}
