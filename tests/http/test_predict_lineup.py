"""The lineup of a stream: how many of its elements enter a service, and what becomes of those that cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import DeadlineError, RxmlError, StreamClosedError
from rxml.flow.service import Service
from rxml.http.predict.lineup import Lineup
from rxml.http.predict.wishes import Wishes
from rxml.testing.virtual_time import run

WISHES = Wishes(2.0, 0, "me")


def tenth(n: int) -> int:
    return 10 // n


def lineup_of(service: Service[Any, Any], rings: list[float]) -> Lineup:
    loop = asyncio.get_running_loop()
    return Lineup(service, WISHES, lambda: rings.append(loop.time()))


async def all_of(lineup: Lineup, rings: list[float]) -> list[Any]:
    results: list[Any] = []
    while len(lineup):
        results += [slot.result for slot in lineup.take()]
        if len(lineup):
            count = len(rings)
            while len(rings) == count:  # noqa: ASYNC110 - the ring is a function
                await asyncio.sleep(0.01)
    return results


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 20))
def test_answers_come_in_the_order_of_the_elements(numbers: list[int], capacity: int) -> None:
    async def main() -> list[Any]:
        rings: list[float] = []
        async with Service(ops.map(tenth), capacity=capacity) as service:
            lineup = lineup_of(service, rings)
            for number in numbers:
                lineup.put(number, 1, 8)
                assert service.waiting <= max(1, (capacity + 1) // 2)
            assert (lineup.rows, lineup.size) == (len(numbers), 8 * len(numbers))
            results = await all_of(lineup, rings)
            assert (lineup.rows, lineup.size) == (0, 0)
            return results

    results = run(main())
    assert len(results) == len(numbers)
    for number, result in zip(numbers, results, strict=True):
        assert isinstance(result, ZeroDivisionError) if number == 0 else result == 10 // number


def test_what_is_answered_at_once_keeps_its_place() -> None:
    async def main() -> None:
        rings: list[float] = []
        inputs = Schema.of(x="float64")
        model = models.from_function(lambda rows: rows["x"] + 1.0, inputs=inputs)
        async with Service[Any, Any](ops.score(model, on=models.on_loop())) as service:
            await service.ask({"x": 0.0})
            await asyncio.sleep(1.0)
            batches = [Batch({"x": np.arange(100.0) + 100 * i}) for i in range(4)]
            lineup = lineup_of(service, rings)
            lineup.put(batches[0], 100, 8)
            lineup.put(batches[1], 100, 8)
            assert (len(rings), service.waiting) == (1, 0)
            assert [slot.result["value"][0] for slot in lineup.take()] == [1.0, 101.0]
            lineup.put({"x": -1.0}, 1, 8)
            lineup.put(batches[2], 100, 8)
            lineup.refuse(ValueError(), 8)
            assert (len(rings), service.waiting, lineup.rows, lineup.take()) == (1, 2, 101, [])
            results = await all_of(lineup, rings)
            assert (results[0].value, results[1]["value"][0]) == (0.0, 201.0)
            assert isinstance(results[2], ValueError)
            lineup.put(batches[3], 100, 8)
            assert (lineup.rows, lineup.ready) == (100, True)
            lineup.close()

    run(main())


def test_what_cannot_enter_in_time_is_refused() -> None:
    async def main() -> None:
        rings: list[float] = []
        async with Service[Any, Any](ops.delay(3600.0), capacity=8) as service:
            lineup = lineup_of(service, rings)
            for number in range(20):
                lineup.put(number, 1, 0)
            assert service.waiting == 4
            results = await all_of(lineup, rings)
            assert {type(each) for each in results} == {DeadlineError}
            assert 2.0 <= rings[-1] < 2.1
            lineup.close()

    run(main())


def test_a_service_that_has_ended_refuses_all_however_many() -> None:
    async def main() -> None:
        rings: list[float] = []
        service = Service[Any, Any](ops.delay(3600.0), capacity=8)
        service.start()
        lineup = lineup_of(service, rings)
        for number in range(4000):
            lineup.put(number, 1, 0)
        await service.aclose()
        results = await all_of(lineup, rings)
        assert len(results) == 4000
        assert all(isinstance(each, RxmlError) for each in results)
        assert isinstance(results[0], StreamClosedError)

    run(main())


def test_elements_of_a_lane_that_was_left_are_gone() -> None:
    async def main() -> None:
        seen: list[int] = []
        async with Service(ops.map(seen.append), capacity=8) as service:
            lineup = lineup_of(service, [])
            for number in range(20):
                lineup.put(number, 1, 0)
            lineup.close()
            await asyncio.sleep(5.0)
            assert len(seen) <= 4
            assert service.waiting == 0

    run(main())
