"""ConcatMapStage: the streams of the elements, one behind the other."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.buffers.ready import Ready
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import Quota
from rxml.flow.nested.inner import TaskStage, opened, plain
from rxml.flow.nested.origin import Origin
from rxml.flow.stage import Stage
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class ConcatMapStage(Stage[Any]):
    """Asks for an element when the stream of the one before has ended, and passes requests on to its stream."""

    def __init__(self, env: Env, node: Node, project: Callable[[Any], Any]) -> None:
        super().__init__(env, node)
        self._project = project
        self._head: Subscription[Any] | None = None
        self._inner: Subscription[Any] | None = None
        self._origin: Origin | None = None
        self._signals: dict[str, Any] = {}
        self._ready = Ready()
        self._error: Exception | None = None
        self._quota = Quota(CHUNK)
        self.meter.gauge = self._ready.gauge

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            if self._ready:
                return self._ready.take(n)
            if self._error is not None:
                raise self._error
            if self._origin is None:
                if not await self._begin():
                    return END
            elif self._inner is None:
                self._read(self._origin, n)
            else:
                await self._ask(self._origin, self._inner, n)

    async def _begin(self) -> bool:
        """Ask for an element and open its stream; False at the end."""
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        chunk = await self._head.request(1)
        if not len(chunk.elements):
            self._ready.put(chunk)
            return not chunk.end
        self._signals = chunk.signals()
        origin = Origin(chunk.elements[0], chunk.contexts[0] if chunk.contexts else None)
        self._origin = origin
        try:
            value = self._project(origin.element)
            iterable = plain(value)
            if iterable is None:
                self._inner = opened(self.env, self.node, value, TaskStage)
            else:
                origin.iterator = iter(iterable)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._blame(origin, error)
        return True

    def _read(self, origin: Origin, n: int) -> None:
        """Take results that need no waiting."""
        out: list[Any] = []
        clock = self.env.clock
        began, wanted = clock.busy(), self._quota.of(n)
        try:
            out.extend(islice(origin.iterator or (), wanted))
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._ready.put(origin.chunk(out, None))
            self._blame(origin, error)
            return
        spent = clock.busy() - began
        self.meter.busy += spent
        self._quota.record(len(out), spent)
        over = len(out) < wanted
        self._ready.put(origin.chunk(out, None, last=over))
        if over:
            self._done(origin)

    async def _ask(self, origin: Origin, inner: Subscription[Any], n: int) -> None:
        try:
            chunk = await inner.request(n)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._blame(origin, error)
            return
        if chunk.end:
            self._done(origin)
        else:
            self._ready.put(origin.chunk(chunk.elements, chunk.contexts))

    def _done(self, origin: Origin) -> None:
        """The stream of the element is over: the signals behind the element may pass."""
        origin.close()
        self._origin = self._inner = None
        if self._error is None:
            self._ready.put(Chunk((), **self._signals))
        self._signals = {}

    def _blame(self, origin: Origin, error: Exception) -> None:
        self._error = verdict(self.env, self.node, error, origin.element, origin.copy())
        self._done(origin)

    @override
    async def release(self) -> None:
        cancels = [each.cancel for each in (self._inner, self._head) if each is not None]
        await self.release_all(self._let_go, *cancels, self._close_iterator)

    async def _let_go(self) -> None:
        """What is at hand ends as dropped, and nothing more comes of the element."""
        self.meter.dropped += self._ready.clear()
        if self._origin is not None:
            self._origin.close()

    async def _close_iterator(self) -> None:
        close = getattr(self._origin and self._origin.iterator, "close", None)
        if close is not None:
            close()
