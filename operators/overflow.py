"""Operators that part a fast source from a slow reader: what does not fit is dropped, merged, or an error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.errors import BufferOverflowError
from rxml.flow.buffers.backlog import Backlog
from rxml.flow.buffers.overflow import Conflate, Overflow, checked
from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.dropping import dropped
from rxml.flow.kinds import label, stage
from rxml.flow.verdict import verdict
from rxml.flow.workers.pumped import PumpedStage

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription

A = TypeVar("A")
B = TypeVar("B")


def on_overflow(
    policy: Overflow, *, capacity: int | None = None, max_bytes: int | None = None
) -> Same:
    """Take all that upstream gives as it comes, and say what happens when the reader falls behind.

    Marble:
        --1-2-3-4-5-----|
        on_overflow("drop_oldest", capacity=2), with a reader that asks at the bars
        |---------|
        --1-------4-5---|

    Demand: upstream is asked without pause, whatever the reader does; `prefetch` is what holds elements and stops asking.
    Buffers: at most `capacity` elements and `max_bytes` bytes; one element larger than that may wait alone.
    Emits: elements in order, those that the policy dropped left out. Nothing is dropped for a reader that is waiting:
        it takes its turn first.
    Completes: with upstream, after what waits has been taken.
    Fails: with upstream, after what waits has been taken; under `error` with an BufferOverflowError likewise.
    Cancels: upstream, at once; what waits is thrown away.
    Cost: one task; one call an element. Dropped elements are counted in the run's statistics.

    Args:
        policy: `error` fails the stream; `drop_oldest` drops what waits longest, `drop_newest` what comes; `latest` keeps
            only what came last; `rxml.Conflate(f)` makes one element of those that wait.
        capacity: elements; left out for `latest` and `Conflate`, under which one waits.
        max_bytes: bytes as `rxml.flow.buffers.weigh` counts them; None: not weighed.

    Raises:
        ValueError: an unknown policy, a capacity that does not go with it, or max_bytes below 1.
        BufferOverflowError: when run, an element did not fit and the policy is `error`.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.range(5).pipe(ops.on_overflow("drop_oldest", capacity=2)).to_list())
        [0, 1, 2, 3, 4]
    """
    bound = checked("on_overflow", policy, capacity)
    if max_bytes is not None:
        require_count("on_overflow(max_bytes=)", max_bytes, 1)
    return _overflow(label("on_overflow", policy), policy, bound, max_bytes, passes=True)


def conflate(
    aggregate: Callable[[Any, A], Any], *, seed: Callable[[A], Any] | None = None
) -> Operator[A, Any]:
    """Make one element of all that come while the reader is busy.

    Marble:
        --1-2-3-4-5-----|
        conflate(lambda a, b: a + b), with a reader that asks at the bars
        |---------|
        --1-------14----|

    Demand: upstream is asked without pause, whatever the reader does.
    Buffers: one element.
    Emits: what has come since the reader last took something, as one element; each element on its own for a reader that is
        always waiting, however the elements were chunked.
    Completes: with upstream, after what waits has been taken.
    Fails: with upstream, after what waits has been taken; when a function raises.
    Cancels: upstream, at once.
    Cost: one task; one call an element. Elements that became part of a later one are counted as dropped.

    Args:
        aggregate: called with what waits and the element that comes; its result waits. For the fold of all that comes out
            to be the fold of all that went in, it must be associative.
        seed: makes what waits of the first element; None: the element itself.

    Raises:
        TypeError: no function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def main():
        ...     flow = rxml.range(100).pipe(ops.conflate(lambda a, b: a + b))
        ...     async with flow.open() as subscription:
        ...         first = await subscription.request(1)
        ...         await asyncio.sleep(0.01)
        ...         return first.elements, (await subscription.request(1)).elements
        >>> asyncio.run(main())
        ([0], [4950])
    """
    return _overflow(label("conflate", aggregate), Conflate(aggregate, seed), 1, None)


def _overflow(
    name: str, policy: Overflow, capacity: int, max_bytes: int | None, *, passes: bool = False
) -> Operator[Any, Any]:
    return stage(
        name,
        lambda env, node: _OverflowStage(env, node, policy, capacity, max_bytes),
        capacity=capacity,
        rate=True,
        passes=passes,
    )


class _OverflowStage(PumpedStage[Any]):
    """Puts all that comes into a backlog; lets a reader that waits have its turn before anything is dropped."""

    def __init__(
        self,
        env: Env,
        node: Node,
        policy: Overflow,
        capacity: int,
        max_bytes: int | None,
    ) -> None:
        super().__init__(env, node)
        self._backlog: Backlog[Any] = Backlog(
            node.spec.name, policy, capacity, max_bytes=max_bytes, meter=self.meter
        )
        self._away = asyncio.Event()
        self.meter.gauge = lambda: self._backlog.gauge(env.clock.time())

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        self.start()
        self._away.clear()
        try:
            if self.env.clock.held:
                await self.env.clock.breathe()
            while (chunk := self._backlog.take(min(n, CHUNK))) is None and not self.over:
                await self.wait_news()
        finally:
            self._away.set()
        return self._last() if chunk is None else chunk

    def _last(self) -> Chunk[Any]:
        if self.error is not None:
            raise self.error
        return END

    @override
    async def release(self) -> None:
        await self.release_all(self._let_go, super().release)

    async def _let_go(self) -> None:
        """What waits when nobody reads any more is dropped."""
        self._backlog.clear()

    @override
    async def pump(self, inlet: Subscription[Any]) -> None:
        await self.keep(inlet, self._put, self._backlog.signal)

    async def _put(self, chunk: Chunk[Any]) -> None:
        """Nothing is dropped or merged while the reader asks: it is about to take what waits."""
        at, count = 0, len(chunk.elements)
        try:
            while at < count:
                at += self._backlog.extend(
                    chunk.elements, chunk.contexts, at, self.env.clock.time()
                )
                self.news.set()
                if at < count and await self._may_be_offered(chunk.elements[at]):
                    at += 1
                    self._offer(chunk, at - 1)
        except BaseException:
            self.meter.dropped += dropped(chunk.part(at, count))
            raise

    async def _may_be_offered(self, element: Any) -> bool:
        """Wait until one that does not fit is to be dropped or merged; False: look again, now that the reader has gone."""
        if self._away.is_set() or self._backlog.fits(element):
            return True
        await self._away.wait()
        return False

    def _offer(self, chunk: Chunk[Any], at: int) -> None:
        """Put an element in, or end it."""
        element, context = (
            chunk.elements[at],
            None if chunk.contexts is None else chunk.contexts[at],
        )
        try:
            self._backlog.offer(element, context, self.env.clock.time())
        except BufferOverflowError:
            self.meter.dropped += dropped(chunk.part(at, at + 1))
            raise
        except Exception as error:  # noqa: BLE001 - a function of `Conflate` has failed: the supervisor decides
            raised = verdict(self.env, self.node, error, element, context)
            if raised is not None:
                raise raised from raised.__cause__
