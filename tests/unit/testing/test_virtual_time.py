"""Virtual time: exact clocks, deadlocks, leaks, runaway loops, and the synchronous driver."""

from __future__ import annotations

import asyncio
import itertools
import math
import socket
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import reactivex
from hypothesis import given, settings
from hypothesis import strategies as st
from reactivex import operators as rx
from reactivex.scheduler.eventloop import AsyncIOScheduler
from typing_extensions import override

from rxml.testing import (
    Driver,
    VirtualLoop,
    advance,
    run,
    settle,
)
from rxml.virtual import loop as virtual_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from rxml.virtual.selecting import Events


def now() -> float:
    return asyncio.get_running_loop().time()


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def test_a_day_passes_at_once_and_exactly() -> None:
    async def main() -> float:
        await asyncio.sleep(86_400)
        return now()

    began = time.perf_counter()
    assert run(main()) == 86_400
    assert time.perf_counter() - began < 0.5


def test_ten_sleeps_of_a_tenth_end_at_the_float_sum() -> None:
    async def main() -> float:
        for _ in range(10):
            await asyncio.sleep(0.1)
        return now()

    assert run(main()) == sum(itertools.repeat(0.1, 10)) != 1.0


@given(st.lists(st.floats(0, 1e9), max_size=20), st.floats(0, 1e12))
@settings(max_examples=50, deadline=None)
def test_timers_are_never_early_and_never_late(delays: list[float], start: float) -> None:
    loop = VirtualLoop(start_seconds=start)
    seen: list[tuple[float, float]] = []
    for delay in delays:
        loop.call_at(start + delay, lambda due: seen.append((due, loop.time())), start + delay)
    with Driver(loop) as driver:
        driver.run(asyncio.sleep(2e9))
    assert seen == sorted((start + delay, start + delay) for delay in delays)


def test_a_clock_far_from_zero_still_reaches_its_timers() -> None:
    # At 1e17 the spacing of floats is 16 s: adding a resolution of 1e-9 would change nothing.
    with Driver(VirtualLoop(start_seconds=1e17)) as driver:
        driver.run(asyncio.sleep(16))
        assert driver.time == 1e17 + 16


def test_timers_of_one_moment_run_in_the_order_they_were_set() -> None:
    async def main() -> list[int]:
        order: list[int] = []

        async def one(i: int) -> None:
            await asyncio.sleep(1)
            order.append(i)

        async with asyncio.TaskGroup() as group:
            for i in range(50):
                group.create_task(one(i))
        return order

    assert run(main()) == list(range(50))


def test_cancelled_timers_are_not_waited_for() -> None:
    async def main() -> float:
        async with asyncio.timeout(3600):
            await asyncio.sleep(1)
        for _ in range(1000):
            asyncio.get_running_loop().call_later(1e6, print).cancel()
        await asyncio.sleep(1)
        return now()

    assert run(main()) == 2


def test_cancelled_timers_are_swept_from_the_heap() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        first = loop.call_later(1, print)
        for _ in range(10_000):
            loop.call_later(2, print).cancel()
        await asyncio.sleep(0)
        first.cancel()
        return len(vars(loop)["_scheduled"])

    assert run(main()) < 200


def test_timeout_wait_for_and_task_group_follow_virtual_time() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(forever(), 5)
        assert now() == 5
        with pytest.raises(TimeoutError):
            await both(asyncio.sleep(1), asyncio.sleep(100), limit=7)
        assert now() == 12
        with pytest.raises(ExceptionGroup) as caught:
            await both(asyncio.sleep(100), fail(), limit=100)
        assert [str(error) for error in caught.value.exceptions] == ["bug"]
        assert now() == 13

    async def both(
        one: Coroutine[Any, Any, None], two: Coroutine[Any, Any, None], *, limit: float
    ) -> None:
        async with asyncio.timeout(limit), asyncio.TaskGroup() as group:
            group.create_task(one)
            group.create_task(two)

    async def fail() -> None:
        await asyncio.sleep(1)
        raise RuntimeError("bug")

    run(main())


class LoopScheduler(AsyncIOScheduler):
    """reactivex compares its own `now`, the wall clock, with what falls due: not in virtual time."""

    @property
    @override
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._loop.time(), tz=UTC)


async def arrivals(flow: reactivex.Observable[int], scheduler: AsyncIOScheduler) -> list[float]:
    seen: list[float] = []
    done = asyncio.Event()
    flow.subscribe(lambda _: seen.append(now()), on_completed=done.set, scheduler=scheduler)
    await done.wait()
    return seen


def test_relative_times_of_reactivex_follow_virtual_time() -> None:
    async def main() -> list[float]:
        scheduler = AsyncIOScheduler(asyncio.get_running_loop())
        return await arrivals(reactivex.interval(60.0).pipe(rx.take(3)), scheduler)

    # An interval of reactivex is shortened by the wall time that its observer took.
    assert run(main()) == pytest.approx([60.0, 120.0, 180.0], abs=0.1)


def test_absolute_times_of_reactivex_follow_virtual_time_where_its_now_does() -> None:
    async def main() -> list[float]:
        scheduler = LoopScheduler(asyncio.get_running_loop())
        flow = reactivex.interval(60.0).pipe(rx.delay(30.0), rx.take(3))
        return await arrivals(flow, scheduler)

    assert run(main()) == [90.0, 150.0, 210.0]


def test_a_timer_at_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        run(asyncio.sleep(math.nan))


class IdleLoop(VirtualLoop):
    """Says when it has nothing ready and is about to wait or to jump."""

    def __init__(self) -> None:
        self.idle = threading.Event()
        super().__init__()

    @override
    def poll(self, timeout: float | None, wait: Callable[[float], Events]) -> Events:
        if timeout is None or timeout > 0:
            self.idle.set()
        return super().poll(timeout, wait)


def test_the_clock_stands_while_a_thread_works() -> None:
    loop = IdleLoop()

    async def main() -> tuple[bool, float]:
        timer = loop.call_later(1, print)
        answer = await loop.run_in_executor(None, loop.idle.wait, 5)
        timer.cancel()
        return answer, now()

    with Driver(loop) as driver:
        assert driver.run(main()) == (True, 0.0)


@pytest.mark.parametrize("pause", [60.0, math.inf])
def test_a_socket_is_given_time_before_the_clock_jumps(
    pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_loop, "GRACE_SECONDS", 5.0 if math.isfinite(pause) else 0.0)
    loop = IdleLoop()
    ours, theirs = socket.socketpair()

    def send() -> None:
        assert loop.idle.wait(5)
        theirs.send(b"x")

    async def main() -> tuple[bytes, float]:
        timer = loop.call_later(pause, print)
        answer = await loop.sock_recv(ours, 1)
        timer.cancel()
        return answer, now()

    ours.setblocking(False)
    thread = threading.Thread(target=send)
    thread.start()
    with ours, theirs, Driver(loop) as driver:
        assert driver.run(main()) == (b"x", 0.0)
    thread.join()


def test_waiting_for_a_thread_is_no_deadlock_and_its_error_arrives() -> None:
    def fail() -> None:
        raise OSError("disk")

    async def main() -> None:
        for _ in range(200):
            assert await asyncio.to_thread(int, "7") == 7
        with pytest.raises(OSError, match="disk"):
            await asyncio.to_thread(fail)

    run(main())


def test_announced_work_of_a_foreign_thread_is_waited_for() -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        arrived: list[int] = []
        done = asyncio.Event()

        def produce() -> None:
            for i in range(100):
                loop.call_soon_threadsafe(arrived.append, i)
            loop.call_soon_threadsafe(done.set)

        with loop.external_work():
            threads.append(threading.Thread(target=produce))
            threads[0].start()
            await done.wait()
        return arrived

    threads: list[threading.Thread] = []
    assert run(main()) == list(range(100))
    threads[0].join()


def test_sockets_are_waited_for_and_time_goes_on_beside_them() -> None:
    async def main() -> tuple[bytes, float]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = await reader.readline()
            await asyncio.sleep(30)
            writer.write(line.upper())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"hello\n")
            reply = await reader.read()
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0)
        return reply, now()

    assert run(main(), seed=3) == (b"HELLO\n", 30.0)


def test_settle_does_not_move_the_clock_and_advance_moves_it_exactly() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen: list[tuple[str, float]] = []
        for delay in (0, 1, 2, 3):
            loop.call_later(delay, lambda due: seen.append((f"due {due}", now())), delay)
        await settle()
        assert seen == [("due 0", 0)]
        await advance(2)
        assert now() == 2
        assert seen == [("due 0", 0), ("due 1", 1), ("due 2", 2)]
        await advance(0.5)
        assert (now(), len(seen)) == (2.5, 3)
        with pytest.raises(ValueError, match="-1"):
            await advance(-1)

    run(main())


def test_advance_runs_what_follows_from_what_falls_due_at_its_last_moment() -> None:
    async def main() -> None:
        steps: list[int] = []

        async def follow() -> None:
            await asyncio.sleep(2)
            for i in range(5):
                await asyncio.sleep(0)
                steps.append(i)

        async with asyncio.TaskGroup() as group:
            group.create_task(follow())
            await advance(2)
            assert steps == [0, 1, 2, 3, 4]

    run(main())


def test_settle_waits_for_threads() -> None:
    async def main() -> None:
        results: list[int] = []
        future = asyncio.get_running_loop().run_in_executor(None, int, "7")
        future.add_done_callback(lambda done: results.append(done.result()))
        await settle()
        assert results == [7]

    run(main())


def test_settle_on_another_loop_says_what_it_needs() -> None:
    with pytest.raises(RuntimeError, match="VirtualLoop"):
        asyncio.run(settle())


def test_the_busy_clock_repeats_itself() -> None:
    loops = [VirtualLoop(), VirtualLoop()]
    readings = [[loop.cpu_time() for _ in range(500)] for loop in loops]
    assert readings[0] == readings[1]
    assert readings[0][-1] == pytest.approx(5e-3)
    assert all(a < b for a, b in itertools.pairwise(readings[0]))
    for loop in loops:
        loop.close()


def test_arguments_are_checked_when_a_loop_is_built() -> None:
    with pytest.raises(ValueError, match="both seed and schedule"):
        VirtualLoop(seed=1, schedule=lambda _: 0)
    with pytest.raises(ValueError, match="limit_seconds"):
        VirtualLoop(limit_seconds=0)
    with pytest.raises(ValueError, match="start_seconds"):
        VirtualLoop(start_seconds=math.inf)
