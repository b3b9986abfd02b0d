"""Operators written by hand that break laws about errors, cancellation and what travels beside elements."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from contextlib import suppress
from typing import Any

from typing_extensions import override

from rxml.flow.chunk import END, UNBOUNDED, Chunk
from rxml.flow.context import Context
from rxml.flow.dropping import dropped
from tests.unit.testing.broken.stages import Passing


class Swallows(Passing):
    """L31: an error of its source is an end."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except Exception:  # noqa: BLE001 - which is what is wrong
            return END


class Wraps(Passing):
    """L31: an error of its source is another error."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except Exception as error:
            raise RuntimeError("upstream failed") from error


class Overtakes(Passing):
    """L31: reads ahead, so that an error comes before the element in front of it."""

    ready: Chunk[Any] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.ready is None:
            self.ready = await self.head.request(1)
        if self.ready.end:
            return END
        following = await self.head.request(1)
        while not following.end and not len(following):
            following = await self.head.request(1)
        chunk, self.ready = self.ready, following
        return chunk


class SwallowsCancellation(Passing):
    """L32: a cancelled request is the end."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except asyncio.CancelledError:
            return END


class OpensTwice(Passing):
    """L36: opens its source a second time and leaves it open."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.opened is None:
            second = self.env.open(self.node.sources[0])
            with suppress(Exception):
                await second.request(1)
        return await self.head.request(n)


class LeaksATask(Passing):
    """L37: starts a task and lets it be."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        self.task = asyncio.create_task(asyncio.sleep(10))
        return await self.head.request(n)


class LeaksATimer(Passing):
    """L37: sets a timer and lets it be."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        asyncio.get_running_loop().call_later(10, int)
        return await self.head.request(n)


class GivesUpASocket(Passing):
    """L37: leaves it to the collector to close a socket."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        socket.socket()
        return await self.head.request(n)


class KeepsADescriptor(Passing):
    """L37: never closes what it has opened."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        LEFT.append(os.dup(0))
        return await self.head.request(n)


class LeavesAThread(Passing):
    """L37: starts a thread that nobody ends."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        ends = threading.Event()
        threading.Thread(target=ends.wait, daemon=True).start()
        WAITING.append(ends)
        return await self.head.request(n)


LEFT: list[int] = []
WAITING: list[threading.Event] = []


def tidied_up() -> None:
    """Close what the broken operators have left."""
    while LEFT:
        os.close(LEFT.pop())
    while WAITING:
        WAITING.pop().set()


class ReleasesLast(Passing):
    """L36: closes what it has opened when everybody else has closed."""

    @override
    async def release(self) -> None:
        if self.opened is not None:
            self.env.at_end(self.opened.cancel)


class Halves(Passing):
    """L46: every other element is lost, and counted nowhere."""

    count = 0

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while not (chunk := await self.head.request(n)).end:
            kept = [x for at, x in enumerate(chunk.elements, self.count) if at % 2]
            self.count += len(chunk)
            if kept or chunk.signalled:
                return Chunk(kept, **chunk.signals())
        return chunk


KEPT: list[Any] = []


class LeaksMemory(Passing):
    """L37: is kept by somebody."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        KEPT[:] = [*KEPT[-50:], self]
        return await self.head.request(n)


class LosesOnCancel(Passing):
    """L38: has an element in hand while it waits for something else."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        await asyncio.sleep(0)
        return chunk


class ReleasesSlowly(Passing):
    """L38: its release can be interrupted half-way."""

    @override
    async def release(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await super().release()


class TakesOneMore(Passing):
    """L39: ends after two elements, but looks at a third."""

    left = 2

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while not self.left:
            if len(third := await self.head.request(1)) or third.end:
                return END
        chunk = await self.head.request(min(n, self.left))
        self.left -= len(chunk.elements)
        return chunk


class TriesAgain(Passing):
    """L40: a cancellation is a reason to open its source anew."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except asyncio.CancelledError:
            await self.head.cancel()
            self.opened = None
            with suppress(TimeoutError):
                await asyncio.wait_for(self.head.request(n), 0.1)
            raise


class DropsSignals(Passing):
    """L52: watermarks and barriers end here."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while True:
            chunk = await self.head.request(n)
            if chunk.end or len(chunk.elements):
                return chunk if chunk.end else Chunk(chunk.elements, chunk.contexts)
            if self.env.clock.held:
                await self.env.clock.breathe()


class ShiftsContexts(Passing):
    """L61: each element gets its neighbour's context."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        contexts = chunk.contexts
        if not contexts:
            return chunk
        return Chunk(chunk.elements, [*contexts[1:], contexts[0]], **chunk.signals())


class ChangesContexts(Passing):
    """L61: writes into a list that is not its own."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.contexts:
            chunk.contexts[0] = Context(fact_id=chunk.contexts[0].fact_id, priority=1)
        return chunk


class TellsNobody(Passing):
    """L66: what it has asked for is lost when nobody wants it any more, and nobody is told."""

    ahead: Chunk[Any] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.ahead is None:
            self.ahead = await self.head.request(n)
            await asyncio.sleep(0.5)
        chunk, self.ahead = self.ahead, None
        return chunk


class TellsTwice(Passing):
    """L66: says of elements that they were dropped, and hands them on."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        dropped(chunk)
        return chunk


class Hoards(Passing):
    """L45: holds more than it declares."""

    held: list[Any]

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.opened is None:
            self.held = []
            self.meter.gauge = lambda: (len(self.held), None)
        while not (chunk := await self.head.request(UNBOUNDED)).end:
            self.held += chunk.elements
        if not self.held:
            return END
        out, self.held = self.held[:n], self.held[n:]
        return Chunk(out)
