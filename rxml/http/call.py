"""Call: one run of an operator of another process, from this side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rxml.errors import ProtocolError, RemoteError
from rxml.http.answers import ID, Answers
from rxml.http.credit import Credit
from rxml.http.packing import OversizeError, Packing
from rxml.http.protocol import Complete, Drain, Error, Next, RawNext, Reject, Request, Subscribe
from rxml.http.race import race
from rxml.http.turns import Turns
from rxml.http.unanswered import Unanswered

if TYPE_CHECKING:
    from rxml.flow.body import Outlet
    from rxml.flow.chunk import Chunk
    from rxml.flow.subscription import Subscription
    from rxml.http.codec import Codec
    from rxml.http.dial import Dial
    from rxml.http.peer import Peer


class Call:
    """Sends what is asked for up, and takes results down.

    Args:
        dial: where to.
        peer: is connected.
        codec: of its sub-protocol.
        inlet: elements.
        outlet: for results.
        aligned: one result for each element.
    """

    def __init__(
        self,
        dial: Dial,
        peer: Peer,
        codec: Codec,
        inlet: Subscription[Any],
        outlet: Outlet[Any],
        *,
        aligned: bool,
    ) -> None:
        self._url = dial.url
        self._peer = peer
        self._inlet = inlet
        self._answers = Answers(dial.url, outlet, dial.intake)
        self._packing = Packing(ID, codec, peer.most)
        self._credit = Credit()
        self._room = asyncio.Event()
        self._unanswered = Unanswered(outlet, aligned=aligned)
        self._error: Exception | None = None
        self._whole = False
        self._turns = Turns()

    async def run(self) -> None:
        """Until the operator there has ended."""
        try:
            await race(self._take(), self._ask(), self._send())
        finally:
            self._unanswered.clear()
        if self._error is not None:
            raise self._error
        self._unanswered.require_none(self._url, whole=self._whole)

    async def _ask(self) -> None:
        await self._answers.ask(self._peer, lambda n: Subscribe(ID, n))

    async def _send(self) -> None:
        """Send elements as they are asked for; an error here comes behind the results of what came before it."""
        try:
            while await self._sent():
                pass
        except OversizeError as error:
            raise RemoteError("size", str(error)) from None
        self._whole = True
        await self._peer.say(Complete(ID))
        await asyncio.Event().wait()

    async def _sent(self) -> bool:
        while not (room := min(self._credit.left, self._unanswered.room)):
            self._room.clear()
            await self._room.wait()
        chunk = await self._next(min(room, self._packing.portion.most))
        if chunk is None or chunk.end:
            return False
        if len(chunk.elements):
            self._credit.spend(len(chunk.elements))
            self._unanswered.add(chunk)
            await self._packing.send(chunk.elements, self._peer.write)
        return True

    async def _next(self, n: int) -> Chunk[Any] | None:
        try:
            return await self._inlet.request(n)
        except Exception as error:  # noqa: BLE001 - raised in `run`
            self._error = error
            return None

    async def _take(self) -> None:
        """Take what comes, until the operator has ended."""
        while True:
            frame, size = await self._peer.receive()
            await self._turns.pause()
            self._answers.check(frame)
            if isinstance(frame, Complete):
                return
            self._heard(frame, size)
            self._room.set()

    def _heard(self, frame: Any, size: int) -> None:
        if isinstance(frame, Next | RawNext):
            self._unanswered.answered(self._answers.elements(frame, size), self._url)
        elif isinstance(frame, Request):
            self._credit.grant(frame.n)
        elif isinstance(frame, Reject):
            self._unanswered.rejected(frame.seq, RemoteError("reject", frame.message))
        elif isinstance(frame, Error):
            raise self._peer.failure(frame)
        elif isinstance(frame, Drain):
            self._answers.draining = True
        else:
            raise ProtocolError(f"{self._url} sent {frame!r}, which has no place here")
