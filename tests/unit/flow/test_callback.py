"""from_callback: bounded, from any thread, and unregistered exactly once."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import Emitter
from rxml import operators as ops
from rxml.errors import BufferOverflowError, PipelineError
from rxml.testing.probe import Probe
from rxml.testing.virtual_time import run
from tests.unit.operators.live import LOOSE_RXML, record

if TYPE_CHECKING:
    from collections.abc import Callable


class Producer:
    """Keeps the emitter, and notes that it was unregistered."""

    def __init__(self) -> None:
        self.emitter: Emitter[Any]
        self.registered = 0
        self.unregistered = 0

    def register(self, emitter: Emitter[Any]) -> Callable[[], None]:
        self.emitter = emitter
        self.registered += 1
        return self.unregister

    def unregister(self) -> None:
        self.unregistered += 1


@given(
    st.lists(st.sampled_from(["put", "take", "turn"]), max_size=40),
    st.sampled_from(["drop_oldest", "drop_newest", "latest", "error"]),
    st.integers(1, 3),
    st.sampled_from(["complete", "fail", "cancel"]),
)
def test_it_is_a_bounded_queue(script: list[str], policy: Any, capacity: int, ending: str) -> None:  # noqa: C901, PLR0915
    bound = 1 if policy == "latest" else capacity
    producer = Producer()
    flow = rxml.from_callback(producer.register, capacity=bound, overflow=policy)
    held: list[int] = []
    overflown = False

    async def main() -> None:
        nonlocal overflown
        async with Probe(flow) as probe:
            await probe.expect_nothing(seconds=1)
            number = accepted = emitted = 0
            for step in script:
                if step == "put":
                    producer.emitter.on_next(number)
                    accepted += not overflown and (len(held) < bound or policy != "error")
                    if len(held) < bound:
                        if not overflown:
                            held.append(number)
                    elif policy == "error":
                        overflown = True
                    elif policy != "drop_newest":
                        held[:] = [*held[1:], number]
                    number += 1
                elif step == "take" and held:
                    await probe.expect(held.pop(0))
                    emitted += 1
                else:
                    await asyncio.sleep(0)
                (stage,) = probe.statistics().stages
                assert stage.buffered == len(held) <= bound
                assert emitted + stage.dropped + stage.buffered == accepted
            await _ended(probe)
        assert (producer.registered, producer.unregistered) == (1, 1)
        assert producer.emitter.closed
        producer.emitter.on_next(99)

    async def _ended(probe: Probe[int]) -> None:
        if ending == "cancel":
            await probe.cancel()
            return
        if ending == "complete":
            producer.emitter.on_completed()
        else:
            producer.emitter.on_error(ValueError("producer"))
        producer.emitter.on_next(99)
        await probe.expect(*held)
        if overflown:
            await probe.expect_error(BufferOverflowError)
        elif ending == "complete":
            await probe.expect_end()
        else:
            error = await probe.expect_error(ValueError)
            assert "from_callback" in error.__notes__[0]

    run(main())


def test_a_reader_that_waits_is_woken() -> None:
    producer = Producer()

    async def main() -> None:
        flow = rxml.from_callback(producer.register, capacity=2)
        async with flow.open() as subscription, asyncio.TaskGroup() as group:
            waiting = group.create_task(subscription.request(5))
            await asyncio.sleep(1)
            producer.emitter.on_next(1)
            producer.emitter.on_next(2)
            assert list((await waiting).elements) == [1, 2]

    run(main())


def test_it_conflates() -> None:
    producer = Producer()

    async def main() -> list[Any]:
        overflow = rxml.Conflate(lambda a, b: a + b, seed=lambda x: [x][0])
        async with Probe(rxml.from_callback(producer.register, overflow=overflow)) as probe:
            await probe.expect_nothing(seconds=1)
            for number in range(10):
                producer.emitter.on_next(number)
            await probe.expect(45)
            producer.emitter.on_next("x")
            producer.emitter.on_next(
                1
            )  # a str and an int cannot be added: the stream fails, not the producer
            await probe.expect("x")
            return [await probe.expect_error(TypeError)]

    assert run(main())


def test_elements_pushed_while_registering_are_taken() -> None:
    def register(emitter: Emitter[int]) -> None:
        for number in range(3):
            emitter.on_next(number)
        emitter.on_completed()

    assert run(rxml.from_callback(register, capacity=3).to_list()) == [0, 1, 2]


@pytest.mark.parametrize("policy", ["error", "drop_oldest", "block"])
def test_many_threads_push(policy: Any) -> None:  # noqa: C901
    threads = 4
    each = 500

    def register(emitter: Emitter[Any]) -> Callable[[], Any]:
        left = threading.Barrier(threads + 1)

        def push(name: int) -> None:
            for number in range(each):
                emitter.on_next((name, number))
            left.wait()

        def complete() -> None:
            left.wait()
            emitter.on_completed()

        targets = [(push, (name,)) for name in range(threads)] + [(complete, ())]
        started = [threading.Thread(target=target, args=args) for target, args in targets]
        for thread in started:
            thread.start()

        async def join() -> None:
            for thread in started:
                await asyncio.to_thread(thread.join)

        return join

    capacity = 7 if policy == "block" else threads * each
    flow = rxml.from_callback(register, capacity=capacity, overflow=policy)
    out = asyncio.run(flow.to_list())
    assert len(out) == threads * each
    for name in range(threads):
        assert [number for who, number in out if who == name] == list(range(each))


def test_a_fast_thread_fills_no_more_than_the_bound() -> None:
    pushed: list[int] = []

    def register(emitter: Emitter[int]) -> Callable[[], Any]:
        def push() -> None:
            for number in range(100_000):
                emitter.on_next(number)
                pushed.append(number)
            emitter.on_completed()

        thread = threading.Thread(target=push)
        thread.start()
        return lambda: asyncio.to_thread(thread.join)

    async def main() -> int:
        flow = rxml.from_callback(register, capacity=5, overflow="drop_oldest")
        async with Probe(flow, patience_seconds=5) as probe:
            while not (await probe.request(100)).end:
                pass
            (stage,) = probe.statistics().stages
            return stage.dropped + len(probe.elements)

    assert asyncio.run(main()) == len(pushed) == 100_000


def test_a_blocked_thread_is_let_go_when_the_run_ends() -> None:
    done = threading.Event()

    def register(emitter: Emitter[int]) -> None:
        def push() -> None:
            while not emitter.closed:
                emitter.on_next(1)
            done.set()

        threading.Thread(target=push).start()

    async def main() -> None:
        flow = rxml.from_callback(register, capacity=1, overflow="block")
        async with flow.open() as subscription:
            await subscription.request(1)
        assert await asyncio.to_thread(done.wait, 5)

    asyncio.run(main())


def test_the_loops_own_thread_is_not_blocked() -> None:
    producer = Producer()

    async def main() -> None:
        flow = rxml.from_callback(producer.register, capacity=1, overflow="block")
        async with Probe(flow) as probe:
            await probe.expect_nothing(seconds=1)
            producer.emitter.on_next(1)
            with pytest.raises(RuntimeError, match="would wait for ever"):
                producer.emitter.on_next(2)
            await probe.expect(1)

    run(main())


def test_a_registration_that_fails_fails_the_stream() -> None:
    error = run(record(rxml.from_callback(lambda emitter: 1 // 0, capacity=1)))[0][1]
    assert isinstance(error, ZeroDivisionError)
    assert "from_callback" in error.__notes__[0]
    error = run(record(rxml.from_callback(lambda emitter: 3, capacity=1)))[0][1]
    assert isinstance(error, PipelineError)


def test_an_unregistration_that_fails_hides_nothing() -> None:
    def register(emitter: Emitter[int]) -> Callable[[], None]:
        emitter.on_error(ValueError("producer"))

        def unregister() -> None:
            raise OSError("unregister")

        return unregister

    with pytest.raises(ValueError, match="producer") as caught:
        run(rxml.from_callback(register, capacity=1).to_list())
    assert "unregister" in str(caught.value.__notes__)


def test_each_run_registers_anew() -> None:
    producer = Producer()

    def register(emitter: Emitter[int]) -> Callable[[], None]:
        emitter.on_next(producer.registered)
        return producer.register(emitter)

    flow = rxml.from_callback(register, capacity=1).pipe(ops.take(1))
    assert [run(flow.to_list()), run(flow.to_list())] == [[0], [1]]
    assert producer.unregistered == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "capacity of at least 1"),
        ({"capacity": 0}, "capacity of at least 1"),
        ({"capacity": 2, "overflow": "latest"}, "one element waits"),
        ({"capacity": 2, "overflow": "oldest"}, "wants one of 'error', .*'block'"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LOOSE_RXML.from_callback(lambda emitter: None, **arguments)


def test_what_registers_is_a_function() -> None:
    with pytest.raises(PipelineError, match="takes an Emitter"):
        LOOSE_RXML.from_callback(3, capacity=1)
