"""Inbox: where handlers of requests leave elements for the run that asks for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from rxml.errors import AlreadyRunningError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.kinds import body_source, label
from rxml.http.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


class DesertedError(Exception):
    """Nothing reads here, and nothing will: the background flow that did has failed."""


class Inbox(Generic[T]):
    """Hands elements from many handlers, in the order in which they came for them, to one run.

    Args:
        path: names it.
        capacity: elements that may wait before anybody asks for them; 0: only what was asked for is taken.

    Attributes:
        path: as given.
    """

    def __init__(self, path: str, capacity: int) -> None:
        self.path = path
        self._capacity = capacity
        self._outlet: Outlet[T] | None = None
        self._arrived = asyncio.Event()
        self._turn = asyncio.Lock()
        self._pace = Pace()
        self._waiting = 0
        self._read = self._deserted = False

    def begin(self) -> None:
        """Before a server begins: its loop may be another one than that of the last."""
        self._arrived = asyncio.Event()
        self._turn = asyncio.Lock()
        self._read = self._deserted = False

    def desert(self) -> str | None:
        """A background flow has failed: if it was read here, tell those who wait. Returns what to log."""
        if self.reading or not self._read or self._deserted:
            return None
        self._deserted = True
        self._arrived.set()
        return f"ingest {self.path} has no reader any more"

    @property
    def reading(self) -> bool:
        """True if a run reads here."""
        return self._outlet is not None and not self._outlet.channel.closed

    def flow(self) -> Flowable[T]:
        """What is left here, for one run at a time."""
        name = label("ingest", self.path)
        return body_source(name, self._body, capacity=max(1, self._capacity), rate=True)

    async def _body(self, _inlets: tuple[Subscription[T], ...], outlet: Outlet[T]) -> None:
        if self.reading:
            raise AlreadyRunningError(
                f"ingest({self.path}) feeds a run already, and each element can go to one only; "
                "put ops.share() behind it and use the shared flow in both places"
            )
        self._outlet = outlet
        self._read, self._deserted = True, False
        self._arrived.set()
        finished = asyncio.Event()
        delist = outlet.env.enlist(finished.set, endless=True)
        try:
            await finished.wait()
        finally:
            delist()
            if self._outlet is outlet:
                self._outlet = None

    async def ready(self, seconds: float | None) -> int:
        """Wait until elements are wanted, without handing any over; returns how many.

        Raises:
            TimeoutError: `seconds` have passed.
            DesertedError: nothing will ever ask.
        """
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds), self._turn:
                _, room = await self._room()
                return room
        finally:
            self._waiting -= 1

    async def offer(self, elements: Sequence[T], seconds: float | None) -> int:
        """Hand elements over in order as they are wanted; returns how many were, all of them without a time limit.

        Args:
            elements: what is handed over.
            seconds: how long each wait for demand may take.

        Raises:
            DesertedError: nothing will ever ask.
        """
        done = 0
        self._waiting += 1
        try:
            while done < len(elements):
                done += await self._hand(elements[done : done + CHUNK], seconds)
        except TimeoutError:
            return done
        finally:
            self._waiting -= 1
        return done

    async def _hand(self, elements: Sequence[T], seconds: float | None) -> int:
        async with asyncio.timeout(seconds), self._turn:
            outlet, room = await self._room()
            batch = list(elements[:room])
            outlet.channel.put(Chunk(batch))
        self._pace.record(len(batch), asyncio.get_running_loop().time())
        return len(batch)

    async def _room(self) -> tuple[Outlet[T], int]:
        while True:
            outlet = self._outlet
            if outlet is None or outlet.channel.closed:
                if self._deserted:
                    raise DesertedError(f"nothing reads {self.path} any more")
                self._arrived.clear()
                await self._arrived.wait()
                continue
            room = await (outlet.room() if self._capacity else outlet.wanted())
            if not outlet.channel.closed:
                return outlet, room

    def retry_after(self, count: int, most: int) -> int:
        """Seconds after which `count` elements will probably be taken, 1 to `most`; from the pace so far."""
        now = asyncio.get_running_loop().time()
        return self._pace.wait(self._waiting + count, now, most)
