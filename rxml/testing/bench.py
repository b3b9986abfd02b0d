"""Bench: where an operator is put between a scripted source and a probe, under virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from rxml.testing.misdeeds import non_compliant
from rxml.testing.plan import Play
from rxml.testing.probe import Probe
from rxml.testing.script import scripted
from rxml.testing.subject import most as enough_of
from rxml.testing.timeline import Timeline
from rxml.testing.virtual_time import settle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.testing.plan import Plan
    from rxml.testing.script import Scripted
    from rxml.testing.subject import Subject


class ClosingError(Exception):
    """Closing a run raised what it must not."""


class Bench:
    """One run of a plan, driven by hand.

    Args:
        subject: whose operator stands between source and sink.
        plan: what source and sink do.

    Attributes:
        timeline: what happens at the source and at the sink.
        source: the scripted source.
        flow: the source behind which the operator stands.
        probe: the sink; open inside `async with`.
        ask: how the sink asks; replaced by laws that interrupt it.
    """

    def __init__(self, subject: Subject, plan: Plan) -> None:
        self.plan = plan
        self.timeline: Timeline = Timeline()
        self.source: Scripted = scripted(
            *plan.steps,
            contexts=plan.contexts,
            timeline=self.timeline,
            release_error=plan.release_error,
            release_seconds=plan.release_seconds,
        )
        head: Flowable[Any] = self.source
        if plan.misdeed is not None:
            head = non_compliant(plan.elements, plan.misdeed, timeline=self.timeline)
        self.flow: Flowable[Any] = subject.op()(head)
        self.probe: Probe[Any] = self.sink()
        self.ask: Callable[[Probe[Any], int], Awaitable[Chunk[Any] | None]] = self._ask

    def sink(self) -> Probe[Any]:
        """Another probe of the same flow."""
        return Probe(self.flow, fuse=self.plan.fuse, timeline=self.timeline)

    async def __aenter__(self) -> Self:
        await self.probe.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.probe.__aexit__(kind, error, traceback)
        except Exception as raised:
            if isinstance(raised, ExceptionGroup) or raised is error:
                raise
            raise ClosingError(f"closing the run raised {raised!r}") from raised

    async def consume(self, probe: Probe[Any] | None = None, most: int | None = None) -> Play:
        """Ask as planned until the stream is over, has given `most` results, or leaves the sink waiting."""
        most = enough_of(self.plan.elements) if most is None else most
        began = asyncio.get_running_loop().time()
        error: Exception | None = None
        ended = False
        sink = self.probe if probe is None else probe
        answers: list[tuple[int, Chunk[Any]]] = []
        came = 0
        while came < most:
            n = self.plan.demand(len(answers))
            await self._pause()
            try:
                chunk = await self.ask(sink, n)
            except Exception as raised:  # noqa: BLE001 - what the stream failed with
                error = raised
                break
            ended = chunk is not None and chunk.end
            if chunk is None or ended:
                break
            answers.append((n, chunk))
            came += len(chunk)
        seconds = asyncio.get_running_loop().time() - began
        emitted = tuple((each.name, each.emitted) for each in sink.statistics().stages)
        return Play(
            self.plan, self.timeline, self.source, tuple(answers), error, ended, seconds, emitted
        )

    async def _pause(self) -> None:
        if self.plan.pause is not None:
            await (asyncio.sleep(self.plan.pause) if self.plan.pause else settle())

    async def _ask(self, sink: Probe[Any], n: int) -> Chunk[Any] | None:
        if self.plan.patience is None:
            return await sink.request(n)
        limit = asyncio.timeout(self.plan.patience)
        try:
            async with limit:
                return await sink.request(n)
        except TimeoutError:
            if not limit.expired():
                raise
            return None
