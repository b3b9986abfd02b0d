"""Latest: stages that combine the newest elements of several inputs."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.combining.fan_in_stage import FanInStage
from rxml.flow.context import Context, drop
from rxml.flow.context_joining import joined
from rxml.flow.dropping import dropped

if TYPE_CHECKING:
    from rxml.flow.combining.fan_in import Inlet
    from rxml.flow.node import Env, Node

_NONE: Final[Any] = object()


class LatestStage(FanInStage):
    """Keeps the newest element of each input; subclasses say when a tuple of them is made.

    Inputs are asked while the reader waits, each for its share of the demand. An element that comes to no tuple ends as
    dropped.

    Attributes:
        values: the newest elements, by the position of their input.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.values: list[Any] = [_NONE] * len(node.sources)
        self._out: list[Any] = []
        self._contexts: list[Context | None] = []

    @override
    def ask(self, n: int) -> None:
        share = self.share(n)
        for inlet in self.idle():
            self.fan.ask(inlet, share)

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        contexts: list[Any] = chunk.contexts or [None] * len(chunk.elements)
        for index, (element, context) in enumerate(zip(chunk.elements, contexts, strict=True)):
            self.step(inlet.tag, element, context)
            if self.over:
                self.meter.dropped += dropped(chunk.part(index + 1, len(chunk.elements)))
                break
        self.flush()

    @override
    def snapshot(self) -> Any:
        held = [[] if value is _NONE else [value] for value in self.values]
        return [super().snapshot(), held]

    @override
    def restore(self, state: Any) -> None:
        kept, held = state
        super().restore(kept)
        self.values = [value[0] if value else _NONE for value in held]

    @abstractmethod
    def step(self, position: int, element: Any, context: Context | None) -> None:
        """Take one element; it comes to a tuple, or is dropped, or is held for a tuple."""

    def emit(self, values: tuple[Any, ...], context: Context | None) -> None:
        """Make a tuple."""
        self._out.append(values)
        self._contexts.append(context)

    def flush(self) -> None:
        """Hand on the tuples made so far."""
        known = any(context is not None for context in self._contexts)
        contexts = [context or Context() for context in self._contexts] if known else None
        self.ready.put(Chunk(self._out, contexts))
        self._out, self._contexts = [], []

    def complete(self) -> bool:
        """True if each input has given an element."""
        return not any(value is _NONE for value in self.values)

    def empty(self, inlet: Inlet) -> bool:
        """True if the input has not given an element."""
        return self.values[inlet.tag] is _NONE


class CombineLatestStage(LatestStage):
    """A tuple for each element, once every input has given one; its context is that of the element."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._hopeless = False

    @override
    def step(self, position: int, element: Any, context: Context | None) -> None:
        self.values[position] = element
        if self.complete():
            self.emit(tuple(self.values), context)
        else:
            drop([context])

    @override
    def ended(self, inlet: Inlet) -> None:
        super().ended(inlet)
        self._hopeless = self._hopeless or self.empty(inlet)

    @override
    async def settle(self) -> None:
        self.over: bool = self.over or self._hopeless
        await super().settle()


class WithLatestFromStage(LatestStage):
    """A tuple for each element of the first input, once every other input has given one.

    The others are asked first, so that what is there already is joined to what comes at the same moment. Signals are
    those of the first input.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.values[0] = None

    @override
    def open(self) -> None:
        super().open()
        for inlet in self.fan.inlets[1:]:
            self.signals.leave(inlet)

    @override
    def ask(self, n: int) -> None:
        for inlet in sorted(self.idle(), key=lambda inlet: inlet.tag == 0):
            self.fan.ask(inlet, min(n, CHUNK))

    @override
    def step(self, position: int, element: Any, context: Context | None) -> None:
        if position == 0 and self.complete():
            self.emit((element, *self.values[1:]), context)
            return
        drop([context])
        if position:
            self.values[position] = element

    @override
    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if inlet.tag == 0:
            super().noted(inlet, chunk)

    @override
    def ended(self, inlet: Inlet) -> None:
        self.over: bool = inlet.tag == 0


class HoldingStage(LatestStage):
    """Holds the newest element of each input until there is a tuple of them; one that is replaced before is dropped."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._beside: list[Context | None] = [None] * len(node.sources)

    @override
    def step(self, position: int, element: Any, context: Context | None) -> None:
        drop([self._beside[position]])
        self.values[position] = element
        self._beside[position] = context

    def emit_held(self) -> None:
        """Make a tuple of what is held, with the contexts of its parts, joined."""
        values, beside = self._taken()
        parts = [each for each in beside if each is not None]
        self.emit(tuple(values), joined(parts) if parts else None)

    def _taken(self) -> tuple[list[Any], list[Context | None]]:
        values, beside = self.values, self._beside
        self.values: list[Any] = [_NONE] * len(values)
        self._beside = [None] * len(values)
        return values, beside

    @override
    def let_go(self) -> None:
        super().let_go()
        values, beside = self._taken()
        self.meter.dropped += sum(value is not _NONE for value in values)
        drop(beside)


class ZipLatestStage(HoldingStage):
    """A tuple of the newest elements once every input has given one since the last tuple."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._done = False

    @override
    def step(self, position: int, element: Any, context: Context | None) -> None:
        super().step(position, element, context)
        if self.complete():
            self.emit_held()
            self.over = self._done

    @override
    def ended(self, inlet: Inlet) -> None:
        self._done = True
        self.over: bool = self.empty(inlet)


class ForkJoinStage(HoldingStage):
    """One tuple, of the last elements of all inputs; nothing as soon as one of them ends without an element."""

    @override
    def ask(self, n: int) -> None:
        for inlet in self.idle():
            self.fan.ask(inlet, CHUNK)

    @override
    def ended(self, inlet: Inlet) -> None:
        self.over: bool = self.empty(inlet) or not self.fan.inlets
        if self.over and self.complete():
            self.emit_held()
            self.flush()
