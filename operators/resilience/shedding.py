"""Operators that turn work away when there is too much of it."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import override

from rxml.flow.buffers.line import Line, Waiting
from rxml.flow.check import PLAIN, permit_function, require_count
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.context import Context, Outcome, drop, tell
from rxml.flow.dropping import dropped, in_hand
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality
from rxml.flow.supervision import annotate
from rxml.flow.timing.duration import seconds_of
from rxml.flow.workers.pumped import PumpedStage
from rxml.resilience.codel import INTERVAL, TARGET, QueueDelay
from rxml.resilience.priorities import Priorities

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Env, Node
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration


def shed(
    capacity: int,
    *,
    target: Duration = TARGET,
    interval: Duration = INTERVAL,
    priorities: Priorities | None = None,
    order: Literal["fifo", "lifo"] = "fifo",
    worth: Callable[[Any], float] | None = None,
    on_shed: Callable[[Any, str], object] | None = None,
) -> Same:
    """Take all that comes, and turn away what would wait too long, is too late, or is not urgent enough.

    Marble:
        -1234-----5---|
        shed(2), with a reader that asks at the bars
        |----|----|---
        -1---2----5---|

    Demand: upstream is asked without pause, whatever the reader does.
    Buffers: at most `capacity` elements.
    Emits: elements that were not shed; in order, or with `order="lifo"` the newest first while the queue has not been
        empty for `interval`. Nothing is refused for want of room while the reader waits. Signals keep their place.
    Completes: with upstream, after what waits has been taken.
    Fails: with upstream, after what waits has been taken; when `worth` or `on_shed` raises.
    Cancels: upstream, at once; what waits is dropped.
    Cost: one task; about two microseconds an element; with `worth`, while there is no room, a look at all that waits. What
        is shed ends as shed, and is counted as dropped.

    An element is shed as it comes: `full`, if there is no room (with `worth`, and none that waits is worth less: else that
    one goes, `worth`); `priority`, if the part of `capacity` that is taken is
    above the threshold of its class (`Context.priority`). Or when it would be its turn: `late`, if its deadline has passed;
    `waited`, if it has waited longer than `interval`, or than `target` in a queue that has not been empty for `interval`
    (`rxml.resilience.QueueDelay`). So a burst is served, and under overload those who are served are served in time.

    Args:
        capacity: elements, >= 1.
        target: seconds, or a timedelta, > 0; 0.005, or a quarter of the time in which an answer is wanted.
        interval: seconds, or a timedelta, >= target; 0.1, or as long as the slowest of a hundred answers takes.
        priorities: which classes are admitted at which load.
        order: `lifo` only for elements that have nothing to do with one another, such as requests.
        worth: of an element, what is lost without an answer from behind this: such as how unsure the one is that it has,
            so that the most certain go first. None: all are worth as much.
        on_shed: called with each element that is shed, and why; such as to say when to come again.

    Raises:
        ValueError: a number out of its range, an unknown order.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def main():
        ...     flow = rxml.range(9).pipe(ops.shed(5, priorities=rxml.resilience.Priorities(1, 1)))
        ...     async with flow.open() as subscription:
        ...         first = await subscription.request(1)
        ...         await asyncio.sleep(0.01)
        ...         return first.elements, (await subscription.request(9)).elements
        >>> asyncio.run(main())
        ([0], [1, 2, 3, 4, 5])
    """
    require_count("shed", capacity, 1)
    seconds = seconds_of(target, "shed(target)"), seconds_of(interval, "shed(interval)")
    QueueDelay(*seconds)
    if order not in ("fifo", "lifo"):
        raise ValueError(f"shed wants order='fifo' or 'lifo', got {order!r}")
    permit_function("shed(worth=)", worth, "tells what an element is worth", PLAIN)
    permit_function("shed(on_shed=)", on_shed, "takes an element and a reason", PLAIN)
    classes = Priorities() if priorities is None else priorities

    def open_(env: Env, node: Node) -> _Shed:
        delay = QueueDelay(*seconds)
        return _Shed(env, node, delay, classes, on_shed, worth=worth, lifo=order == "lifo")

    return stage(
        label("shed", capacity),
        open_,
        cardinality=Cardinality.AT_MOST_ONE,
        capacity=capacity,
        rate=True,
        passes=True,
    )


class _Shed(PumpedStage[Any]):
    """A task puts elements into the line or turns them away; the reader takes those that are still worth it."""

    def __init__(
        self,
        env: Env,
        node: Node,
        delay: QueueDelay,
        priorities: Priorities,
        on_shed: Callable[[Any, str], object] | None,
        *,
        worth: Callable[[Any], float] | None,
        lifo: bool,
    ) -> None:
        super().__init__(env, node)
        self._capacity = node.spec.capacity
        self._delay = delay
        self._priorities = priorities
        self._worth = worth
        self._on_shed = on_shed
        self._lifo = lifo
        self._line = Line()
        self._asking = False
        self._moved = asyncio.Event()
        self.meter.gauge = self._gauge

    def _gauge(self) -> tuple[int, float | None]:
        oldest = self._line.oldest
        return self._line.held, None if oldest is None else self.env.clock.time() - oldest

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._inlet is None:
            self._delay.emptied(self.env.clock.time())
        self.start()
        self._asking = True
        try:
            if self.env.clock.held:
                await self.env.clock.breathe()
            while (chunk := self._take(min(n, CHUNK))) is None and not self.over:
                await self.wait_news()
        finally:
            self._asking = False
            self._moved.set()
        return self._last() if chunk is None else chunk

    def _last(self) -> Chunk[Any]:
        if self.error is not None:
            raise self.error
        return END

    def _take(self, n: int) -> Chunk[Any] | None:
        """Up to n elements that are worth it, or signals; None if there is neither."""
        now = self.env.clock.time()
        kept, shed = list[Waiting](), list[tuple[Waiting, str]]()
        newest = self._lifo and self._delay.overloaded(now)
        while len(kept) < n and (waiting := self._line.take(newest=newest)) is not None:
            reason = self._worthless(waiting, now)
            if reason is None:
                kept.append(waiting)
            else:
                shed.append((waiting, reason))
        if not self._line.held:
            self._delay.emptied(now)
        self._moved.set()
        chunk = _chunk(kept, self._line.due())
        with in_hand(chunk, self._dropped):
            for waiting, reason in shed:
                self._turn_away(waiting, reason)
        return chunk if kept or chunk.signalled else None

    def _worthless(self, waiting: Waiting, now: float) -> str | None:
        """Why it is too late for an element that has waited; None if it is not."""
        if _due(waiting) <= now:
            return "late"
        return "waited" if now - waiting.since > self._delay.limit(now) else None

    def _refusal(self, waiting: Waiting) -> str | None:
        """Why an element is not let in; None if it is."""
        if self._line.held >= self._capacity:
            return "full"
        priority = 0 if waiting.context is None else waiting.context.priority
        load = self._line.held / self._capacity
        return None if self._priorities.admits(priority, load) else "priority"

    def _turn_away(self, waiting: Waiting, reason: str) -> None:
        self.meter.dropped += 1
        if waiting.context is not None and waiting.context.settle is not None:
            tell([waiting.context.settle], Outcome.SHED)
        if self._on_shed is None:
            return
        try:
            self._on_shed(waiting.item, reason)
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise

    def _dropped(self, count: int) -> None:
        self.meter.dropped += count

    @override
    async def pump(self, inlet: Subscription[Any]) -> None:
        await self.keep(inlet, self._put, self._line.signal)

    async def _put(self, chunk: Chunk[Any]) -> None:
        """Nothing is refused while the reader asks and could make room: it is about to take what waits."""
        at, count, since = 0, len(chunk.elements), self.env.clock.time()
        try:
            while at < count:
                context = None if chunk.contexts is None else chunk.contexts[at]
                item = chunk.elements[at]
                waiting = Waiting(item, context, since, self._worth_of(item))
                while (reason := self._refusal(waiting)) and self._reader_comes():
                    self._moved.clear()
                    await self._moved.wait()
                at += 1
                gone = self._giving_way(waiting) if reason == "full" else None
                if reason and gone is None:
                    self._turn_away(waiting, reason)
                    continue
                self._line.put(waiting)
                self.news.set()
                if gone is not None:
                    self._turn_away(gone, "worth")
        except BaseException:
            self.meter.dropped += dropped(chunk.part(at, count))
            raise

    def _worth_of(self, item: Any) -> float:
        if self._worth is None:
            return 0.0
        try:
            return float(self._worth(item))
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise

    def _giving_way(self, waiting: Waiting) -> Waiting | None:
        """One that waits and is worth less, which leaves."""
        return None if self._worth is None else self._line.yielded(waiting.worth)

    def _reader_comes(self) -> bool:
        return self._line.held > 0 and self._asking

    @override
    async def release(self) -> None:
        await self.release_all(self._let_go, super().release)

    async def _let_go(self) -> None:
        """What waits when nobody reads any more is dropped."""
        held = self._line.clear()
        self.meter.dropped += len(held)
        drop(each.context for each in held)


def _due(waiting: Waiting) -> float:
    context = waiting.context
    return inf if context is None or context.deadline is None else context.deadline


def _chunk(kept: list[Waiting], signals: dict[str, Any]) -> Chunk[Any]:
    contexts = [each.context or Context() for each in kept]
    dated = any(each.context is not None for each in kept)
    return Chunk([each.item for each in kept], contexts if dated else None, **signals)
