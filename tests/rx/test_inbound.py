"""from_rx: what an Observable pushes waits behind a bound."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.errors import BufferOverflowError, PipelineError
from rxml.flow.run import Run
from rxml.rx import buffer, conflate, from_rx
from rxml.testing import virtual_time
from tests.lift.untyped import R, Subject, rx


def listed(flow: Any) -> list[Any]:
    result: list[Any] = virtual_time.run(flow.to_list())
    return result


def test_elements_and_the_end_come_through() -> None:
    assert listed(from_rx(rx.of(1, None, 3))) == [1, None, 3]
    assert listed(rxml.from_rx(rx.empty())) == []


def test_an_error_is_the_same_object_after_all_before() -> None:
    boom = ValueError("boom")

    async def main() -> None:
        async with from_rx(rx.concat(rx.of(1, 2), rx.throw(boom))).open() as reader:
            assert [(await reader.request(1)).elements for _ in range(2)] == [[1], [2]]
            with pytest.raises(ValueError, match="boom") as raised:
                await reader.request(1)
            assert raised.value is boom

    virtual_time.run(main())


def test_timers_are_those_of_the_runs_loop() -> None:
    async def main() -> None:
        flow = from_rx(rx.interval(60.0).pipe(R.timestamp())).pipe(ops.take(2))
        assert [s.timestamp.timestamp() for s in await flow.to_list()] == [60.0, 120.0]

    virtual_time.run(main())


def test_nothing_is_subscribed_before_anyone_asks_and_each_run_subscribes() -> None:
    async def main() -> None:
        log: list[str] = []

        def subscribe(observer: Any, _: Any) -> Any:
            log.append("subscribe")
            observer.on_next(7)
            return lambda: log.append("dispose")

        flow = from_rx(rx.create(subscribe))
        async with flow.open() as reader:
            assert log == []
            await reader.request(1)
        assert log == ["subscribe", "dispose"]
        assert await flow.pipe(ops.take(1)).to_list() == [7]
        assert log == ["subscribe", "dispose"] * 2

    virtual_time.run(main())


async def pushed(script: list[Any], **options: Any) -> tuple[list[int], int, bool]:
    """Push the numbers of a script, take one where it says None; what came out, drops, and whether it overflowed."""
    subject, out = Subject(), list[int]()
    numbers = iter(range(1000))
    async with Run[int](from_rx(subject, **options)) as run:
        first = asyncio.get_running_loop().create_task(run.subscription.request(1))
        await virtual_time.settle()
        subject.on_next(-1)
        out += (await first).elements
        try:
            for step in script:
                if step is not None:
                    subject.on_next(next(numbers))
                elif run.statistics()["from_rx"].buffered:
                    out += (await run.subscription.request(1)).elements
            subject.on_completed()
            while not (chunk := await run.subscription.request(1)).end:
                out += chunk.elements
        except BufferOverflowError:
            return out[1:], 0, True
        return out[1:], run.statistics()["from_rx"].dropped, False


def modelled(script: list[Any], capacity: int, policy: str) -> tuple[list[int], int, bool]:
    waiting, out, dropped = deque[int](), list[int](), 0
    number = 0
    for step in script:
        if step is None:
            if waiting:
                out.append(waiting.popleft())
            continue
        if len(waiting) < capacity:
            waiting.append(number)
        elif policy == "error":
            return [*out, *waiting], 0, True
        else:
            dropped += 1
            if policy == "drop_oldest":
                waiting.popleft()
                waiting.append(number)
        number += 1
    return [*out, *waiting], dropped, False


@given(
    st.lists(st.sampled_from([1, None]), max_size=30),
    st.integers(1, 4),
    st.sampled_from(["error", "drop_oldest", "drop_newest", "latest", "buffer"]),
)
def test_policies_are_those_of_a_plain_deque(script: list[Any], capacity: int, policy: str) -> None:
    options: dict[str, Any]
    if policy == "latest":
        expected, options = modelled(script, 1, "drop_oldest"), {"overflow": "latest"}
    elif policy == "buffer":
        expected, options = modelled(script, capacity, "error"), {"overflow": buffer(capacity)}
    else:
        expected, options = (
            modelled(script, capacity, policy),
            {"overflow": policy, "capacity": capacity},
        )
    got = virtual_time.run(pushed(script, **options))
    if expected[2]:
        assert got[2]
        assert got[0] == expected[0][: len(got[0])]
    else:
        assert got == expected


@given(st.lists(st.sampled_from([1, None]), max_size=30))
def test_conflate_folds_all_that_waits_and_loses_nothing_of_it(script: list[Any]) -> None:
    out, _, _ = virtual_time.run(pushed(script, overflow=conflate(lambda a, b: a + b)))
    assert sum(out) == sum(range(len(script) - script.count(None)))


def test_conflate_may_begin_with_a_seed() -> None:
    async def main() -> None:
        subject = Subject()
        flow = from_rx(subject, overflow=conflate(lambda a, b: [*a, b], lambda x: [x]))
        async with flow.open() as reader:
            task = asyncio.get_running_loop().create_task(reader.request(1))
            await virtual_time.settle()
            for number in range(3):
                subject.on_next(number)
            assert (await task).elements == [[0, 1, 2]]

    virtual_time.run(main())


def test_the_error_names_the_stage_and_the_bound() -> None:
    async def main() -> None:
        subject = Subject()
        async with from_rx(subject, capacity=2).open() as reader:
            task = asyncio.get_running_loop().create_task(reader.request(1))
            await virtual_time.settle()
            for number in range(4):
                subject.on_next(number)
            assert (await task).elements == [0]
            assert (await reader.request(5)).elements == [1]
            with pytest.raises(
                BufferOverflowError, match="from_rx: 2 elements wait, at most 2 elements"
            ):
                await reader.request(5)

    virtual_time.run(main())


def test_other_threads_may_push() -> None:
    async def main() -> None:
        subject = Subject()

        def work() -> None:
            for number in range(500):
                subject.on_next(number)
            subject.on_completed()

        async def start() -> None:
            await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(None, work)

        flow = from_rx(subject)
        taken, _ = await asyncio.gather(flow.to_list(), start())
        assert taken == list(range(500))

    assert threading.active_count() < 50
    virtual_time.run(main())


def test_an_action_that_raises_fails_the_stream() -> None:
    def subscribe(_: Any, scheduler: Any) -> Any:
        def fail(*_: Any) -> None:
            raise KeyError("late")

        return scheduler.schedule_relative(1.0, fail)

    with pytest.raises(KeyError, match="late"):
        listed(from_rx(rx.Observable(subscribe)))


def test_a_subscription_that_fails_fails_the_stream() -> None:
    def subscribe(_: Any, __: Any) -> Any:
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        listed(from_rx(rx.create(subscribe)))


@pytest.mark.parametrize(
    ("observable", "options", "error", "words"),
    [
        ([1, 2], {}, PipelineError, "got list"),
        (rx.of(1), {"overflow": "spill"}, ValueError, "'spill'"),
        (rx.of(1), {"capacity": 0}, ValueError, "at least 1"),
        (rx.of(1), {"overflow": "latest", "capacity": 3}, ValueError, "one element waits"),
        (rx.of(1), {"overflow": buffer(3), "capacity": 4}, ValueError, "capacity=4 as well"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_built(
    observable: Any, options: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        _ = from_rx(observable, **options)


def test_the_bound_is_in_the_budget() -> None:
    assert from_rx(rx.of(1), capacity=7).budget().edges[0].elements == 7
    assert from_rx(rx.of(1)).budget().edges[0].elements == 1024


@pytest.mark.parametrize("n", [0, -1, 2.5, "x"])
def test_a_buffer_wants_room_for_an_element_when_it_is_made(n: Any) -> None:
    with pytest.raises(
        (ValueError, PipelineError), match=r"rxml\.rx\.buffer wants an int >= 1, got"
    ):
        buffer(n)


@pytest.mark.parametrize("functions", [(5,), (max, 5)])
def test_conflate_wants_functions_when_it_is_made(functions: Any) -> None:
    with pytest.raises(PipelineError, match=r"Conflate.* wants a function .* got int"):
        conflate(*functions)
