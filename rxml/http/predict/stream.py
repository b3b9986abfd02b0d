"""Stream: rows up and answers down on one stream of `rxml.v1`, through the service that all share."""

from __future__ import annotations

import asyncio
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from rxml.batch import Batch
from rxml.errors import ProtocolError
from rxml.http.codec import items_of
from rxml.http.credit import Credit
from rxml.http.predict.lineup import ROWS, Lineup
from rxml.http.predict.sending import Sending
from rxml.http.protocol import Complete, Error, Request
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.http.codec import Codec
    from rxml.http.link import Link
    from rxml.http.predict.wishes import Terms
    from rxml.http.protocol import Frame, Next, RawNext, Subscribe
    from rxml.http.serving import Serving

_MESSAGES: Final = 4
"""Messages of full size that rows on their way may take together."""

_FIRST: Final = 1024
"""Rows that are asked for before their size is known."""

_PORTION: Final = 1024
"""Rows whose answers are encoded at a time."""

_BUSY_MS: Final = 1000

_SIZE: Final = attrgetter("size")


class RowStream:
    """Asks for as many rows as answers are wanted and there is room for, and sends each answer in its place.

    A row that is not valid, comes too late or fails is rejected alone: it is the supervisor's at the other end.

    Args:
        frame: opens it.
        terms: how rows are answered.
        arrived: counts bytes that rows take until they are answered; negative ones have been.
        ends: the link to the client, the codec of its sub-protocol, and the limits.
    """

    def __init__(
        self,
        frame: Subscribe,
        terms: Terms,
        *,
        arrived: Callable[[int], None],
        ends: tuple[Link, Codec, Serving],
    ) -> None:
        self._id = frame.id
        self._deadline = None if frame.deadline_ms is None else frame.deadline_ms / 1000
        self._forms = terms.forms
        self._columns = terms.forms.columns
        self._arrived = arrived
        self._link, self._codec, self._serving = ends
        self._wanted = Credit()
        self._wanted.grant(frame.n)
        self._sending = Sending(frame.id, self._wanted, ends)
        self._under_way = Credit()
        self._mean = 0.0
        self._most = _MESSAGES * self._serving.limits.message_bytes
        self._rings = asyncio.Event()
        self._lineup = Lineup(terms.service, terms.wishes, self._rings.set)
        self._came = self._seq = 0
        self._held = 0
        self._completed = self._leaving = self._closed = False
        self._busy: Refusal | None = None

    def grant(self, n: int) -> None:
        """The client wants n answers more.

        Raises:
            ProtocolError: it may not.
        """
        self._wanted.grant(n)
        self._rings.set()

    def leave(self) -> None:
        """The server ends: no row is asked for any more, and those here are answered."""
        self._leaving = True
        self._rings.set()

    async def take(self, frame: Next | RawNext | Complete, size: int) -> None:
        """Rows, or their end, of a message of `size` bytes.

        Raises:
            ProtocolError: more than were asked for, out of their order, or behind their end.
        """
        if self._busy is not None or self._closed:
            return
        if self._completed:
            raise ProtocolError(f"stream {self._id} was completed by you")
        if isinstance(frame, Complete):
            self._completed = True
            self._rings.set()
            return
        if frame.seq is not None and frame.seq != self._came:
            raise ProtocolError(f"seq must be {self._came}, got {frame.seq}")
        items = items_of(frame)
        rows = len(items)
        self._under_way.spend(rows)
        mean = size / rows
        self._mean += 0.25 * (mean - self._mean) if self._mean else mean
        self._admit(items, rows, size)

    def _admit(self, items: Sequence[Any], rows: int, size: int) -> None:
        try:
            self._arrived(size)
        except Refusal as refusal:
            self._busy = refusal
            self._rings.set()
            return
        self._held += size
        at, self._came = self._came, self._came + rows
        if items.__class__ is not list and self._columns and isinstance(items, Batch):
            self._lineup.put(items, rows, size, at)
            return
        self._admit_rows(items, size // rows, at)

    def _admit_rows(self, rows: Sequence[Any], share: int, at: int) -> None:
        read: Callable[[Any], Any] = self._forms.line if self._codec.text else self._forms.value
        for number, item in enumerate(rows, at):
            try:
                self._lineup.put(read(item), 1, share, number)
            except Refusal as refusal:
                self._lineup.refuse(refusal, share, number)

    async def run(self) -> None:
        """Until the rows have ended and are answered; then say so."""
        try:
            await self._say(await self._result())
        except ConnectionError:
            return
        finally:
            self._lineup.close()
            self._closed = True
            self._let_go(self._held)

    async def _result(self) -> Complete | Error:
        limit = asyncio.timeout(self._deadline)
        try:
            async with limit:
                return await self._flowing()
        except TimeoutError:
            if limit.expired():
                return Error(self._id, "deadline", "the deadline has passed")
            raise

    async def _flowing(self) -> Complete | Error:
        while True:
            self._rings.clear()
            while slots := self._lineup.take(_PORTION):
                await self._sending.send(slots)
                self._let_go(sum(map(_SIZE, slots)))
                await self._serving.turns.pause()
            if self._busy is not None:
                return Error(self._id, "busy", self._busy.reason, _BUSY_MS)
            if not len(self._lineup):
                if self._completed:
                    return Complete(self._id)
                if self._leaving:
                    return Error(self._id, "drain", "the server is about to end")
            await self._ask()
            if not await self._rung():
                seconds = self._serving.limits.idle_seconds
                return Error(self._id, "idle", f"no demand for {seconds:g} seconds")

    async def _rung(self) -> bool:
        """Wait until there is something to do; False if no answer was wanted for too long."""
        if self._wanted.left or len(self._lineup) or self._rings.is_set():
            await self._rings.wait()
            return True
        try:
            async with asyncio.timeout(self._serving.limits.idle_seconds):
                await self._rings.wait()
        except TimeoutError:
            return False
        return True

    async def _ask(self) -> None:
        """Ask for rows, again when half of what there is room for is not under way: it comes before the rest is used up."""
        if self._completed or self._leaving:
            return
        fits = _FIRST if not self._mean else int(self._most / self._mean)
        room = min(self._wanted.left, ROWS, max(1, fits)) - self._lineup.rows
        left = self._under_way.left
        if room > left and left <= room // 2:
            self._under_way.grant(room - left)
            await self._say(Request(self._id, room - left))

    def _let_go(self, size: int) -> None:
        self._held -= size
        self._arrived(-size)

    async def _say(self, frame: Frame) -> None:
        await self._link.send(self._codec.encode(frame), text=self._codec.text)
