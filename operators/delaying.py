"""The operator that makes elements come later."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.dropping import dropped
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality
from rxml.flow.timing.duration import seconds_of
from rxml.flow.workers.pumped import PumpedStage

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration


def delay(duetime: Duration, *, capacity: int = CHUNK, delay_error: bool = False) -> Same:
    """Emit each element some time after it came.

    Marble:
        -1--2-3----|
        delay(4)
        -----1--2-3----|

    Demand: whatever fits, from the first request on, so that the times at which elements come are those of upstream.
    Buffers: at most `capacity` elements; while that many are under way, upstream is not asked.
    Emits: every element, in order, `duetime` after it came.
    Completes: `duetime` after upstream.
    Fails: with upstream, at once, and what is under way is dropped; with `delay_error`, `duetime` later and after it.
    Cancels: upstream, at once.
    Cost: one task; a timer for each chunk.

    Args:
        duetime: seconds, or a timedelta.
        capacity: elements under way, > 0.
        delay_error: let an error wait its turn.

    Raises:
        ValueError: a negative duration, or a capacity below 1.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def main():
        ...     values = await rxml.of(1, 2).pipe(ops.delay(60)).to_list()
        ...     return values, asyncio.get_running_loop().time()
        >>> run(main())
        ([1, 2], 60.0)
    """
    seconds = seconds_of(duetime, "delay(duetime)")
    require_count("delay(capacity)", capacity, 1)
    return stage(
        label("delay", duetime),
        lambda env, node: _Delay(env, node, seconds, capacity, delay_error=delay_error),
        cardinality=Cardinality.ONE,
        capacity=capacity,
        rate=True,
        passes=True,
    )


class _Delay(PumpedStage[Any]):
    """A line of chunks with the moments at which they are due, the end (and perhaps the error) among them."""

    def __init__(
        self, env: Env, node: Node, seconds: float, capacity: int, *, delay_error: bool
    ) -> None:
        super().__init__(env, node)
        self._seconds = seconds
        self._capacity = capacity
        self._delay_error = delay_error
        self._line: deque[tuple[float, Chunk[Any] | Exception]] = deque()
        self._held = 0
        self._room = asyncio.Event()
        self.meter.gauge = self._gauge

    def _gauge(self) -> tuple[int, float | None]:
        oldest = self.env.clock.time() - self._line[0][0] + self._seconds if self._line else None
        return self._held, oldest

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        self.start()
        clock = self.env.clock
        if clock.held:
            await clock.breathe()
        while True:
            if self.error is not None:
                self._drop()
                raise self.error
            due, first = self._line[0] if self._line else (None, END)
            if due is not None and due <= clock.time():
                return self._take(due, first, n)
            await self.wait_news(due)

    def _take(self, due: float, first: Chunk[Any] | Exception, n: int) -> Chunk[Any]:
        self._line.popleft()
        if isinstance(first, Exception):
            raise first
        if len(first.elements) > n:
            first, rest = first.split(n)
            self._line.appendleft((due, rest))
        self._held -= len(first.elements)
        self._room.set()
        return first

    @override
    async def pump(self, inlet: Subscription[Any]) -> None:
        try:
            while not (chunk := await inlet.request(await self._wait_room())).end:
                self._put(chunk)
            self._put(END)
        except Exception as error:
            if not self._delay_error:
                raise
            self._put(error)

    async def _wait_room(self) -> int:
        while self._held >= self._capacity:
            self._room.clear()
            await self._room.wait()
        return min(CHUNK, self._capacity - self._held)

    def _put(self, what: Chunk[Any] | Exception) -> None:
        due = self.env.clock.time() + self._seconds
        if isinstance(what, Chunk):
            self._held += len(what.elements)
        self._line.append((due, what))
        self.news.set()

    def _drop(self) -> None:
        line, self._line = self._line, deque()
        chunks = [what for _, what in line if isinstance(what, Chunk)]
        self.meter.dropped += dropped(*chunks)

    @override
    async def release(self) -> None:
        await self.release_all(self._let_go, super().release)

    async def _let_go(self) -> None:
        """What is under way when nobody waits for it any more is dropped."""
        self._drop()
