"""Running windows: elements cut into chunks, rows or batches, with a snapshot wherever one is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

from rxml import aggregates as agg
from rxml import operators as ops
from rxml import wire
from rxml.batch import Batch
from rxml.eventtime import bounded
from rxml.eventtime.event_time import EventTime
from rxml.eventtime.keying import Keying
from rxml.eventtime.windows.kernel import WindowKernel
from rxml.eventtime.windows.plan import Plan, Settings
from rxml.flow.chunk import Chunk
from rxml.testing import run, scripted
from rxml.windows import on_close

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.aggregates import Aggregate
    from rxml.flow.operator import Operator
    from rxml.windows import Emission, Windowing

Row = dict[str, Any]

AGGREGATES: dict[str, Aggregate] = {
    "n": agg.count(),
    "total": agg.sum("v"),
    "low": agg.min("v"),
    "newest": agg.last("t"),
}
"""Of whole numbers: results do not depend on the order of elements."""


def chained(early: float, late: float) -> float:
    """Not associative: tells in which order it was called for what."""
    return early + late / 3


ROUNDED: dict[str, Aggregate] = {
    "total": agg.sum("v"),
    "mean": agg.mean("v"),
    "var": agg.var("v"),
    "all": agg.collect("v"),
    "joined": agg.monoid(0.0, float, chained, column="v"),
}
"""Of floats: results tell how they were added up."""


def result(items: list[Row]) -> Row:
    """What `AGGREGATES` come to over a list."""
    values = [item["v"] for item in items]
    newest = max(item["t"] for item in items)
    return {"n": len(items), "total": sum(values), "low": min(values), "newest": newest}


def events(values: st.SearchStrategy[Any], *, most: int = 14) -> st.SearchStrategy[list[Row]]:
    """Elements of three keys within some tens of nanoseconds."""
    one = st.fixed_dictionaries(
        {"t": st.integers(-20, 40), "k": st.sampled_from([2, 10, 1]), "v": values}
    )
    return st.lists(one, max_size=most)


def within(items: list[Row], delay: int, jitters: Sequence[int]) -> list[Row]:
    """The elements as they may come if none is more than `delay` behind the newest."""
    jitter = [jitters[at % len(jitters)] % (delay + 1) for at in range(len(items))]
    by_time = sorted(items, key=lambda item: item["t"])
    order = sorted(range(len(items)), key=lambda at: by_time[at]["t"] + jitter[at])
    return [by_time[at] for at in order]


def pieces(items: list[Row], sizes: Sequence[int]) -> list[list[Row]]:
    """The elements cut into pieces of these sizes, over and over."""
    cut: list[list[Row]] = []
    at = 0
    while at < len(items):
        size = sizes[len(cut) % len(sizes)]
        cut.append(items[at : at + size])
        at += size
    return cut


def batch(items: list[Row]) -> Batch:
    """The elements as columns."""
    kinds = {"t": np.int64, "k": np.int64}
    return Batch({name: np.array([i[name] for i in items], kinds.get(name)) for name in items[0]})


def told(operator: Any, chunks: list[Any], *, delay: int = 0, keyed: bool = True) -> list[Row]:
    """The rows that a windowing operator gives."""
    timed: Operator[Any, Any] = ops.with_event_time("t", bounded(delay / 1e9), unit="ns")
    flow: Any = scripted(*(Chunk(each) for each in chunks)).pipe(timed)
    if keyed:
        flow = flow.pipe(ops.key_by("k"))
    return list(map(dict, run(flow.pipe(operator).to_list())))


class Hand:
    """A window kernel that is fed by hand, and thrown away and restored by way of the wire wherever one likes."""

    def __init__(
        self,
        windowing: Windowing,
        aggregates: dict[str, Aggregate],
        *,
        emit: Emission | None = None,
        accumulation: Any = "accumulating",
        lateness: int = 0,
        delay: int = 0,
    ) -> None:
        settings = Settings(windowing, emit or on_close(), accumulation, lateness, "count", 10_000)
        self._plan = Plan(settings, aggregates, Keying("k"), EventTime("t", "ns"))
        self._plan.check()
        self._delay = delay
        self._mark: int | None = None
        self.kernel = WindowKernel("window", self._plan)

    def take(self, item: Row) -> list[Row]:
        """What one element brings about, and the watermark behind it."""
        rows = list(self.kernel.push_all([item]))
        mark = item["t"] - self._delay
        if self._mark is None or mark > self._mark:
            self._mark = mark
            rows += self.kernel.advance(mark)
        return list(map(dict, rows))

    def end(self) -> list[Row]:
        """What is left."""
        return list(map(dict, self.kernel.flush()))

    def save_and_restore(self) -> None:
        """Another kernel goes on from the snapshot of this one."""
        kept = wire.loads(wire.dumps(self.kernel.snapshot()))
        self.kernel = WindowKernel("window", self._plan)
        self.kernel.restore(kept)
