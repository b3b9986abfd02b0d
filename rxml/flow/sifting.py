"""SiftStage: judges each element on its own, in order; some pass, some leave the stream, one may have to wait."""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.dropping import dropped, in_hand
from rxml.flow.stage import Stage
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class Sifted(Enum):
    """PASSES goes on, LEAVES is taken out of the stream, WAITS is asked about again later, and so are those behind it."""

    PASSES = "passes"
    LEAVES = "leaves"
    WAITS = "waits"


class SiftStage(Stage[Any]):
    """Holds at most what is left of one chunk. Subclasses say what becomes of an element."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._inlet: Subscription[Any] | None = None
        self._rest: Chunk[Any] | None = None
        self.meter.gauge = lambda: (0 if self._rest is None else len(self._rest.elements), None)

    @abstractmethod
    def judge(self, element: Any) -> Sifted:
        """What becomes of the element. If it raises, the supervisor decides about it, once what came before is out."""

    def beside(self, element: Any, context: Context | None) -> Context | None:
        """What travels beside an element that passes."""
        del element
        return context

    def leave(self, element: Any, context: Context | None) -> None:
        """End an element that leaves."""

    def delay(self, element: Any) -> float:
        """Seconds after which an element that waits is worth asking about."""
        del element
        return 0.0

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            rest = await self._at_hand(n)
            if rest.end:
                return rest
            passed = self._sift(rest, n)
            if passed is not None:
                return passed
            await self._wait()

    async def _at_hand(self, n: int) -> Chunk[Any]:
        if self._rest is not None:
            return self._rest
        if self._inlet is None:
            self._inlet = self.env.open(self.node.sources[0])
        chunk = await self._inlet.request(min(n, CHUNK))
        if not chunk.end:
            self._rest = chunk
        return chunk

    async def _wait(self) -> None:
        """Until the first element that is left may pass, if that is what keeps it."""
        if self._rest is not None and len(self._rest.elements):
            seconds = self.delay(self._rest.elements[0])
            if seconds > 0:
                await self.env.clock.sleep(seconds)

    def _sift(self, rest: Chunk[Any], n: int) -> Chunk[Any] | None:
        """What may go out now, if anything; it and what leaves are taken from the rest."""
        which, gone, failure = self._judged(rest, n)
        dealt, count = len(which) + len(gone), len(rest.elements)
        self._rest = rest.part(dealt, count) if dealt < count else None
        out = self._picked(rest, which)
        with in_hand(out, self._dropped):
            for at in gone:
                self.meter.dropped += 1
                self.leave(rest.elements[at], None if rest.contexts is None else rest.contexts[at])
            if failure is not None and not which:
                self._leave_out(failure)
        return out if len(out.elements) or out.signalled else None

    def _judged(self, rest: Chunk[Any], n: int) -> tuple[list[int], list[int], Exception | None]:
        """Places of those that pass, of those that leave, and what was raised about the one behind them."""
        which: list[int] = []
        gone: list[int] = []
        for at in range(min(n, len(rest.elements))):
            try:
                what = self.judge(rest.elements[at])
            except Exception as error:  # noqa: BLE001 - the supervisor decides
                return which, gone, error
            if what is Sifted.WAITS:
                break
            (which if what is Sifted.PASSES else gone).append(at)
        return which, gone, None

    def _picked(self, chunk: Chunk[Any], which: list[int]) -> Chunk[Any]:
        """The elements at these places; behind the last of the chunk, its signals, too."""
        contexts: list[Any] = [
            self.beside(chunk.elements[at], None if chunk.contexts is None else chunk.contexts[at])
            for at in which
        ]
        signals = chunk.signals() if self._rest is None else {}
        dated = any(each is not None for each in contexts)
        return Chunk([chunk.elements[at] for at in which], contexts if dated else None, **signals)

    def _leave_out(self, error: Exception) -> None:
        """The first of the rest has failed."""
        rest = self._rest
        if rest is None:
            return
        context = None if rest.contexts is None else rest.contexts[0]
        self._rest = rest.part(1, len(rest.elements))
        raised = verdict(self.env, self.node, error, rest.elements[0], context)
        if raised is not None:
            raise raised

    def _dropped(self, count: int) -> None:
        self.meter.dropped += count

    @override
    async def release(self) -> None:
        rest, self._rest = self._rest, None
        if rest is not None:
            self.meter.dropped += dropped(rest)
        if self._inlet is not None:
            await self._inlet.cancel()
