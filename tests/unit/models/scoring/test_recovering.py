"""Whatever a batch did, those that come after it are answered, and what is nobody's fault hurts nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import DeadlineError, ModelError, StreamClosedError
from rxml.flow.clock import FIRST
from rxml.flow.service import Service
from rxml.models.scoring.exits import SlabsInOrder
from rxml.models.scoring.intake import Intake
from rxml.models.scoring.waiting import Ask
from rxml.testing.virtual_time import run
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

X = Schema.of(x="float64")
SAME = models.from_function(lambda rows: rows["x"], inputs=X)


def leaving_out(rows: Batch) -> Any:
    """Drops rows below 0, as who cleans data may."""
    return rows["x"][rows["x"] >= 0]


def picky(rows: Batch) -> Any:
    if (rows["x"] < 0).any():
        raise ValueError("negative")
    return rows["x"]


async def asked(service: Service[Any, Any], *xs: float) -> list[Any]:
    answers = [service.ask({"x": x}) for x in xs]
    told = await asyncio.gather(*answers, return_exceptions=True)
    return [each.value if isinstance(each, models.Prediction) else type(each) for each in told]


def test_a_row_that_a_model_leaves_out_fails_alone_even_as_the_first() -> None:
    async def main() -> None:
        model = models.from_function(leaving_out, inputs=X)
        async with Service(ops.score(model, on=Timed())) as service:
            assert await asked(service, -1.0) == [ModelError]
            assert await asked(service, 1.0, 2.0, -1.0, 4.0) == [1.0, 2.0, ModelError, 4.0]

    run(main())


def test_a_batch_without_rows_teaches_nothing_and_hurts_nobody() -> None:
    async def main() -> None:
        async with Service(ops.score(SAME, on=Timed())) as service:
            assert len(await service.ask(Batch({"x": np.zeros(0)}))) == 0
            assert await asked(service, 1.0) == [1.0]

    run(main())


@pytest.mark.parametrize("bad", [{0, 1}, {0, 1, 2, 3}, {0, 7}, {6, 7}, {0, 1, 4, 5}])
@pytest.mark.parametrize("n", [8, 60])
def test_several_bad_rows_fail_and_no_others(bad: set[int], n: int) -> None:
    async def main() -> list[Any]:
        model = models.from_function(picky, inputs=X)
        async with Service(ops.score(model, on=Timed(base=0.001))) as service:
            for _ in range(5):
                await asked(service, *[1.0] * 64)
            return await asked(service, *[-1.0 if i in bad else 1.0 for i in range(n)])

    assert run(main()) == [ValueError if i in bad else 1.0 for i in range(n)]


def test_three_rows_of_which_two_are_bad() -> None:
    async def main() -> list[Any]:
        model = models.from_function(picky, inputs=X)
        async with Service(ops.score(model, on=Timed())) as service:
            return await asked(service, -1.0, 1.0, -1.0)

    assert run(main()) == [ValueError, 1.0, ValueError]


def test_what_was_slow_once_is_tried_again() -> None:
    place = Timed(base=30.0)

    async def main() -> None:
        async with Service(ops.score(SAME, on=place)) as service:
            await asyncio.sleep(1)
            with pytest.raises(DeadlineError):
                await service.ask({"x": 1.0}, within=1.0)
            await asyncio.sleep(40)
            place.base = 0.01
            assert (await service.ask({"x": 2.0}, within=1.0)).value == 2.0

    run(main())


def test_while_it_is_slow_few_batches_are_spent_on_finding_out() -> None:
    place = Timed(base=2.0)

    async def main() -> None:
        async with Service(ops.score(SAME, on=place)) as service:
            for _ in range(100):
                with pytest.raises(DeadlineError):
                    await service.ask({"x": 1.0}, within=0.5)

    run(main())
    assert len(place.batches) < 40


def test_of_a_batch_that_is_parted_only_those_are_scored_for_whom_somebody_waits() -> None:
    place = Timed(base=1.0)

    async def main() -> None:
        model = models.from_function(picky, inputs=X)
        async with Service(ops.score(model, on=place)) as service:
            rows = [service.ask({"x": x}, within=1.8) for x in (-1.0, 2.0, 3.0, 4.0)]
            told = await asyncio.gather(*rows, return_exceptions=True)
            assert all(isinstance(each, DeadlineError) for each in told)
            assert (await service.ask({"x": 5.0})).value == 5.0

    run(main())
    assert place.batches == [[-1.0, 2.0, 3.0, 4.0], [-1.0, 2.0], [5.0]]


def test_if_neither_model_can_be_had_the_service_says_so() -> None:
    """With `overlap=False` the one before has gone: elements must not wait for ever."""
    place = Timed(base=0.1)

    class Version:
        def __init__(self, number: int) -> None:
            self.release = models.Release("m", str(number), f"d{number}")

        def load(self) -> models.Model:
            if self.release.version == "2":
                place.refused += [SAME, SAME]
            return SAME

    def version(at: int) -> Version:
        return Version(1 + at)

    async def main() -> None:
        flow = rxml.interval(5.0).pipe(ops.map(version))
        async with Service(ops.score(flow, on=place, overlap=False)) as service:
            assert (await service.ask({"x": 1.0}, within=9.0)).value == 1.0
            await asyncio.sleep(5)
            with pytest.raises(StreamClosedError, match="has failed"):
                await service.ask({"x": 1.0})

    run(main())


def test_the_weight_of_the_rows_of_a_slab_is_that_of_the_slab() -> None:
    """What is lost in rounding would stay for ever, and leave less room each time."""
    slab = Ask(Batch({"x": np.ones(7)}), None, 7, 0.0, 475)
    slab.slab = True
    exits = SlabsInOrder()
    exits.enter([slab], dated=False)
    assert sum(each.weight for each in exits.part(slab)) == 475


def pulled(flow: Flowable[Any], count: list[Any]) -> int:
    """How many elements come in while nobody takes more than the first answer."""

    async def main() -> int:
        async with flow.open() as subscription:
            await subscription.request(1)
            await asyncio.sleep(50)
            return len(count)

    return run(main())


def test_answers_that_nobody_takes_weigh_too() -> None:
    count: list[Any] = []

    def batch(at: int) -> Batch:
        count.append(at)
        return Batch({"x": np.ones(1000)})

    flow = rxml.range(1000).pipe(ops.map(batch), ops.score(SAME, max_bytes=80_000))
    assert pulled(flow, count) <= 13


def test_what_a_row_has_beside_its_numbers_weighs_too() -> None:
    count: list[Any] = []

    def row(at: int) -> dict[str, Any]:
        count.append(at)
        return {"x": 1.0} | ({"beside": bytes(10_000)} if at else {})

    flow = rxml.range(1000).pipe(ops.map(row), ops.score(SAME, on=Timed(), max_bytes=100_000))
    assert pulled(flow, count) <= FIRST + 12


def test_room_is_had_back_when_answers_are_taken() -> None:
    rows: list[Any] = [{"x": 1.0}, Batch({"x": np.ones(3)})] * 300
    flow = rxml.of(*rows).pipe(ops.score(SAME, max_bytes=1000))
    assert len(run(flow.to_list())) == 600
    batches = rxml.from_batches([Batch({"x": np.ones(50)})] * 30)
    assert len(run(batches.pipe(ops.score(SAME, max_bytes=500)).to_list())) == 1500


def test_one_that_does_not_fit_is_found_without_looking_at_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []
    batch = Intake.batch

    def counted(intake: Intake, items: Any) -> Batch:
        looked.append(len(items))
        return batch(intake, items)

    async def main() -> list[Any]:
        async with Service(ops.score(SAME, on=Timed(base=1e-4), budget=1.0)) as service:
            for _ in range(8):
                await asked(service, *[1.0] * 2000)
            monkeypatch.setattr(Intake, "batch", counted)
            rows: list[Any] = [{"x": 1.0}] * 1000 + [{"y": 1.0}] + [{"x": 1.0}] * 20
            answers = map(service.ask, rows)
            return list(await asyncio.gather(*answers, return_exceptions=True))

    told = run(main())
    assert [i for i, each in enumerate(told) if isinstance(each, Exception)] == [1000]
    assert len(looked) < 150
