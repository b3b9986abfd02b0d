"""Joins that die at a checkpoint go on as if nothing had been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.eventtime import bounded
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.testing import run
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.joins.timed import NS, Item, items

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable

DEATHS = st.sets(st.integers(1, 8), max_size=3)
FORMS = st.sampled_from([False, True])


def rows(given_: list[Item]) -> list[dict[str, Any]]:
    """With a value of its own each, so that none can be taken for another."""
    return [{"key": each.key, "time": each.time, "v": float(each.number)} for each in given_]


def source(given_: list[Item], disorder: int, *, batches: bool) -> Flowable[Any]:
    told = rows(given_)
    flow: Flowable[Any] = rxml.from_iterable(told)
    if batches:
        flow = rxml.from_batches([Batch.from_rows(told)] if told else [])
    return flow.pipe(
        ops.with_event_time("time", bounded(disorder * NS), unit="ns"), ops.key_by("key")
    )


def all_the_same(make: Callable[[], Flowable[Any]], deaths: set[int]) -> None:
    """What a run gives that dies at these checkpoints is what one gives that does not."""
    whole: list[Any] = run(make().to_list())
    store, seen = MemoryStore(*deaths), list[Any]()

    async def main() -> None:
        while True:
            try:
                flow = make().pipe(ops.do_action(seen.append))
                return await flow.run(checkpoint=Checkpoint(store, every=None, elements=2))
            except Died:
                continue

    run(main())
    assert [*map(told, seen)] == [*map(told, whole)]


def told(result: Any) -> Any:
    """In plain values, where NaN equals NaN."""
    parts = [result] if hasattr(result, "keys") else [*result]
    return [repr(dict(part)) if hasattr(part, "keys") else part for part in parts]


@given(items(), items(), DEATHS, FORMS, st.sampled_from(["inner", "left"]))
def test_interval_join(
    left: list[Item], right: list[Item], deaths: set[int], batches: bool, how: Any
) -> None:
    def make() -> Flowable[Any]:
        other = source(right, 2, batches=False)
        return source(left, 4, batches=batches).pipe(
            ops.interval_join(other, -3 * NS, 4 * NS, how=how)
        )

    all_the_same(make, deaths)


@given(items(), items(), DEATHS, FORMS, FORMS)
def test_asof_join(
    left: list[Item], right: list[Item], deaths: set[int], of_batches: bool, with_batches: bool
) -> None:
    def make() -> Flowable[Any]:
        other = source(right, 2, batches=with_batches)
        return source(left, 4, batches=of_batches).pipe(ops.asof_join(other, tolerance=9 * NS))

    all_the_same(make, deaths)
