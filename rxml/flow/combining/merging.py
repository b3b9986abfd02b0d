"""Merging: the elements of several inputs as they come, in their own order each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import END, Chunk
from rxml.flow.combining.fan_in_stage import FanInStage
from rxml.flow.rising import Rising
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.combining.fan_in import Inlet
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class MergeStage(FanInStage):
    """Asks each input for its share of the demand, so that inputs which are always ready take turns."""

    @override
    def open(self) -> None:
        super().open()
        self.over: bool = not self.fan.inlets

    @override
    def ask(self, n: int) -> None:
        share = self.share(n)
        for inlet in self.idle():
            self.fan.ask(inlet, share)

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        self.ready.put(Chunk(chunk.elements, chunk.contexts))


class ConcatStage(Stage[Any]):
    """One input after the other; each is opened when the one before has ended.

    A later input may begin before the time that an earlier one has reached: its watermarks pass once they are higher.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._next = 0
        self._head: Subscription[Any] | None = None
        self._rising = Rising()
        self._barrier: int | None = None

    @override
    def snapshot(self) -> Any:
        """The time reached; which input is read follows from which have ended."""
        return self._rising.snapshot()

    @override
    def restore(self, state: Any) -> None:
        self._rising.restore(state)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while True:
            if self._head is None:
                if self._next == len(self.node.sources):
                    return END
                self._head = self.env.open(self.node.sources[self._next])
                self._next += 1
            chunk = await self._head.request(n)
            if chunk.end:
                self._head = None
            elif (passed := self._passed(chunk)) is not None:
                return passed

    def _passed(self, chunk: Chunk[Any]) -> Chunk[Any] | None:
        """The chunk with what is new of its signals; None if nothing else was in it.

        A barrier that one input has let pass before it ended may come from the next one again.
        """
        if chunk.barrier is not None and chunk.barrier == self._barrier:
            chunk = Chunk(
                chunk.elements, chunk.contexts, watermark=chunk.watermark, idle=chunk.idle
            )
            if not len(chunk.elements) and not chunk.signalled:
                return None
        self._barrier = self._barrier if chunk.barrier is None else chunk.barrier
        return self._rising.passed(chunk)

    @override
    async def release(self) -> None:
        if self._head is not None:
            await self.release_all(self._head.cancel)


class AmbStage(FanInStage):
    """The input that answers first, whatever it answers; the others are cancelled before that is passed on.

    A signal is no answer: those of the input that wins are passed on in front of its first element.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._winner: Inlet | None = None
        self._early: dict[Inlet, dict[str, Any]] = {}

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._winner is not None and self.fan.inlets == [self._winner] and not self.ready:
            return await self._winner.subscription.request(n)
        return await super().pull(n)

    @override
    def ask(self, n: int) -> None:
        for inlet in self.idle():
            self.fan.ask(inlet, 1)

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if len(chunk.elements):
            self._choose(inlet)
            self.ready.put(chunk)
        else:
            self._early.setdefault(inlet, {}).update(chunk.signals())

    @override
    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        """Signals are kept apart, input by input."""

    @override
    def ended(self, inlet: Inlet) -> None:
        self._choose(inlet)
        self.over = True

    @override
    def failed(self, inlet: Inlet, error: Exception) -> None:
        self._choose(inlet)
        super().failed(inlet, error)

    def _choose(self, inlet: Inlet) -> None:
        if self._winner is None:
            self._winner = inlet
            self.fan.clear()
            self.ready.put(Chunk((), **self._early.get(inlet, {})))

    @override
    async def settle(self) -> None:
        losers = [each for each in self.fan.inlets if each is not self._winner]
        if self._winner is not None and losers:
            await self.release_all(*[partial(self.fan.drop, loser) for loser in losers])
        await super().settle()
