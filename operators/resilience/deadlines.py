"""Operators that say until when an answer is worth something."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.stage import Stage
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration


def deadline(duetime: Duration) -> Same:
    """Give each element a deadline: so long after it comes by, and never later than the one that it has.

    Marble:
        -1--2--3--|
        deadline(5)
        -1--2--3--|

    Demand: what is asked for.
    Buffers: nothing.
    Emits: every element, in order; its context has the earlier of both deadlines.
    Completes: with upstream.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: nothing an element where there are no contexts (one for the chunk), about half a microsecond where there are.

    What obeys it: `shed`, `fallback`, `quorum`, and a `Guard` in `map_async` with all its waits. A plain
    `map_async` does not: put a `Guard` around its function.

    Args:
        duetime: seconds, or a timedelta, > 0, by the run's clock.

    Raises:
        ValueError: not > 0, or infinite.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def slow(x):
        ...     await asyncio.sleep(x)
        ...     return x
        >>> from rxml.testing.virtual_time import run
        >>> flow = rxml.of(1, 9, 2).pipe(
        ...     ops.deadline(5),
        ...     ops.map_async(ops.Guard(slow), concurrency=3),
        ...     ops.supervise("resume"),
        ... )
        >>> run(flow.to_list())
        [1, 2]
    """
    seconds = seconds_of(duetime, "deadline")
    if not 0 < seconds < inf:
        raise ValueError(f"deadline wants a duration > 0 and finite, got {duetime!r}")
    return stage(
        label("deadline", duetime),
        lambda env, node: _Deadline(env, node, seconds),
        cardinality=Cardinality.ONE,
        passes=True,
        checkpointing=Checkpointing.PASSES,
    )


class _Deadline(Stage[Any]):
    """Exchanges the contexts."""

    def __init__(self, env: Env, node: Node, seconds: float) -> None:
        super().__init__(env, node)
        self._seconds = seconds
        self._inlet: Subscription[Any] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._inlet is None:
            self._inlet = self.env.open(self.node.sources[0])
        chunk = await self._inlet.request(n)
        if not len(chunk.elements):
            return chunk
        moment = self.env.clock.time() + self._seconds
        if chunk.contexts is None:
            contexts = [Context(deadline=moment)] * len(chunk.elements)
        else:
            contexts = [_sooner(each, moment) for each in chunk.contexts]
        return Chunk(chunk.elements, contexts, **chunk.signals())

    @override
    async def release(self) -> None:
        if self._inlet is not None:
            await self._inlet.cancel()


def _sooner(context: Context, moment: float) -> Context:
    due = context.deadline
    if due is not None and due <= moment:
        return context
    return Context(context.fact_id, context.trace, moment, context.priority, context.settle)
