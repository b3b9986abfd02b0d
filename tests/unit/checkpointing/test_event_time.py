"""Event time, keys, windows and joins across a death: the results are those of a run that never died, in their order."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.eventtime import bounded, monotonic
from rxml.eventtime.windows.emission import early
from rxml.eventtime.windows.windowing import session, sliding, tumbling
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.testing.virtual_time import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rxml import Flowable
    from rxml.flow.operator import Operator

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def events(count: int, jitter: int = 0) -> list[dict[str, Any]]:
    return [
        {"t": START + (i + i * 7 % (jitter + 1)) * SECOND, "k": f"k{i % 3}", "v": i * i % 11}
        for i in range(count)
    ]


async def lived(make: Callable[[], Flowable[Any]], checkpoint: Checkpoint) -> list[str]:
    out: list[str] = []
    while True:
        flow = make().pipe(ops.do_action(lambda row: out.append(repr(row))))
        try:
            await flow.run(checkpoint=checkpoint)
        except Died:
            continue
        return out


def same_results(make: Callable[[], Flowable[Any]], deaths: set[int], **when: Any) -> None:
    whole = run(lived(make, Checkpoint(MemoryStore(), **when)))
    store = MemoryStore(*deaths)
    assert run(lived(make, Checkpoint(store, **when))) == whole
    assert len(whole) > 3
    assert store.deaths == set()


def summed(total: int, event: Any) -> int:
    return total + int(event["v"])


KEYED: dict[str, Callable[[], Any]] = {
    "tumbling": lambda: ops.window(tumbling(5)).aggregate(n=agg.count(), v=agg.mean("v")),
    "sliding": lambda: ops.window(sliding(6, 2)).aggregate(n=agg.count(), v=agg.max("v")),
    "session": lambda: ops.window(session(4)).aggregate(n=agg.count(), v=agg.sum("v")),
    "scan": lambda: ops.scan(summed, 0),
    "latest": ops.latest,
    "deduplicate": lambda: ops.deduplicate("v", 3),
}


@pytest.mark.parametrize("name", KEYED)
@given(deaths=st.sets(st.integers(1, 8), min_size=1, max_size=3))
def test_what_is_kept_by_key(name: str, deaths: set[int]) -> None:
    def make() -> Flowable[Any]:
        by_key: Operator[Any, Any] = rxml.compose(
            ops.with_event_time("t", bounded(3)), ops.key_by("k")
        )
        return rxml.from_iterable(events(40, 3)).pipe(by_key, KEYED[name]())

    same_results(make, deaths, every=None, elements=5)


async def slowly(rows: list[dict[str, Any]], seconds: float) -> AsyncIterator[dict[str, Any]]:
    for row in rows:
        await asyncio.sleep(seconds)
        yield row


def timed(seconds: float, count: int) -> Flowable[dict[str, Any]]:
    source = rxml.from_async_iterable(lambda: slowly(events(count), seconds))
    return source.pipe(ops.with_event_time("t", monotonic()))


@pytest.mark.parametrize("capacity", [1000, 5])
@pytest.mark.parametrize("deaths", [{1}, {2, 3}, {1, 4, 7}])
def test_joins_also_where_one_side_waits_for_room(capacity: int, deaths: set[int]) -> None:
    """The side that is full still comes to its barrier, for which the other one waits."""

    def interval() -> Flowable[Any]:
        return timed(0.1, 40).pipe(ops.interval_join(timed(0, 40), -2, 2, capacity=capacity))

    def asof() -> Flowable[Any]:
        return timed(0.1, 40).pipe(ops.asof_join(timed(0, 40), capacity=capacity))

    for make in (interval, asof):
        same_results(make, deaths, every=0.35)


@pytest.mark.parametrize("deaths", [{1}, {2, 3}, {1, 2, 3}])
def test_windows_that_tell_early_are_saved(deaths: set[int]) -> None:
    """What they tell early depends on the clock; what they come to does not."""

    def is_last(row: Any) -> bool:
        return bool(row["timing"] != "early")

    def make() -> Flowable[Any]:
        window = ops.window(tumbling(5), emit=early(0.25)).aggregate(n=agg.count(), v=agg.sum("v"))
        last: Operator[Any, Any] = ops.filter(is_last)
        return timed(0.1, 23).pipe(window, last)

    def counts(*deaths: int) -> list[tuple[int, int]]:
        store, out = MemoryStore(*deaths), list[Any]()
        checkpoint = Checkpoint(store, every=0.35)
        rows = run(lived(lambda: make().pipe(ops.do_action(out.append)), checkpoint))
        assert len(rows) == len(out)
        assert store.deaths == set()
        return [(row["n"], row["v"]) for row in out]

    whole = counts()
    assert [n for n, _ in whole] == [5, 5, 5, 5, 3]
    assert counts(*deaths) == whole


@pytest.mark.parametrize("deaths", [{1}, {2, 3}, {1, 2, 3}])
def test_a_merge_knows_how_far_its_inputs_had_come(deaths: set[int]) -> None:
    """One gives nothing any more, and does not end: what it had told lets the windows of the other close all the same."""
    rows: list[Any] = []

    def make() -> Flowable[Any]:
        silent = rxml.concat(timed(0.01, 9), rxml.never())
        ended = timed(0.02, 4)
        merged = rxml.merge(rxml.concat(timed(0.1, 20), rxml.never()), silent, ended)
        windows = ops.window(tumbling(2)).aggregate(n=agg.count())
        return merged.pipe(windows, ops.do_action(rows.append))

    async def main(store: MemoryStore) -> list[tuple[int, int]]:
        rows.clear()
        for _ in range(len(store.deaths) + 1):
            try:
                async with make().start(checkpoint=Checkpoint(store, every=0.35)) as running:
                    await asyncio.sleep(5)
                    await running.stop()
            except Died:
                continue
        return [((row["start"] - START) // SECOND, row["n"]) for row in rows]

    whole = [(0, 6), (2, 6), (4, 4), (6, 4)]
    assert run(main(MemoryStore())) == whole
    assert run(main(MemoryStore(*deaths))) == whole
