"""Probe: a sink that asks by hand and says what it expects."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from rxml.flow.chunk import UNBOUNDED
from rxml.flow.run import Run
from rxml.flow.scope import Scope
from rxml.testing.comparing import same
from rxml.testing.marbles import LEGEND, marble
from rxml.testing.timeline import Kind, Timeline

if TYPE_CHECKING:
    from types import TracebackType

    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.flow.statistics import RunStatistics

T = TypeVar("T")

PATIENCE_SECONDS: Final = 1000.0


def _shown(chunk: Chunk[Any] | None) -> str:
    return "no answer" if chunk is None else str(chunk)


class Probe(Generic[T]):
    """Opens a flow and drives it by hand.

        async with Probe(flow) as probe:
            await probe.expect(1, 2)
            await probe.expect_nothing()
            await probe.expect_end()

    What does not come as expected is an AssertionError with the timeline as a marble diagram.

    Args:
        flow: what to open.
        fuse: False gives each synchronous stage a loop of its own.
        timeline: where to note what happens, under the lane "sink"; a new one if not given.
        patience_seconds: how long `expect...` wait for an answer; under virtual time that takes no time.

    Attributes:
        timeline: what was asked and answered.
        elements: all that came out so far.
    """

    def __init__(
        self,
        flow: Flowable[T],
        *,
        fuse: bool = True,
        timeline: Timeline | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._flow = flow
        self._fuse = fuse
        self._patience = patience_seconds
        self._run: Run[T] | None = None
        self.timeline: Timeline = Timeline() if timeline is None else timeline
        self.elements: list[T] = []

    async def __aenter__(self) -> Self:
        self._run = Run(self._flow, fuse=self._fuse)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.run.__aexit__(kind, error, traceback)

    @property
    def run(self) -> Run[T]:
        """The run; only inside `async with`."""
        if self._run is None:
            raise RuntimeError("a probe has a run inside `async with Probe(flow) as probe` only")
        return self._run

    @property
    def errors(self) -> list[BaseException]:
        """What finalizers raised so far."""
        return [] if self._run is None else self._run.errors

    async def request(self, n: int = UNBOUNDED) -> Chunk[T]:
        """Ask, and note what comes."""
        add = self.timeline.add
        add("sink", Kind.REQUEST, n)
        try:
            chunk = await self.run.subscription.request(n)
        except asyncio.CancelledError:
            add("sink", Kind.INTERRUPTED)
            raise
        except Exception as error:
            add("sink", Kind.ERROR, error)
            raise
        if chunk.end:
            add("sink", Kind.END)
        else:
            add("sink", Kind.CHUNK, chunk)
            self.elements.extend(chunk.elements)
        return chunk

    async def cancel(self) -> None:
        """Cancel the flow."""
        self.timeline.add("sink", Kind.CANCEL)
        await self.run.subscription.cancel()

    def statistics(self) -> RunStatistics:
        """What each stage has done and holds."""
        return self.run.statistics()

    async def expect(self, *elements: T) -> None:
        """Ask for as many elements, and see that they are these."""
        got: list[T] = []
        while len(got) < len(elements):
            chunk = await self._answer(len(elements) - len(got))
            if chunk is None:
                raise self._wrong(f"expected {list(elements)}, got {got} and then nothing more")
            if chunk.end:
                raise self._wrong(f"expected {list(elements)}, got {got} and then the end")
            got.extend(chunk.elements)
        if not same(got, list(elements)):
            raise self._wrong(f"expected {list(elements)}, got {got}")

    async def expect_end(self) -> None:
        """Ask, and see that the stream has ended."""
        chunk = await self._data()
        if chunk is None or not chunk.end:
            raise self._wrong(f"expected the end, got {_shown(chunk)}")

    async def expect_error(self, kind: type[Exception] = Exception) -> Exception:
        """Ask, and see that the stream fails with an error of that type; returns it."""
        try:
            chunk = await self._data()
        except kind as error:
            return error
        raise self._wrong(f"expected {kind.__name__}, got {_shown(chunk)}")

    async def expect_nothing(self, seconds: float | None = None) -> None:
        """Ask for one, and see that no answer comes for so long; the request is taken back."""
        chunk = await self._answer(1, seconds)
        if chunk is not None:
            raise self._wrong(f"expected nothing, got {chunk}")

    async def _data(self) -> Chunk[T] | None:
        """The next answer that is more than a signal."""
        while True:
            chunk = await self._answer(UNBOUNDED)
            if chunk is None or chunk.end or len(chunk):
                return chunk

    async def _answer(self, n: int, seconds: float | None = None) -> Chunk[Any] | None:
        """Ask in a task, so that what is late can be taken back; None if it was."""
        scope = Scope()
        asking = scope.spawn(self.request(n), name="probe")
        limit = self._patience if seconds is None else seconds
        try:
            await asyncio.wait([asking], timeout=limit)
            return asking.result() if asking.done() else None
        finally:
            await scope.aclose()

    def _wrong(self, message: str) -> AssertionError:
        return AssertionError(f"{message}\n\n{marble(self.timeline)}\n\n{LEGEND}")
