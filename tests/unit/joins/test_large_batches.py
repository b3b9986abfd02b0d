"""Large batches stay large on their way through joins: what is done for each chunk is then done seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.eventtime import punctuated
from rxml.flow.chunk import UNBOUNDED
from rxml.flow.run import Run
from rxml.testing import run

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

ROWS = 40_000


def ticks() -> Flowable[Any]:
    """One batch, a row a nanosecond."""
    return rxml.from_batches([Batch({"t": np.arange(ROWS), "v": np.ones(ROWS)})])


def sizes(flow: Flowable[Any], n: int = UNBOUNDED) -> list[int]:
    """How many elements the chunks have."""

    async def main() -> list[int]:
        found: list[int] = []
        async with flow.open() as live:
            while not (chunk := await live.request(n)).end:
                found += [len(chunk.elements)] if len(chunk.elements) else []
        return found

    return run(main())


def test_event_time_takes_batches_as_large_as_their_source_gives_them() -> None:
    assert sizes(ticks().pipe(ops.with_event_time("t", unit="ns"))) == [16_384, 16_384, 7_232]


@pytest.mark.parametrize("n", [700, 3_000])
def test_event_time_gives_no_more_than_was_asked_for(n: int) -> None:
    assert max(sizes(ticks().pipe(ops.with_event_time("t", unit="ns")), n)) == n


def told(row: Any) -> int:
    time: int = row["t"]
    return time


ONE_BY_ONE: dict[str, Any] = {
    "time": ops.with_event_time(told, unit="ns"),
    "partition": ops.with_event_time("t", unit="ns", partition="v"),
    "watermark": ops.with_event_time("t", punctuated(told), unit="ns"),
}


@pytest.mark.parametrize("what", ONE_BY_ONE)
def test_where_rows_are_looked_at_one_by_one_chunks_stay_small(what: str) -> None:
    assert max(sizes(ticks().pipe(ONE_BY_ONE[what]))) == 1_024


def test_what_stands_behind_a_late_row_is_within_the_capacity() -> None:
    times = np.arange(ROWS)
    times[1] = 5
    times[2] = 3
    flow = rxml.from_batches([Batch({"t": times})]).pipe(ops.with_event_time("t", unit="ns"))

    async def main() -> tuple[int, int]:
        async with Run[Any](flow) as live:
            first = await live.subscription.request(UNBOUNDED)
            return len(first.elements), live.statistics().stages[-1].buffered

    assert run(main()) == (2, 16_382)
    assert flow.spec.capacity == 16_384


def test_an_as_of_join_sees_large_batches_and_answers_in_them() -> None:
    def timed() -> Flowable[Any]:
        return ticks().pipe(ops.with_event_time("t", unit="ns"))

    assert (
        max(sizes(timed().pipe(ops.asof_join(timed())))) == 16_383
    )  # the last waits for what is behind it
