"""FanInStage: what all stages with several inputs do alike."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.buffers.ready import Ready
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.combining.align import Alignment
from rxml.flow.combining.fan_in import FanIn, Inlet
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Hashable

    from rxml.flow.node import Env, Node


class FanInStage(Stage[Any]):
    """Asks its inputs side by side while its reader waits, and folds what they answer, in the order of arrival.

    Subclasses write `ask` and `took`, and `ended` and `settle` where they need them. All of it runs in the reader's
    task. What was folded before an error is delivered before it.

    Attributes:
        fan: the inputs; tags are their positions.
        ready: what is at hand for the reader.
        signals: the watermarks and barriers of the inputs, as one.
        over: set to end the stream once `ready` is empty.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.fan: FanIn = FanIn(node.spec.name, self.meter)
        self.ready: Ready = Ready()
        self.signals: Alignment = Alignment()
        self.over: bool = False
        self.error: Exception | None = None
        self._opened = False
        self._kept: Any = None
        self.meter.gauge = self.ready.gauge

    def open(self) -> None:
        """Open the inputs; runs at the first request."""
        for position, source in enumerate(self.node.sources):
            self.signals.enter(self.fan.add(self.env.open(source), position))
        if self._kept is not None:
            self.signals.restore(self._kept, {inlet.tag: inlet for inlet in self.fan.inlets})

    @override
    def snapshot(self) -> Any:
        """How far each input has come; subclasses that hold more add it."""
        return self.signals.snapshot({inlet: inlet.tag for inlet in self.fan.inlets})

    @override
    def restore(self, state: Any) -> None:
        self._kept = state

    @abstractmethod
    def ask(self, n: int) -> None:
        """Ask idle inputs, so that up to n results may come."""

    @abstractmethod
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        """Fold a chunk: append what comes of it to `ready`."""

    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        """Take note of the signals of a chunk that was folded."""
        if chunk.signalled:
            self.signals.note(self.key(inlet), chunk.signals())

    def key(self, inlet: Inlet) -> Hashable:
        """Under what name the input stands in `signals`."""
        return inlet

    def due(self) -> dict[str, Any]:
        """The signals that stand behind what is at hand, each once; none behind an error."""
        return self.signals.due() if self.error is None else {}

    def ended(self, inlet: Inlet) -> None:
        """An input has ended; by default the stream ends with the last."""
        del inlet
        self.over = not self.fan.inlets

    def failed(self, inlet: Inlet, error: Exception) -> None:
        """An input has failed; by default the stream fails with the first that does."""
        del inlet
        self.error = self.error or error
        self.fan.clear()

    async def settle(self) -> None:
        """Close what is not needed any more, before anything is returned; what is at hand is safe in `ready`."""
        if (self.over or self.error is not None) and self.fan.inlets:
            await self.release_all(*self.fan.finalizers())
            self.fan.inlets.clear()

    async def work(self, n: int) -> None:
        """Make up to n results that need no waiting; they go to `ready`."""

    def idle(self) -> list[Inlet]:
        """The inputs that may be asked now."""
        waiting, key = self.signals.waiting, self.key
        inlets = [each for each in self.fan.inlets if each.live and not each.asked]
        return [each for each in inlets if key(each) not in waiting] if waiting else inlets

    def share(self, n: int) -> int:
        """What to ask of each input so that together they give about n, and never more than `CHUNK` or one each."""
        return max(1, min(n, CHUNK) // max(1, len(self.fan.inlets)))

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if not self._opened:
            self._opened = True
            self.open()
        clock = self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            self._fold()
            await self.settle()
            if not self.ready:
                await self.work(n)
            if self.ready:
                return self.ready.take(n)
            if self.error is not None:
                raise self.error
            if self.over:
                return END
            self.ask(n)
            await self.fan.wait()

    def _fold(self) -> None:
        answers = self.fan.answers
        while answers and not self.over:
            inlet, chunk, error = answers.popleft()
            if error is not None:
                self.fan.forget(inlet)
                self.failed(inlet, error)
            elif chunk is None or chunk.end:
                self.fan.forget(inlet)
                self.signals.leave(inlet)
                self.ended(inlet)
            else:
                self.took(inlet, chunk)
                self.noted(inlet, chunk)
            self.ready.put(Chunk((), **self.due()))

    def let_go(self) -> None:
        """What the stage still holds ends as dropped, and is counted; called once, before the inputs are closed."""
        self.meter.dropped += self.ready.clear()

    @override
    async def release(self) -> None:
        await self.release_all(self._let_go, *self.fan.finalizers())

    async def _let_go(self) -> None:
        self.let_go()
