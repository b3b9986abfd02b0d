"""Asked: those who ask a service, and the stage by which what they ask comes in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from typing_extensions import override

from rxml.flow.chunk import END, Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections import deque

    from rxml.flow.node import Env, Node

B = TypeVar("B")


class Desk(Protocol):
    """Where one asks."""

    def explained(self, outcome: Outcome) -> Exception:
        """Why an element that ended so has no answer."""
        ...

    def left(self, waiter: Waiter[Any]) -> None:
        """The element of this one is on its way no more."""
        ...


class Waiter(Generic[B]):
    """One who asked. It travels as `Context.settle`, so that whatever becomes of the element is told here.

    Attributes:
        future: the answer.
        within: seconds in which it is wanted; None: whenever.
        tick: takes its deadline back.
    """

    __slots__ = ("_desk", "future", "tick", "within")

    def __init__(self, desk: Desk, future: asyncio.Future[B], within: float | None) -> None:
        self._desk = desk
        self.future: asyncio.Future[B] = future
        self.within: float | None = within
        self.tick: int = 0

    @property
    def gone(self) -> bool:
        """Whether nobody waits any more: it has been told already, or was cancelled."""
        return self.future.done()

    def answer(self, result: B) -> None:
        """It has an answer; the element is on its way no more."""
        if not self.future.done():
            self.future.set_result(result)
        self._desk.left(self)

    def refuse(self, error: Exception) -> None:
        """It has none, and this is why; the element may still be on its way."""
        if not self.future.done():
            self.future.set_exception(error)

    def __call__(self, outcome: Outcome) -> None:
        """Told how the element ended (see `Context.settle`)."""
        if outcome is not Outcome.ANSWERED and not self.future.done():
            self.refuse(self._desk.explained(outcome))
        self._desk.left(self)


class Inbox(Stage[Any]):
    """What is asked, as it comes."""

    def __init__(self, env: Env, node: Node, pending: deque[tuple[Any, Context]]) -> None:
        super().__init__(env, node)
        self._pending = pending
        self._bell: asyncio.Future[None] | None = None
        self._over = False
        self._delist = env.enlist(self._finish, endless=True)
        self.meter.gauge = lambda: (len(pending), None)

    def ring(self) -> None:
        """Something has come."""
        bell, self._bell = self._bell, None
        if bell is not None and not bell.done():
            bell.set_result(None)

    def _finish(self) -> None:
        self._over = True
        self.ring()

    @override
    def now(self, n: int) -> Chunk[Any] | None:
        pending = self._pending
        if not pending:
            return None
        asked = [pending.popleft() for _ in range(min(n, len(pending)))]
        return Chunk([element for element, _ in asked], [context for _, context in asked])

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while not self._over:
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell
            chunk = self.now(n)
            if chunk is not None:
                return chunk
        return END

    @override
    async def release(self) -> None:
        self._delist()
