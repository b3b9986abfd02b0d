"""Mailbox: elements for children that may fail; the one that a child has failed at is given again, or dead-lettered."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rxml.errors import StreamClosedError
from rxml.flow.check import require_callable, require_count
from rxml.flow.context import BESIDE, Context, Outcome
from rxml.flow.supervising.turns import Turns
from rxml.flow.supervision import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

A = TypeVar("A")


class _Letter(Generic[A]):
    __slots__ = ("context", "element", "failures")

    def __init__(self, element: A, context: Context | None) -> None:
        self.element = element
        self.context = context
        self.failures = 0


class Mailbox(Generic[A]):
    """Hands elements to a function in a supervised child, and knows what became of each.

    `Supervised(partial(mailbox.feed, write))` is a child that writes. An element for which `write` raises takes the
    child down with it; it is the first that the next one gets, until it has failed `attempts` times: then it is a dead
    letter. One that a child held when it was stopped for another's failure is given again, and that counts for nothing.
    So `write` may see an element more than once. Each element ends as exactly one of answered, dead-lettered and dropped.

    Args:
        capacity: elements that wait, >= 1; `put` waits for room.
        attempts: with each element, >= 1.
        dead_letters: takes those that have failed so often.
        name: of the mailbox, as dead letters show it.

    Attributes:
        answered: elements that the function has taken.
        dead_lettered: elements that it has failed at for good.
        dropped: elements that were left when the mailbox was cleared.

    Raises:
        ValueError: a number below 1.
    """

    def __init__(
        self,
        capacity: int = 1024,
        *,
        attempts: int = 5,
        dead_letters: Callable[[DeadLetter], object] | None = None,
        name: str = "mailbox",
    ) -> None:
        self._capacity = require_count("Mailbox(capacity)", capacity, 1)
        self._attempts = require_count("Mailbox(attempts)", attempts, 1)
        if dead_letters is not None:
            require_callable("Mailbox(dead_letters)", dead_letters, "takes a DeadLetter")
        self._dead_letters = dead_letters
        self._name = name
        self._letters: deque[_Letter[A]] = deque()
        self._held = 0
        self._senders = Turns()
        self._takers = Turns()
        self._ends: set[asyncio.Future[None]] = set()
        self._closed = False
        self.answered: int = 0
        self.dead_lettered: int = 0
        self.dropped: int = 0

    def __len__(self) -> int:
        """Elements that have not ended: waiting, or held by a child."""
        return len(self._letters) + self._held

    async def put(self, element: A, context: Context | None = None) -> None:
        """Have an element wait, once there is room.

        Args:
            element: for the function.
            context: what travels beside it, and is told how it ends; None: nothing.

        Raises:
            StreamClosedError: the mailbox is closed.
        """
        if not self._closed and (self._room() < 1 or len(self._senders)):
            try:
                await self._senders.turn()
            except BaseException:
                self._news()
                raise
        if self._closed:
            raise StreamClosedError(f"{self._name} is closed: nothing more is taken")
        self._letters.append(_Letter(element, context))
        self._news()

    def close(self) -> None:
        """Take no more: `feed` returns when nothing is left."""
        self._closed = True
        self._news()

    def clear(self) -> None:
        """What waits ends as dropped."""
        letters, self._letters = self._letters, deque()
        self.dropped += len(letters)
        self._news()
        for letter in letters:
            _settle(letter, Outcome.DROPPED)

    async def drained(self) -> None:
        """Wait until everything that was put has ended."""
        while len(self):
            end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._ends.add(end)
            try:
                await end
            finally:
                self._ends.discard(end)

    async def feed(self, function: Callable[[A], Awaitable[Any]]) -> None:
        """Hand element after element to a coroutine function; several may feed at once.

        Returns when the mailbox is closed and nothing waits.

        Raises:
            Exception: what the function raised; the element is given to whoever feeds next.
        """
        while (letter := await self._next()) is not None:
            try:
                BESIDE.set(letter.context)
                await function(letter.element)
            except Exception as error:
                self._failed(letter, error)
                raise
            except BaseException:
                self._give_back(letter)
                raise
            self._held -= 1
            self.answered += 1
            self._news()
            _settle(letter, Outcome.ANSWERED)

    async def _next(self) -> _Letter[A] | None:
        while not self._letters:
            if self._closed:
                return None
            try:
                await self._takers.turn()
            except BaseException:
                self._news()
                raise
        self._held += 1
        letter = self._letters.popleft()
        self._news()
        return letter

    def _failed(self, letter: _Letter[A], error: Exception) -> None:
        letter.failures += 1
        if letter.failures < self._attempts:
            return self._give_back(letter)
        self._held -= 1
        self.dead_lettered += 1
        self._news()
        try:
            if self._dead_letters is not None:
                self._dead_letters(DeadLetter(letter.element, error, self._name, letter.context))
        finally:
            _settle(letter, Outcome.DEAD_LETTERED)
        return None

    def _give_back(self, letter: _Letter[A]) -> None:
        self._held -= 1
        self._letters.appendleft(letter)
        self._news()

    def _room(self) -> int:
        return self._capacity - len(self._letters) - self._senders.given

    def _news(self) -> None:
        """Something has come or gone: wake those for whom there is something, and nobody else."""
        while len(self._senders) and (self._closed or self._room() > 0):
            self._senders.give()
        while len(self._takers) and (self._closed or len(self._letters) > self._takers.given):
            self._takers.give()
        if not len(self):
            for end in self._ends:
                if not end.done():
                    end.set_result(None)


def _settle(letter: _Letter[Any], outcome: Outcome) -> None:
    if letter.context is not None:
        letter.context.settled(outcome)
