"""Answers: the elements that come down one stream of `rxml.v1`, asked for as they are wanted here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rxml.batch import Batch
from rxml.errors import ProtocolError
from rxml.http.codec import items_of
from rxml.http.credit import Refill
from rxml.http.decode import ElementError
from rxml.http.protocol import (
    UPSTREAM,
    Complete,
    Error,
    Gap,
    Next,
    Position,
    RawNext,
    Reject,
    Request,
    Reset,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.body import Outlet
    from rxml.http.decode import Intake
    from rxml.http.peer import Peer
    from rxml.http.protocol import Frame

ID: Final = 1
"""Of the one stream that a client of ours opens on a connection."""
_OF_A_STREAM: Final = (Next, RawNext, Complete, Error, Reject, Position, Gap, Reset)
_HELD_BYTES: Final = 4 * 2**20


class Answers:
    """The receiving half on one connection.

    Args:
        url: for what is said of it.
        outlet: whose reader wants elements.
        intake: what they are made into; None: left as they come.

    Attributes:
        draining: the other end takes no more demand.
        came: elements so far.
    """

    def __init__(self, url: str, outlet: Outlet[Any], intake: Intake[Any] | None) -> None:
        self._url = url
        self._outlet = outlet
        self._intake = intake
        self._refill = Refill(_HELD_BYTES)
        self._changed = asyncio.Event()
        self.draining: bool = False
        self.came: int = 0

    async def ask(self, peer: Peer, opening: Callable[[int], Frame]) -> None:
        """Pass demand on, the first of it with the frame that `opening` makes of it."""
        begun = False
        while True:
            wanted = await self._outlet.wanted()
            self._changed.clear()
            n = 0 if self.draining else self._refill.ask(wanted)
            if n:
                await peer.say(Request(ID, n) if begun else opening(n))
                begun = True
            await self._changed.wait()

    def check(self, frame: Any) -> None:
        """Each frame is of the one stream there is, and elements come in order.

        Raises:
            ProtocolError: it is not so.
        """
        if isinstance(frame, Request) and frame.id == UPSTREAM:
            raise ProtocolError(f"{self._url} takes elements in; it is no stream")
        if isinstance(frame, _OF_A_STREAM) and frame.id != ID:
            raise ProtocolError(f"{self._url} sent a frame of stream {frame.id}, not {ID}")
        if isinstance(frame, Next | RawNext) and (frame.seq or 0) != self.came:
            raise ProtocolError(f"{self._url} sent seq {frame.seq}; {self.came} is the next")

    def elements(self, frame: Next | RawNext, size: int) -> Sequence[Any]:
        """Those of a frame, decoded; counted as come.

        Raises:
            ProtocolError: more than were asked for, or one that does not fit.
        """
        items = items_of(frame)
        self._refill.came(len(items), size)
        self.came += len(items)
        self._changed.set()
        return items if isinstance(items, Batch) else [self._element(item) for item in items]

    def _element(self, item: Any) -> Any:
        try:
            if self._intake is not None:
                return self._intake.value(item)
            return msgspec.json.decode(item) if isinstance(item, msgspec.Raw) else item
        except (ElementError, msgspec.MsgspecError, RecursionError) as error:
            raise ProtocolError(
                f"{self._url} sent an element that does not fit: {error}"
            ) from error
