"""Recording: one run of a flow for all who read it, and the last of its elements for those who come back."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rxml.flow.buffers.weigh import weigh
from rxml.flow.chunk import CHUNK
from rxml.flow.run import Run
from rxml.http.credit import Portion
from rxml.http.logs import about_nobody
from rxml.http.replay import Replay, Stand, stand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.flowable import Flowable
    from rxml.http.protocol import Resume

logger: Final = logging.getLogger("rxml.http")

_PARTS: Final = 8
"""What is asked for at a time is at most such a part of what is kept, since it is let go at a time."""


@dataclass(frozen=True, slots=True)
class Span:
    """Elements that follow one another.

    Attributes:
        first: offset of the first.
        elements: one or more.
        weight: bytes of memory.
    """

    first: int
    elements: Sequence[Any]
    weight: int = 0


class Recording:
    """Runs a flow once, from the first reader's first demand on, as long as the app is served.

    The fastest of the readers drives it: an element is asked for when somebody wants it who has all before it. Without
    readers nothing is asked for. Whoever is further behind than what is kept has a gap.

    Args:
        flow: what is read.
        replay: what is kept.

    Attributes:
        flow: as given.
        epoch: that offsets count in.
        following: offset of the next element that is made.
    """

    def __init__(self, flow: Flowable[Any], replay: Replay) -> None:
        self.flow: Flowable[Any] = flow
        self._replay = replay
        self.begin()

    def begin(self) -> None:
        """Before a server begins: nothing is kept of the last time."""
        self.epoch: str = self._replay.epoch or secrets.token_hex(8)
        self.following: int = 0
        self._parts: deque[Span] = deque()
        self._weight = 0
        self._portion = Portion(max(1, self._replay.max_bytes // _PARTS))
        self._run: Run[Any] | None = None
        self._over = False
        self._error: Exception | None = None
        self._turn = asyncio.Lock()

    async def end(self) -> None:
        """When the server has ended: end the run, and keep nothing."""
        self._over = True
        run, self._run = self._run, None
        self._parts.clear()
        if run is not None:
            await run.aclose()
            for error in run.errors:
                logger.error("a finalizer of a stream has failed", exc_info=error)

    def finish(self) -> None:
        """The server is about to end: let sources end; what is on its way still comes through."""
        if self._run is None:
            self._over = True
        else:
            self._run.finish()

    @property
    def first(self) -> int:
        """Offset of the oldest element that is there."""
        if not self._parts:
            return self.following
        return max(self._parts[0].first, self.following - self._replay.elements)

    def stand(self, resume: Resume | None) -> Stand:
        """Where somebody goes on who comes now."""
        return stand(
            resume,
            epoch=self.epoch,
            first=self.first,
            following=self.following,
            ahead=self._replay.elements if self._replay.epoch else 0,
        )

    async def after(self, offset: int, n: int) -> Span | None:
        """Wait for elements from `offset` on.

        Args:
            offset: of the first that is wanted. If it is not there any more, the oldest that is comes instead.
            n: elements, at most, >= 1.

        Returns:
            None: the flow has ended.

        Raises:
            Exception: what the flow has failed with, behind its last element.
        """
        while True:
            if offset < self.following:
                return self._found(max(offset, self.first), n)
            if self._over:
                if self._error is not None:
                    raise self._error
                return None
            await self._more(offset, n)

    def _found(self, offset: int, n: int) -> Span:
        part = next(part for part in reversed(self._parts) if part.first <= offset)
        at = offset - part.first
        return Span(offset, part.elements[at : at + n])

    async def _more(self, offset: int, n: int) -> None:
        """Ask the flow, unless somebody else has meanwhile. One who leaves while asking has lost nothing."""
        async with self._turn:
            if offset < self.following or self._over:
                return
            if self._run is None:
                self._run = Run(self.flow)
            most = min(CHUNK, self._portion.most, max(1, self._replay.elements // _PARTS))
            try:
                with about_nobody():  # it is of all readers, whoever happens to drive it
                    chunk = await self._run.subscription.request(min(n, most))
            except Exception as error:  # noqa: BLE001 - raised to all readers
                self._over, self._error = True, error
                return
            self._over = chunk.end
            if len(chunk.elements):
                self._keep(chunk.elements)

    def _keep(self, elements: Sequence[Any]) -> None:
        count, weight = len(elements), weigh(elements)
        self._portion.record(count, weight)
        self._parts.append(Span(self.following, elements, weight))
        self.following += count
        self._weight += weight
        while len(self._parts) > 1 and self._too_much():
            self._weight -= self._parts.popleft().weight

    def _too_much(self) -> bool:
        oldest = self._parts[0]
        end = oldest.first + len(oldest.elements)
        return (
            self._weight > self._replay.max_bytes or end <= self.following - self._replay.elements
        )
