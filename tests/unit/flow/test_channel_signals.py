"""Signals in a channel are bounded, too."""

from __future__ import annotations

import asyncio

from rxml.flow.buffers.channel import Channel
from rxml.flow.chunk import Chunk
from rxml.flow.clock import Clock
from rxml.testing.virtual_time import run


async def channel() -> Channel[int]:
    return Channel(Clock(asyncio.get_running_loop()), 8)


def test_watermarks_that_nobody_takes_become_one() -> None:
    async def main() -> None:
        held = await channel()
        held.put(Chunk([1]))
        for time in range(1000):
            held.put(Chunk((), watermark=time))
        held.put(Chunk([2]))
        first = await held.receive(9)
        second = await held.receive(9)
        assert (first.elements, first.watermark) == ([1], 999)
        assert (second.elements, second.watermark) == ([2], None)

    run(main())


def test_no_barrier_is_lost() -> None:
    async def main() -> None:
        held = await channel()
        held.put(Chunk((), barrier=1))
        held.put(Chunk((), watermark=5))
        held.put(Chunk((), barrier=2))
        taken = [await held.receive(9), await held.receive(9)]
        assert [(chunk.barrier, chunk.watermark) for chunk in taken] == [(1, 5), (2, None)]

    run(main())
