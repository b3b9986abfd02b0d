"""Recorder: an operator that changes nothing and notes everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.kinds import stage
from rxml.flow.node import Cardinality
from rxml.testing.logged import LoggedStage
from rxml.testing.marbles import marble
from rxml.testing.timeline import Timeline

if TYPE_CHECKING:
    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


class Recorder:
    """Passes everything on unchanged, and notes each request, chunk, end, error and cancellation with its time.

    Several recorders with one timeline show how a pipeline's stages play together:

        before, after = Recorder("before"), Recorder("after")
        after.timeline = before.timeline
        flow.pipe(before, ops.buffer(2), after)

    Args:
        lane: the name of the place.
        timeline: where to note; a new one if not given.

    Attributes:
        timeline: what happened at this place, over all runs.
    """

    def __init__(self, lane: str = "recorder", timeline: Timeline | None = None) -> None:
        self.lane = lane
        self.timeline: Timeline = Timeline() if timeline is None else timeline

    def __call__(self, source: Flowable[T]) -> Flowable[T]:
        """The flow, recorded at this place."""

        def open_(env: Env, node: Node) -> _RecorderStage:
            return _RecorderStage(env, node, self.timeline, self.lane)

        return stage(f"record({self.lane})", open_, cardinality=Cardinality.ONE)(source)

    @override
    def __str__(self) -> str:
        return marble(self.timeline)


class _RecorderStage(LoggedStage[Any]):
    _head: Subscription[Any] | None = None

    @override
    async def play(self, n: int) -> Chunk[Any]:
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
        return await self._head.request(n)

    @override
    async def close(self) -> None:
        if self._head is not None:
            await self.release_all(self._head.cancel)
