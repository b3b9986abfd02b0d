"""Timed elements, drawn and played in many ways, and the joins of them by nested loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import hypothesis.strategies as st

from rxml import operators as ops
from rxml.eventtime import bounded
from rxml.eventtime.joins.results import AsOf, Joined
from rxml.testing import chunkings, scripted
from rxml.testing.strategies import WAITS, delayed

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.testing.script import Step

NS = 1e-9


class Item(NamedTuple):
    """An element; `number` tells it from others."""

    key: str
    time: int
    number: int


@dataclass(frozen=True, slots=True)
class Played:
    """One input: elements, how far they may be out of order (ns), and the steps that play them."""

    items: list[Item]
    disorder: int
    steps: list[Step]

    def flow(self, *more: Step) -> Flowable[Item]:
        """The input as a stream, with more steps behind."""
        timed: Operator[Item, Item] = ops.with_event_time(
            "time", bounded(self.disorder * NS), unit="ns"
        )
        keyed: Operator[Item, Item] = ops.key_by("key")
        return scripted(*self.steps, *more).pipe(timed, keyed)

    @property
    def on_time(self) -> list[Item]:
        """Those that are not from before the watermark that stands in front of them."""
        kept: list[Item] = []
        highest: int | None = None
        for item in self.items:
            if highest is None or item.time >= highest - self.disorder:
                kept.append(item)
            highest = item.time if highest is None else max(highest, item.time)
        return kept


def items(most: int = 12) -> SearchStrategy[list[Item]]:
    """Elements of few keys and times, in any order."""
    drawn = st.tuples(st.sampled_from("ab"), st.integers(0, 20))
    return st.lists(drawn, max_size=most).map(
        lambda pairs: [Item(*pair, number) for number, pair in enumerate(pairs)]
    )


@st.composite
def played(draw: st.DrawFn, of: list[Item] | None = None, disorder: int | None = None) -> Played:
    """An input, cut and delayed somehow."""
    drawn = draw(items()) if of is None else of
    bound = draw(st.sampled_from([0, 3, 30])) if disorder is None else disorder
    return Played(drawn, bound, delayed(draw(chunkings(drawn, heartbeats=False)), draw(WAITS)))


def again(input_: Played) -> SearchStrategy[Played]:
    """The same input, cut and delayed in another way."""
    return played(input_.items, input_.disorder)


def nested_loops(
    left: list[Item], right: list[Item], lo: int, hi: int, *, outer: bool = False
) -> list[Joined[Any, Any]]:
    """All pairs in the order that `interval_join` promises."""
    found: list[tuple[tuple[int, ...], Joined[Any, Any]]] = []
    for i, a in enumerate(left):
        partners = [
            (j, b)
            for j, b in enumerate(right)
            if a.key == b.key and a.time + lo <= b.time <= a.time + hi
        ]
        for j, b in partners:
            order = (0, i, b.time, j) if a.time > b.time else (1, j, a.time, i)
            time = max(a.time, b.time)
            found.append(((time, *order), Joined(a, b, time)))
        if outer and not partners:
            time = max(a.time, a.time + hi)
            found.append(((time, 2, i, 0, 0), Joined(a, None, time)))
    return [pair for _, pair in sorted(found, key=lambda each: each[0])]


def newest(
    left: list[Item], right: list[Item], tolerance: int | None = None
) -> list[AsOf[Any, Any]]:
    """For each of the left the newest of the right by then; of several of one time the last to come."""
    return [AsOf(a, _newest(a, right, tolerance)) for a in left]


def _newest(a: Item, right: list[Item], tolerance: int | None) -> Item | None:
    known = [
        b
        for b in right
        if b.key == a.key
        and b.time <= a.time
        and (tolerance is None or b.time >= a.time - tolerance)
    ]
    return max(known, key=lambda b: (b.time, b.number), default=None)
