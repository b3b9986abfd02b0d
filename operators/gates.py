"""Operators that open or shut a stream when something happens elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import Chunk
from rxml.flow.context import Outcome
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality
from rxml.flow.placing import flowable
from rxml.flow.sources.timed import timer
from rxml.flow.timing.duration import seconds_of
from rxml.flow.workers.watched import WatchedStage

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")


def take_until(other: Flowable[Any]) -> Same:
    """Take elements until another flow gives one.

    Marble:
        -1--2--3--4--|
        take_until(--------x-|)
        -1--2--3|

    Demand: what is asked for; one element of `other`.
    Buffers: nothing.
    Emits: every element as it comes.
    Completes: with upstream, or at once when `other` gives an element. The end of `other` means nothing.
    Fails: with upstream or with `other`.
    Cancels: both, at once.
    Cost: one task, which waits for `other`; nothing an element.

    Args:
        other: its first element ends the stream.

    Raises:
        PipelineError: other is not a Flowable.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.interval(1).pipe(ops.take_until(rxml.timer(3.5))).to_list())
        [0, 1, 2]
    """
    return _until(label("take_until", other), other)


def take_until_with_time(end_time: Duration) -> Same:
    """Take elements for some time.

    Marble:
        -1--2--3--4--|
        take_until_with_time(8)
        -1--2--3|

    Demand: what is asked for.
    Buffers: nothing.
    Emits: every element as it comes.
    Completes: with upstream, or when the time has passed.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: one task and one timer; nothing an element.

    Args:
        end_time: seconds from the first request on, or a timedelta.

    Raises:
        ValueError: a negative duration.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.interval(1).pipe(ops.take_until_with_time(3.5)).to_list())
        [0, 1, 2]
    """
    seconds = seconds_of(end_time, "take_until_with_time(end_time)")
    return _until(label("take_until_with_time", end_time), timer(seconds))


def skip_until(other: Flowable[Any]) -> Same:
    """Drop elements until another flow gives one.

    Marble:
        -1--2--3--4--|
        skip_until(-----x-|)
        -------3--4--|

    Demand: what is asked for, over and over until `other` gives an element; one element of `other`.
    Buffers: nothing.
    Emits: every element that comes after the first element of `other`.
    Completes: with upstream; if `other` ends without an element, nothing is ever emitted.
    Fails: with upstream or with `other`.
    Cancels: both, at once.
    Cost: one task, which waits for `other`; nothing an element. Skipped elements are counted as dropped.

    Args:
        other: its first element opens the stream.

    Raises:
        PipelineError: other is not a Flowable.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.interval(1).pipe(ops.take(5), ops.skip_until(rxml.timer(3.5))).to_list())
        [3, 4]
    """
    return _from(label("skip_until", other), other)


def skip_until_with_time(start_time: Duration) -> Same:
    """Drop elements for some time.

    Marble:
        -1--2--3--4--|
        skip_until_with_time(5)
        -------3--4--|

    Demand: what is asked for, over and over until the time has passed.
    Buffers: nothing.
    Emits: every element that comes after that time.
    Completes: with upstream.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: one task and one timer; nothing an element. Skipped elements are counted as dropped.

    Args:
        start_time: seconds from the first request on, or a timedelta.

    Raises:
        ValueError: a negative duration.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.interval(1).pipe(ops.take(5), ops.skip_until_with_time(3.5)).to_list())
        [3, 4]
    """
    seconds = seconds_of(start_time, "skip_until_with_time(start_time)")
    return _from(label("skip_until_with_time", start_time), timer(seconds))


def _until(name: str, other: Flowable[Any]) -> Operator[Any, Any]:
    return stage(
        name,
        _TakeUntil,
        flowable(other, name),
        cardinality=Cardinality.AT_MOST_ONE,
        rate=True,
        passes=True,
    )


def _from(name: str, other: Flowable[Any]) -> Operator[Any, Any]:
    return stage(
        name,
        _SkipUntil,
        flowable(other, name),
        cardinality=Cardinality.AT_MOST_ONE,
        rate=True,
        passes=True,
    )


async def _happened(other: Subscription[Any]) -> bool:
    """Wait for the first element of the flow; False if it ends without one."""
    while not (chunk := await other.request(1)).end:
        if len(chunk.elements):
            await other.cancel()
            return True
    return False


class _TakeUntil(WatchedStage[Any]):
    """Ends when its input has been cut off."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.inlet().request(n)
        if chunk.end and self.error is not None:
            raise self.error
        return chunk

    @override
    async def watch(self, *others: Subscription[Any]) -> None:
        if await _happened(others[0]):
            await self.cut()


class _SkipUntil(WatchedStage[Any]):
    """Drops what comes while it is shut."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._open = False

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while True:
            chunk = await self.inlet().request(n)
            if chunk.end and self.error is not None:
                raise self.error
            if self._open or chunk.end:
                return chunk
            self.meter.dropped += len(chunk.elements)
            for context in chunk.contexts or ():
                context.settled(Outcome.DROPPED)
            if chunk.signalled:
                return Chunk((), **chunk.signals())
            if self.env.clock.held:
                await self.env.clock.breathe()

    @override
    async def watch(self, *others: Subscription[Any]) -> None:
        self._open = await _happened(others[0])
