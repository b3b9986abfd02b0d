"""Asked: those who ask a service, and the stage by which what they ask comes in."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.flow.chunk import END, Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.node import Cardinality, MarkSpec
from rxml.flow.stage import Stage
from rxml.flow.supervision import Directive, Supervisor

if TYPE_CHECKING:
    from collections import deque

    from rxml.flow.node import Env, Node
    from rxml.flow.supervision import DeadLetter

B = TypeVar("B")


class Desk(Protocol):
    """Where one asks."""

    def explained(self, outcome: Outcome, within: float | None) -> Exception:
        """Why an element that ended so, and was wanted within so many seconds, has no answer."""
        ...

    def left(self, waiter: Ticket[Any]) -> None:
        """The element of this one is on its way no more."""
        ...


class Ticket(Generic[B]):  # not an ABC, whose instances take half a microsecond to be told
    """One who asked. It travels as `Context.settle`, so that whatever becomes of the element is told here.

    Args:
        desk: where it asked.
        within: seconds in which an answer is wanted; None: whenever.

    Attributes:
        within: as given.
        tick: takes its deadline back.
    """

    __slots__ = ("_desk", "tick", "within")

    def __init__(self, desk: Desk, within: float | None) -> None:
        self._desk = desk
        self.within: float | None = within
        self.tick: int = 0

    @property
    @abstractmethod
    def gone(self) -> bool:
        """Whether nobody waits any more: it has been told already, or has left."""

    @abstractmethod
    def told(self, result: B) -> None:
        """It has an answer, and is not gone."""

    @abstractmethod
    def refused(self, error: Exception) -> None:
        """It has none, and is not gone; this is why."""

    def answer(self, result: B) -> None:
        """It has an answer; the element is on its way no more."""
        if not self.gone:
            self.told(result)
        self._desk.left(self)

    def refuse(self, error: Exception) -> None:
        """It has none, and this is why; the element may still be on its way."""
        if not self.gone:
            self.refused(error)

    def __call__(self, outcome: Outcome) -> None:
        """Told how the element ended (see `Context.settle`)."""
        if outcome is not Outcome.ANSWERED and not self.gone:
            self.refused(self._desk.explained(outcome, self.within))
        self._desk.left(self)


class Waiter(Ticket[B]):
    """One who awaits a future.

    Attributes:
        future: the answer.
    """

    __slots__ = ("future",)

    def __init__(self, desk: Desk, future: asyncio.Future[B], within: float | None) -> None:
        super().__init__(desk, within)
        self.future: asyncio.Future[B] = future

    @property
    @override
    def gone(self) -> bool:
        return self.future.done()

    @override
    def told(self, result: B) -> None:
        self.future.set_result(result)

    @override
    def refused(self, error: Exception) -> None:
        self.future.set_exception(error)


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


def deliver(chunk: Chunk[Any]) -> None:
    """Give each who asked the answer.

    Raises:
        PipelineError: nobody knows whose they are.
    """
    if chunk.contexts is None:
        raise PipelineError("a stage of the service has lost the contexts of its elements")
    for element, context in zip(chunk.elements, chunk.contexts, strict=True):
        ticket = cast("Ticket[Any] | None", context.settle)
        if isinstance(ticket, Ticket):
            ticket.answer(element)
        else:
            context.settled(Outcome.ANSWERED)


def refuse(letter: DeadLetter) -> None:
    """Tell who asked for what could not be processed why."""
    ticket = None if letter.context is None else letter.context.settle
    if isinstance(ticket, Ticket):
        ticket.refuse(letter.error)


def _resume(_: Exception) -> Directive:
    return Directive.RESUME


RESUMING: Final = Supervisor(_resume, refuse, answering=True)
"""An element that fails fails alone, and who asked is told."""


def require_one_each(flow: Node, asked: Node) -> None:
    """Refuse a pipeline that would lose or multiply answers. What comes from beside, such as labels, may come as it likes.

    Args:
        flow: the pipeline.
        asked: where what is asked enters it.

    Raises:
        PipelineError: a stage gives more or fewer results than elements; names it.
    """
    fed: set[int] = set()
    for node in flow.walk():
        spec = node.spec
        if spec is not asked.spec and fed.isdisjoint(map(id, node.sources)):
            continue
        fed.add(id(node))
        if spec.cardinality not in (Cardinality.ONE, Cardinality.SOURCE) and not isinstance(
            spec, MarkSpec
        ):
            raise PipelineError(
                f"{spec.name} gives {spec.cardinality.value} results for an element: "
                "whoever asks gets one answer, so that each stage must give one"
            )
