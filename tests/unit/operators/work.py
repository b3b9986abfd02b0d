"""Work for tests: a coroutine function that notes what it was at, and ways to run a flow."""

from __future__ import annotations

import asyncio
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from rxml.testing import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rxml import Flowable


class Work:
    """A coroutine function that takes so many seconds for an element, and notes what it was at."""

    def __init__(self, seconds: Callable[[Any], float], *, fails: tuple[Any, ...] = ()) -> None:
        self.seconds = seconds
        self.fails = fails
        self.running: list[Any] = []
        self.most = 0
        self.begun: list[Any] = []
        self.cancelled: list[Any] = []
        self.tasks: set[str] = set()

    async def __call__(self, x: Any) -> Any:
        task = asyncio.current_task()
        self.tasks.add("" if task is None else task.get_name())
        self.begun.append(x)
        self.running.append(x)
        self.most = max(self.most, len(self.running))
        try:
            await asyncio.sleep(self.seconds(x))
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled.append(x)
            raise
        finally:
            self.running.remove(x)
        if x in self.fails:
            raise ValueError(x)
        return x


async def moments(flow: Flowable[Any]) -> list[tuple[float, Any]]:
    """The elements with the seconds at which they came."""
    loop = asyncio.get_running_loop()
    return [(loop.time(), x) async for x in flow]


def outcome(flow: Flowable[Any], seed: int | None = None) -> tuple[list[Any], Exception | None]:
    """What came, and what it failed with."""
    got: list[Any] = []

    async def main() -> None:
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(2)).end:
                got.extend(chunk.elements)

    try:
        run(main(), seed=seed)
    except Exception as error:  # noqa: BLE001 - returned
        return got, error
    return got, None


async def impatient(flow: Flowable[Any], waits: Iterable[float]) -> list[Any]:
    """All elements, by requests for two that are given up after so many seconds each, and are patient at last."""
    got: list[Any] = []
    async with flow.open() as subscription:
        for seconds in chain(waits, repeat(1000.0, 1000)):
            request = asyncio.ensure_future(subscription.request(2))
            await asyncio.wait([request], timeout=seconds)
            request.cancel()
            await asyncio.wait([request])
            if request.cancelled():
                continue
            if request.result().end:
                break
            got.extend(request.result().elements)
    return got
