from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from rxml import compose, models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import DeadlineError, OverloadError, PipelineError, StreamClosedError
from rxml.flow.service import Service
from rxml.testing.virtual_time import run
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from collections.abc import Coroutine

X = Schema.of(x="float64")
DOUBLE = models.from_function(lambda rows: 2 * rows["x"], inputs=X)


async def taking(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


def scored(place: Any) -> Service[Any, Any]:
    return Service(ops.score(DOUBLE, on=place))


def row(x: int) -> dict[str, float]:
    return {"x": float(x)}


def value(prediction: models.Prediction) -> Any:
    return prediction.value


def several(x: int) -> list[int]:
    return [x]


async def outcome(asked: asyncio.Future[Any]) -> Any:
    try:
        return await asked
    except Exception as error:  # noqa: BLE001 - looked at
        return error


def now() -> float:
    return asyncio.get_running_loop().time()


def test_each_gets_its_own_answer_whoever_is_quicker() -> None:
    async def main() -> list[float]:
        slow = ops.map_async(taking, concurrency=10)
        async with Service(slow) as service:
            order: list[float] = []

            async def ask(seconds: float) -> None:
                assert await service.ask(seconds) == seconds
                order.append(seconds)

            await asyncio.gather(*map(ask, (3.0, 1.0, 2.0)))
            return order

    assert run(main()) == [1.0, 2.0, 3.0]


def test_rows_of_many_who_ask_share_batches() -> None:
    place = Timed(base=1.0)

    async def main() -> list[Any]:
        async with scored(place) as service:
            return await asyncio.gather(*(service.ask({"x": float(i)}) for i in range(7)))

    assert [each.value for each in run(main())] == [2 * i for i in range(7)]
    assert len(place.batches) <= 2


def test_one_that_fails_fails_alone() -> None:
    def inverse(x: float) -> float:
        return 1 / x

    async def main() -> list[Any]:
        async with Service(ops.map(inverse)) as service:
            return await asyncio.gather(*(outcome(service.ask(x)) for x in (1.0, 0.0, 2.0)))

    one, error, half = run(main())
    assert (one, half) == (1.0, 0.5)
    assert isinstance(error, ZeroDivisionError)


def test_an_answer_comes_by_the_deadline_or_a_word_does() -> None:
    async def main() -> tuple[Any, float, int]:
        async with scored(Timed(base=10.0)) as service:
            answer = await outcome(service.ask({"x": 1.0}, within=0.1))
            at, waiting = now(), service.waiting
            await asyncio.sleep(20)
            assert service.waiting == 0
            return answer, at, waiting

    answer, at, waiting = run(main())
    assert isinstance(answer, DeadlineError)
    assert 0.1 <= at <= 0.11
    assert waiting == 1  # it is still being scored


def test_one_who_goes_away_costs_nothing() -> None:
    place = Timed(base=1.0)

    async def main() -> int:
        async with scored(place) as service:
            first = service.ask({"x": 1.0})
            await asyncio.sleep(0.7)
            gone = service.ask({"x": 2.0})
            gone.cancel()
            assert (await first).value == 2
            await asyncio.sleep(5)
            return service.waiting

    assert run(main()) == 0
    assert place.batches == [[1.0]]


def test_what_could_not_be_answered_in_time_is_refused_at_once_and_told_when_to_come_again() -> (
    None
):
    async def main() -> tuple[list[Any], list[float]]:
        async with scored(Timed(base=0.0, row=0.1)) as service:
            warm = [service.ask({"x": 1.0}) for _ in range(20)]
            await asyncio.gather(*warm)
            crowd = [service.ask({"x": 1.0}) for _ in range(30)]
            began = now()
            errors = [await outcome(service.ask({"x": 1.0}, within=1.0)) for _ in range(3)]
            waited = [now() - began]
            await asyncio.gather(*crowd)
            return errors, waited

    errors, waited = run(main())
    assert all(isinstance(each, OverloadError) for each in errors)
    assert waited == [0.0]
    assert all(2 < each.retry_after < 4 for each in errors)


def test_there_is_room_for_so_many_and_no_more() -> None:
    async def main() -> Any:
        async with Service(ops.score(DOUBLE, on=Timed(base=1.0)), capacity=3) as service:
            asked = [service.ask({"x": 1.0}) for _ in range(4)]
            got = await asyncio.gather(*map(outcome, asked))
            return [type(each).__name__ for each in got]

    assert run(main()) == ["Prediction"] * 3 + ["OverloadError"]


def test_it_is_crowded_for_who_cannot_wait_and_not_for_who_can() -> None:
    async def main() -> Any:
        async with Service(
            ops.score(DOUBLE, on=Timed(base=0.5), max_batch=5), capacity=50
        ) as service:
            asked = [service.ask({"x": 1.0}) for _ in range(50)]
            full = service.crowded(None), service.crowded(1e6)
            while (ahead := service.waiting) > 20:
                await service.fewer()
            found = [service.crowded(within) for within in (None, 0.1, 100.0)]
            await asyncio.wait(asked)
            return full, ahead, found, service.crowded(0.001)

    full, ahead, (whenever, soon, late), rest = run(main())
    assert full == (0.0, 0.0)
    assert ahead > 2
    assert (whenever, late, rest) == (None, None, None)
    assert soon is not None
    assert 0.05 * ahead < soon < 1.0 * ahead


def test_who_waits_when_it_ends_is_told() -> None:
    async def main() -> Any:
        async with scored(Timed(base=50.0)) as service:
            asked = service.ask({"x": 1.0})
            await asyncio.sleep(2)
        return await outcome(asked), await outcome(service.ask({"x": 1.0}))

    assert [type(each) for each in run(main())] == [StreamClosedError, StreamClosedError]


def test_a_run_that_fails_as_a_whole_is_begun_anew() -> None:
    made = [0]

    class Flaky(Timed):
        async def open(self, model: Any, ready: Any) -> Any:  # type: ignore[explicit-override]
            made[0] += 1
            if made[0] < 3:
                raise OSError("no memory")
            return await super().open(model, ready)

    async def main() -> Any:
        async with scored(Flaky(base=0.1)) as service:
            first = await outcome(service.ask({"x": 1.0}))
            before = service.ready
            await asyncio.sleep(2)
            assert (before, service.ready) == (False, True)
            return first, await service.ask({"x": 2.0})

    first, second = run(main())
    assert isinstance(first, StreamClosedError)
    assert second.value == 4


def test_draining_waits_for_those_on_their_way_and_takes_no_more() -> None:
    async def main() -> Any:
        async with scored(Timed(base=1.0)) as service:
            asked = service.ask({"x": 3.0})
            drained = asyncio.create_task(service.drain(10))
            await asyncio.sleep(0)
            refused = await outcome(service.ask({"x": 1.0}))
            return await drained, (await asked).value, type(refused)

    assert run(main()) == (True, 6.0, StreamClosedError)


def test_a_composition_of_stages_answers_and_one_that_loses_elements_is_refused() -> None:
    composed = compose(ops.map(row), ops.score(DOUBLE), ops.map(value))

    async def main() -> Any:
        async with Service(composed) as service:
            return await service.ask(4)

    assert run(main()) == 8.0
    losing: list[Any] = [ops.filter(bool), ops.flat_map(several), ops.to_list(), ops.take(3)]
    for wrong in losing:
        with pytest.raises(PipelineError, match="one answer"):
            Service(wrong)
    makes_none: Any = str  # of a flow it makes no flow
    with pytest.raises(PipelineError, match="pipe wants operators"):
        Service(makes_none)
    with pytest.raises(ValueError, match="capacity"):
        Service(composed, capacity=0)


def test_batches_may_be_asked() -> None:
    async def main() -> Any:
        async with scored(models.on_loop()) as service:
            batch, row = await asyncio.gather(
                service.ask(Batch({"x": [1.0, 2.0]})), service.ask({"x": 5.0})
            )
            return batch["value"].tolist(), row.value

    assert run(main()) == ([2.0, 4.0], 10.0)


def test_the_most_urgent_overtake() -> None:
    place = Timed(base=1.0)

    async def main() -> None:
        async with Service(ops.score(DOUBLE, on=place, max_batch=1)) as service:
            first = service.ask({"x": 0.0})
            await asyncio.sleep(0.8)
            asks: list[Coroutine[Any, Any, Any] | asyncio.Future[Any]] = [
                first,
                service.ask({"x": 1.0}),
                service.ask({"x": 2.0}, priority=3),
            ]
            await asyncio.gather(*asks)

    run(main())
    assert place.batches == [[0.0], [2.0], [1.0]]
