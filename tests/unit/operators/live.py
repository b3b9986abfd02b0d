"""Live sources for tests: elements at given moments, whatever anyone asks, in several forms."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import hypothesis.strategies as st

import rxml
from rxml import Chunk, Flowable
from rxml import operators as ops
from rxml.flow.kinds import body_source, stage
from rxml.flow.workers.prefetch import PrefetchStage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hypothesis.strategies import SearchStrategy

    from rxml.flow.body import Outlet

LOOSE_RXML: Final[Any] = rxml
LOOSE_OPS: Final[Any] = ops
"""The package without its types, for tests that pass what these forbid."""

Moments: TypeAlias = list[tuple[float, Any]]
"""Elements with the seconds at which they come, in order."""


def live(moments: Moments, end: float | None, *, chunked: bool = False) -> Flowable[Any]:
    """The elements at their moments; those of one moment are one chunk, or one chunk each."""

    async def body(_: Any, outlet: Outlet[Any]) -> None:
        for moment, group in groupby(moments, key=lambda each: each[0]):
            await outlet.clock.sleep_until(moment)
            elements = [element for _, element in group]
            for chunk in [elements] if chunked else [[element] for element in elements]:
                outlet.channel.put(Chunk(chunk))
        await outlet.clock.sleep_until(1e9 if end is None else end)

    return body_source("live", body, capacity=len(moments) + 1)


def iterated(moments: Moments, end: float | None) -> Flowable[Any]:
    """The same from an async iterable, which gives one element a turn."""

    async def generate() -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        for moment, element in moments:
            await asyncio.sleep(max(0.0, moment - loop.time()))
            yield element
        await asyncio.sleep((1e9 if end is None else end) - loop.time())

    return rxml.from_async_iterable(generate)


def prefetched(moments: Moments, end: float | None) -> Flowable[Any]:
    """The same behind a stage that takes elements ahead."""
    return live(moments, end).pipe(stage("prefetch", PrefetchStage, capacity=16))


FORMS: Final[dict[str, Callable[[Moments, float | None], Flowable[Any]]]] = {
    "one chunk an element": live,
    "one chunk a moment": lambda moments, end: live(moments, end, chunked=True),
    "iterated": iterated,
    "prefetched": prefetched,
}


def moments(*, most: int = 8, step: float = 1.0) -> SearchStrategy[Moments]:
    """Up to `most` elements 0, 1, … at multiples of `step`, several at one moment among them."""
    gaps = st.lists(st.integers(0, 4), max_size=most)

    def timed(drawn: list[int]) -> Moments:
        total, made = 0, []
        for number, gap in enumerate(drawn):
            total += gap
            made.append((total * step, number))
        return made

    return gaps.map(timed)


async def record(
    flow: Flowable[Any], *, n: int = 1, pause: float = 0.0, most: int = 10_000
) -> Moments:
    """What comes out, with the moments at which it does, for a sink that waits `pause` seconds after each chunk.

    The end stands in it as "end", an error as itself.
    """
    clock = asyncio.get_running_loop().time
    out: Moments = []
    async with flow.open() as subscription:
        try:
            while len(out) < most:
                chunk = await subscription.request(n)
                if chunk.end:
                    return [*out, (clock(), "end")]
                out.extend((clock(), element) for element in chunk.elements)
                if pause:
                    await asyncio.sleep(pause)
        except Exception as error:  # noqa: BLE001 - recorded
            out.append((clock(), error))
    return out
