"""Futures where a flow is wanted: as in reactivex, at the same moments."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

import pytest
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxml.rx import from_future
from rxml.testing.virtual_time import run
from tests.unit.operators.live import record
from tests.unit.operators.loose import ops, reactivex, rx, rxml

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.operators.live import Moments

OPERATORS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "take_until": lambda m, source, future: source.pipe(m.take_until(future)),
    "skip_until": lambda m, source, future: source.pipe(m.skip_until(future)),
    "merge": lambda m, source, future: source.pipe(m.merge(future)),
    "amb": lambda m, source, future: source.pipe(m.amb(future)),
    "timeout": lambda m, source, future: source.pipe(m.timeout(0.5, future)),
    "flat_map": lambda m, source, future: source.pipe(m.flat_map(lambda _: future)),
}


async def answer(after: float, error: Exception | None) -> str:
    await asyncio.sleep(after)
    if error is not None:
        raise error
    return "future"


async def theirs(make: Callable[[Any, Any, Any], Any], future: Any) -> Moments:
    clock, out, over = asyncio.get_running_loop().time, [], asyncio.Event()
    scheduler = AsyncIOScheduler(asyncio.get_running_loop())

    def end(what: Any) -> None:
        out.append((clock(), what))
        over.set()

    source = reactivex.interval(1.0, scheduler=scheduler).pipe(rx.take(4))
    make(rx, source, future).subscribe(
        lambda x: out.append((clock(), x)), end, lambda: end("end"), scheduler=scheduler
    )
    await over.wait()
    return out


@pytest.mark.parametrize("after", [0.0, 2.5])
@pytest.mark.parametrize("error", [None, KeyError("lost")], ids=["result", "error"])
@pytest.mark.parametrize("name", OPERATORS)
def test_a_future_stands_for_a_flow(name: str, after: float, error: Exception | None) -> None:
    async def both() -> tuple[Moments, Moments]:
        future = asyncio.ensure_future(answer(after, error))
        flow = rxml.interval(1.0).pipe(ops.take(4))
        began = asyncio.get_running_loop().time()
        ours = await record(OPERATORS[name](ops, flow, future))
        later = asyncio.get_running_loop().time()
        other = asyncio.ensure_future(answer(after, error))
        said = await theirs(OPERATORS[name], other)
        return [(round(at - began, 2), x) for at, x in ours], [
            (round(at - later, 2), x) for at, x in said
        ]

    ours, said = run(both())
    assert ours == said


def test_zip_and_on_error_resume_next_take_one() -> None:
    async def main() -> list[Any]:
        future = asyncio.ensure_future(answer(1.0, None))
        zipped = await rxml.range(3).pipe(ops.zip(future)).to_list()
        failing = rxml.throw(KeyError("lost"))
        return [*zipped, *await failing.pipe(ops.on_error_resume_next(future)).to_list()]

    assert run(main()) == [(0, "future"), "future"]


def test_a_request_that_is_given_up_leaves_the_future_alone_and_the_end_cancels_it() -> None:
    async def main() -> bool:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        async with from_future(future).open() as subscription:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(subscription.request(1), 1)
            assert not future.cancelled()
        return future.cancelled()

    assert run(main())


def test_a_future_of_a_thread_can_be_read_again_and_again() -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        flow = from_future(pool.submit(lambda: 3))
        assert asyncio.run(flow.to_list()) == asyncio.run(flow.to_list()) == [3]


def test_a_future_that_somebody_has_cancelled_is_an_error_and_no_end() -> None:
    async def main() -> None:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.cancel()
        await rxml.of(1).pipe(ops.merge(future)).to_list()

    with pytest.raises(RuntimeError, match="cancelled"):
        run(main())
