"""from_batches: rows as they are asked for, the producer's error after them, and nothing copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml.batch import Batch
from rxml.testing import run

if TYPE_CHECKING:
    from collections.abc import Iterator


async def chunks(flow: rxml.Flowable[Any], n: int) -> list[Any]:
    async with flow.chunks(n) as found:
        return [list(chunk.elements) async for chunk in found]


def test_no_chunk_crosses_from_one_batch_into_the_next() -> None:
    given: list[Any] = [[1, 2, 3], [], (4,), np.arange(5, 7)]
    assert run(chunks(rxml.from_batches(given), 2)) == [[1, 2], [3], [4], [5, 6]]


def test_chunks_are_slices_and_a_whole_batch_is_itself() -> None:
    batch = Batch({"x": np.arange(4)})

    async def main() -> None:
        async with rxml.from_batches([batch, batch]).open() as subscription:
            first: Any = (await subscription.request(3)).elements
            assert np.shares_memory(first["x"], batch["x"])
            await subscription.request(3)
            assert (await subscription.request(9)).elements is batch

    run(main())


def test_the_error_of_the_producer_comes_after_its_rows_and_says_where() -> None:
    closed: list[bool] = []

    def produced() -> Iterator[list[int]]:
        try:
            yield [1, 2, 3]
            raise LookupError("no more")
        finally:
            closed.append(True)

    async def main() -> list[Any]:
        found: list[Any] = []
        async with rxml.from_batches(produced).open() as subscription:
            found += (await subscription.request(2)).elements
            found += (await subscription.request(2)).elements
            with pytest.raises(LookupError, match="no more") as caught:
                await subscription.request(2)
            assert "from_batches" in caught.value.__notes__[0]
        return found

    assert run(main()) == [1, 2, 3]
    assert closed == [True]


def test_a_producer_that_cannot_be_opened_fails_the_stream() -> None:
    def unopened() -> Iterator[list[int]]:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        run(rxml.from_batches(unopened).to_list())


@pytest.mark.parametrize(
    "rows", [None, 3, {"x": [1]}, iter([1])], ids=lambda rows: type(rows).__name__
)
def test_what_is_no_sequence_of_rows_is_refused_after_the_rows_before(rows: Any) -> None:
    async def main() -> None:
        async with rxml.from_batches([[1], rows]).open() as subscription:
            assert list((await subscription.request(5)).elements) == [1]
            with pytest.raises(TypeError, match="from_batches wants sequences of rows"):
                await subscription.request(5)

    run(main())


def test_a_drained_run_still_gets_the_rows_at_hand() -> None:
    def produced() -> Iterator[list[int]]:
        while True:
            yield [1, 2, 3]

    async def main() -> int:
        async with rxml.Run[Any](rxml.from_batches(produced)) as running:
            count = len(await running.subscription.request(1))
            assert running.statistics()["from_batches"].buffered == 2
            assert await running.drain(1)
            return count + running.statistics()["from_batches"].emitted

    assert run(main()) == 1 + 3
