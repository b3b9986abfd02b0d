"""Streams of all kinds for each element, for tests of the operators that flatten."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.operators.loose import ops, reactivex, rxml

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

MAPS: dict[str, Callable[..., Any]] = {
    "flat_map": ops.flat_map,
    "concat_map": ops.concat_map,
    "switch_map": ops.switch_map,
}
EACH = pytest.mark.parametrize("name", MAPS)


class Inner:
    """Makes streams that say when they are open."""

    def __init__(self, seconds: float = 1.0, results: int = 2) -> None:
        self.seconds = seconds
        self.results = results
        self.open: list[Any] = []
        self.most = 0
        self.log: list[str] = []

    async def _read(self, x: Any) -> AsyncIterator[Any]:
        self.open.append(x)
        self.most = max(self.most, len(self.open))
        self.log.append(f"+{x}")
        try:
            for number in range(self.results):
                await asyncio.sleep(self.seconds)
                yield (x, number)
        finally:
            await asyncio.sleep(0)
            self.open.remove(x)
            self.log.append(f"-{x}")

    def __call__(self, x: Any) -> Any:
        return rxml.from_async_iterable(lambda: self._read(x))


async def soon(x: Any) -> list[Any]:
    await asyncio.sleep(0)
    return [x]


async def later(x: Any) -> AsyncIterator[Any]:
    await asyncio.sleep(0)
    yield [x]


def lazily(x: Any) -> Iterator[Any]:
    yield [x]


KINDS: dict[str, Callable[[Any], Any]] = {
    "flow": lambda x: rxml.of([x]),
    "observable": lambda x: reactivex.of([x]),
    "list": lambda x: [[x]],
    "generator": lazily,
    "async generator": later,
    "coroutine": soon,
    "task": lambda x: asyncio.get_running_loop().create_task(soon(x)),
    "thread's future": lambda x: done(x),  # noqa: PLW0108 - defined below
}


def done(x: Any) -> concurrent.futures.Future[Any]:
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()
    future.set_result([x])
    return future
