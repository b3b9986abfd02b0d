"""Lineup: the elements of one client that a service works on, answered in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.errors import DeadlineError
from rxml.flow.asked import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.service import Service
    from rxml.http.predict.wishes import Wishes

ROWS: Final = 4096
"""Rows of one client that may be on their way, or answered and not sent."""

_SOON: Final = 0.05
"""Seconds of work that streams may have wait in a service: who asks once finds hardly any queue."""

_LIGHT: Final = 16
"""Rows of a batch that are encoded as quickly as one by itself."""

_SHARE: Final = 0.25
"""Of the time in which an answer is wanted, for the one element that a stream may have wait in any case."""


class Slot(Ticket[Any]):
    """One element of a lineup, and what came of it.

    Attributes:
        rows: that it has.
        size: bytes that it came in.
        mark: what its asker wants to remember.
        element: until it is asked.
        arrived: when it came, by the loop's clock.
        result: the answer, or the error that stands for it.
        done: there is a result.
    """

    __slots__ = ("arrived", "done", "element", "lineup", "mark", "result", "rows", "size")

    def __init__(self, lineup: Lineup, element: Any, rows: int, size: int, mark: Any) -> None:
        super().__init__(lineup.service, lineup.within)
        self.lineup: Lineup = lineup
        self.element: Any = element
        self.rows: int = rows
        self.size: int = size
        self.mark: Any = mark
        self.arrived: float = 0.0
        self.result: Any = None
        self.done: bool = False

    @property
    @override
    def gone(self) -> bool:
        return self.done or self.lineup.closed

    @override
    def told(self, result: Any) -> None:
        self.result = result
        self.done = True
        self.lineup.answered(self)

    @override
    def refused(self, error: Exception) -> None:
        self.told(error)


class Lineup:
    """Asks a service, as much as it has room for, and holds the answers until they are taken.

    A stream can wait, and who posts a row cannot: so its elements enter the service only while there is hardly any queue,
    one at a time if there is more of one. What could not enter within `within` seconds is refused.

    Args:
        service: works on elements.
        wishes: of the client, for each element.
        ring: called when the first of those held is answered.

    Attributes:
        service: as given.
        within: seconds in which an answer is wanted.
        rows: held.
        size: bytes that they came in.
        closed: nobody waits for any of them.
    """

    def __init__(
        self,
        service: Service[Any, Any],
        wishes: Wishes,
        ring: Callable[[], object],
    ) -> None:
        self.service: Service[Any, Any] = service
        self.within: float = wishes.within
        self.rows: int = 0
        self.size: int = 0
        self.closed: bool = False
        self._priority = wishes.priority
        self._trace = wishes.identity
        self._ring = ring
        self._slots: deque[Slot] = deque()
        self._queue: deque[Slot] = deque()
        self._running = 0
        self._admitting = False
        self._fewer: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, element: Any, rows: int, size: int, mark: Any = None) -> None:
        """Ask for an element, at once or when there is room.

        Args:
            element: what the operator takes.
            rows: that it has.
            size: bytes that it came in.
            mark: stays with the slot.
        """
        slot = self._held(element, rows, size, mark)
        if not self._queue:
            answer = self.service.prompt(element, self.within)
            if answer is not None:
                self._settle(slot, answer)
                return
            if self._admitted():
                self._enter(slot)
                return
        slot.arrived = asyncio.get_running_loop().time()
        self._queue.append(slot)
        self._wait()

    def refuse(self, error: Exception, size: int = 0, mark: Any = None) -> None:
        """In the place of an element that cannot be asked for."""
        slot = self._held(None, 0, size, mark)
        self._settle(slot, error)

    def _settle(self, slot: Slot, result: Any) -> None:
        """This one has its result, and was never on its way."""
        slot.element, slot.result, slot.done = None, result, True
        if self._slots[0] is slot:
            self._ring()

    def _held(self, element: Any, rows: int, size: int, mark: Any) -> Slot:
        slot = Slot(self, element, rows, size, mark)
        self._slots.append(slot)
        self.rows += rows
        self.size += size
        return slot

    def _admitted(self) -> bool:
        share = _SHARE * self.within
        return self.service.roomy(share if not self._running or share < _SOON else _SOON)

    def _enter(self, slot: Slot) -> None:
        element, slot.element = slot.element, None
        self._running += 1
        refusal = self.service.enter(element, slot, self._priority, self._trace)
        if refusal is not None:
            slot.told(refusal)

    def answered(self, slot: Slot) -> None:
        """This one is done."""
        self._running -= 1
        if self._queue and not self._admitting:
            self._admit()
        if self._slots and self._slots[0] is slot:
            self._ring()

    def _admit(self) -> None:
        self._admitting = True  # a service that refuses answers at once
        while self._queue and self._admitted():
            self._enter(self._queue.popleft())
        self._admitting = False
        self._wait()

    def _wait(self) -> None:
        """See to it that the queue moves: when the service has room, or the first has waited for too long."""
        if not self._queue:
            return
        if self._fewer is None or self._fewer.done():
            self._fewer = self.service.fewer()
            self._fewer.add_done_callback(self._moved)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._queue[0].arrived + self.within, self._late)

    def _moved(self, _: object) -> None:
        if not self.closed:
            self._admit()

    def _late(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._queue and self._queue[0].arrived + self.within <= now:
            self._running += 1
            self._queue.popleft().told(DeadlineError(f"there was no room within {self.within:g} s"))
        self._wait()

    @property
    def ready(self) -> bool:
        """Whether the first of those held is answered."""
        return bool(self._slots) and self._slots[0].done

    def take(self, most: int = ROWS) -> list[Slot]:
        """The first of those held that are answered, at least one if there is one; else about `most` rows by themselves.

        Rows of a batch count as fewer, since columns are quick to encode.
        """
        taken: list[Slot] = []
        slots = self._slots
        while slots and slots[0].done and most > 0:
            slot = slots.popleft()
            self.rows -= slot.rows
            self.size -= slot.size
            most -= 1 + slot.rows // _LIGHT
            taken.append(slot)
        return taken

    def close(self) -> None:
        """The client has left: what is not worked on yet will not be."""
        self.closed = True
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
