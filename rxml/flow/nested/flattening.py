"""Flattening: the elements of many streams, one for each element, as one stream."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.clock import FIRST, Quota
from rxml.flow.combining.fan_in_stage import FanInStage
from rxml.flow.context import drop
from rxml.flow.dropping import dropped
from rxml.flow.nested.inner import opened, plain
from rxml.flow.nested.origin import Origin
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.flow.combining.fan_in import Inlet
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node


class FlatteningStage(FanInStage):
    """An outer stream, and inner ones that a function gives for its elements.

    Errors of the function and of inner streams are the supervisor's: if it has the element left out, the results that
    came before stay.
    """

    def __init__(self, env: Env, node: Node, mapper: Callable[[Any], Any]) -> None:
        super().__init__(env, node)
        self.mapper = mapper
        self.outer_ended: bool = False
        self._under_way: dict[Origin, None] = {}

    @override
    def open(self) -> None:
        self.fan.add(self.env.open(self.node.sources[0]))

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if inlet.tag is None:
            self.arrived(chunk)
        else:
            self.ready.put(inlet.tag.chunk(chunk.elements, chunk.contexts))

    def arrived(self, chunk: Chunk[Any]) -> None:
        """Take elements of the outer stream."""
        raise NotImplementedError

    @override
    def ended(self, inlet: Inlet) -> None:
        if inlet.tag is None:
            self.outer_ended = True
        else:
            self.done(inlet.tag)

    @override
    def failed(self, inlet: Inlet, error: Exception) -> None:
        if inlet.tag is None:
            super().failed(inlet, error)
        else:
            self.blame(inlet.tag, error)
            self.done(inlet.tag)

    def origin(self, element: Any, context: Context | None) -> Origin:
        """An element that something is to come of; `done` tells when that is over."""
        origin = Origin(element, context)
        if origin.known:
            self._under_way[origin] = None
        return origin

    def done(self, origin: Origin) -> None:
        """An inner stream is over, or never began."""
        self._under_way.pop(origin, None)
        origin.close()

    @override
    def let_go(self) -> None:
        super().let_go()
        for origin in self._under_way:
            origin.close()

    def blame(self, origin: Origin, error: Exception) -> None:
        """Ask the supervisor what an error does."""
        raised = verdict(self.env, self.node, error, origin.element, origin.copy())
        if raised is not None:
            self.error: Exception | None = raised
            self.fan.clear()


class FlatMapStage(FlatteningStage):
    """Keeps up to `concurrency` inner streams open. Those that need no waiting are read here, by turns; the others are
    asked side by side.
    """

    def __init__(
        self, env: Env, node: Node, mapper: Callable[[Any], Any], concurrency: int
    ) -> None:
        super().__init__(env, node, mapper)
        self._concurrency = concurrency
        self._open = 0
        self._outer: Inlet | None = None
        self._plain: deque[Origin] = deque()
        self._quota = Quota(CHUNK)
        self._begins = Quota(CHUNK, FIRST)

    @override
    def open(self) -> None:
        super().open()
        self._outer = self.fan.inlets[0]
        self.signals.enter(self._outer)

    @override
    def ask(self, n: int) -> None:
        free = self._concurrency - self._open
        share = self.share(n)
        for inlet in self.idle():
            if inlet.tag is not None:
                self.fan.ask(inlet, share)
            elif free > 0:
                self.fan.ask(inlet, self._begins.of(min(free, n)))

    @override
    def arrived(self, chunk: Chunk[Any]) -> None:
        clock = self.env.clock
        began = clock.busy()
        contexts: list[Any] = chunk.contexts or [None] * len(chunk.elements)
        for element, context in zip(chunk.elements, contexts, strict=True):
            if self.error is None:
                self._begin(self.origin(element, context))
            else:
                drop([context])
                self.meter.dropped += 1
        self._begins.record(len(chunk.elements), clock.busy() - began)

    def _begin(self, origin: Origin) -> None:
        self._open += 1
        self.signals.enter(origin, self.signals.mark(self._outer))
        try:
            value = self.mapper(origin.element)
            iterable = plain(value)
            if iterable is None:
                self.fan.add(opened(self.env, self.node, value), origin)
            else:
                origin.iterator = iter(iterable)
                self._plain.append(origin)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self.blame(origin, error)
            self.done(origin)

    @override
    def done(self, origin: Origin) -> None:
        super().done(origin)
        self._open -= 1
        self.signals.leave(origin)

    @override
    def due(self) -> dict[str, Any]:
        self.over: bool = self.outer_ended and not self._open
        return super().due()

    @override
    def key(self, inlet: Inlet) -> Hashable:
        return inlet if inlet.tag is None else inlet.tag

    @override
    async def work(self, n: int) -> None:
        if not self._plain:
            return
        self.ask(n)
        clock = self.env.clock
        began = clock.busy()
        wanted = self._quota.of(n)
        made = self._read(self._plain.popleft(), wanted)
        while made < wanted and self._plain:
            made += self._read(self._plain.popleft(), wanted - made)
        spent = clock.busy() - began
        self.meter.busy += spent
        self._quota.record(made, spent)
        self.ready.put(Chunk((), **self.due()))
        if any(inlet.asked for inlet in self.fan.inlets):
            await clock.breathe()

    def _read(self, origin: Origin, n: int) -> int:
        """Append up to n results of an inner stream to `ready`, and queue it again if there may be more."""
        out: list[Any] = []
        over = True
        try:
            out.extend(islice(origin.iterator or (), n))
            over = len(out) < n
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self.ready.put(origin.chunk(out, None))
            self.blame(origin, error)
        else:
            self.ready.put(origin.chunk(out, None, last=over))
        if over:
            self.done(origin)
        else:
            self._plain.append(origin)
        return len(out)

    @override
    def blame(self, origin: Origin, error: Exception) -> None:
        super().blame(origin, error)
        if self.error is not None:
            self._shut()

    def _shut(self) -> None:
        """Close the iterators that are open, generators among them."""
        origins, self._plain = self._plain, deque()
        for origin in origins:
            close = getattr(origin.iterator, "close", None)
            if close is not None:
                close()

    @override
    async def release(self) -> None:
        await self.release_all(super().release, self._shut_quietly)

    async def _shut_quietly(self) -> None:
        self._shut()


class SwitchMapStage(FlatteningStage):
    """Keeps one inner stream, that of the newest element; the one before is closed before the next begins.

    The outer stream is asked first, so that of elements that are there at the same moment only the last is begun. What
    an inner stream gave before the next element came is still delivered. Signals pass as they come.
    """

    def __init__(self, env: Env, node: Node, mapper: Callable[[Any], Any]) -> None:
        super().__init__(env, node, mapper)
        self._next: Origin | None = None
        self._inner: Inlet | None = None

    @override
    def ask(self, n: int) -> None:
        for inlet in sorted(self.idle(), key=lambda inlet: inlet.tag is not None):
            self.fan.ask(inlet, 1 if inlet.tag is None else min(n, CHUNK))

    @override
    def arrived(self, chunk: Chunk[Any]) -> None:
        for index, element in enumerate(chunk.elements):
            if self._next is not None:
                self.done(self._next)
            context = None if chunk.contexts is None else chunk.contexts[index]
            self._next = self.origin(element, context)
        self.ready.put(Chunk((), **chunk.signals()))

    @override
    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        """Signals of inner streams mean nothing outside; those of the outer one have passed."""

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if inlet.tag is None or self._next is None:
            super().took(inlet, chunk)
        else:
            self.meter.dropped += dropped(chunk)

    @override
    def done(self, origin: Origin) -> None:
        super().done(origin)
        if self._inner is not None and self._inner.tag is origin:
            self._inner = None

    @override
    async def settle(self) -> None:
        while self._next is not None and self.error is None:
            if self._inner is not None:
                await self.fan.drop(self._inner)
                self.done(self._inner.tag)
            origin, self._next = self._next, None
            self._begin(origin)
        self.over: bool = self.outer_ended and self._inner is None
        await super().settle()

    def _begin(self, origin: Origin) -> None:
        try:
            subscription = opened(self.env, self.node, self.mapper(origin.element))
            self._inner = self.fan.add(subscription, origin)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self.blame(origin, error)
            self.done(origin)
