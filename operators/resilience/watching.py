"""Operators that notice when a stage has come to a halt."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.errors import StalledError
from rxml.flow.check import PLAIN, permit_function, require_callable
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import label, source, stage
from rxml.flow.placing import flowable
from rxml.flow.rising import Rising
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate
from rxml.flow.timing.duration import seconds_of
from rxml.flow.timing.waiting import request_until
from rxml.resilience.intensity import Intensity

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")
B = TypeVar("B")


def watchdog(
    operator: Operator[A, B],
    *,
    stall: Duration = 10.0,
    restarts: int = 5,
    seconds: Duration = 30.0,
    on_stall: Callable[[StalledError], object] | None = None,
) -> Operator[A, B]:
    """Start an operator anew when elements have gone into it and nothing comes out.

    Marble:
        -1--2--------3--|
        watchdog(map_async(ask, concurrency=1), stall=4), where ask never answers for 2
        -a-----------c--|

    Demand: what the operator asks for.
    Buffers: what the operator does.
    Emits: what the operator does; an element that it held when it was started anew ends as dropped.
    Completes: with the operator.
    Fails: with the operator; with a StalledError, when it would have to be started anew more than `restarts` times in
        `seconds`; when `on_stall` raises.
    Cancels: the operator and upstream, at once.
    Cost: a timer for each request that waits.

    Only a reader that waits, with elements in the operator, can find it stalled: a source that has nothing to give is
    quiet, not stalled. So it is for operators that give something for what they are given, within a time: a filter that
    lets nothing pass looks just like one that has come to a halt.

    Args:
        operator: what is watched.
        stall: seconds, or a timedelta, > 0, since the first element went in after the last came out.
        restarts: how often it is started anew, >= 0, in any
        seconds: of time (seconds, or a timedelta, > 0).
        on_stall: told of each stall, before the operator is started anew.

    Raises:
        ValueError: a number out of its range.
        StalledError: when run, it has stalled too often.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.testing.virtual_time import run
        >>> async def ask(x):
        ...     await asyncio.sleep(1e9 if x == 2 else 1)
        ...     return 10 * x
        >>> flow = rxml.of(1, 2, 3).pipe(ops.watchdog(ops.map_async(ask, concurrency=1), stall=4))
        >>> run(flow.to_list())
        [10, 30]
    """
    require_callable("watchdog", operator, "is an operator")
    permit_function("watchdog(on_stall=)", on_stall, "takes a StalledError", PLAIN)
    limit = seconds_of(stall, "watchdog(stall)")
    if not 0 < limit < inf:
        raise ValueError(f"watchdog wants stall > 0 and finite, got {stall!r}")
    period = seconds_of(seconds, "watchdog(seconds)")
    Intensity(restarts, period)

    def open_(env: Env, node: Node) -> _Watchdog:
        intensity = Intensity(restarts, period)
        return _Watchdog(env, node, operator, limit, intensity=intensity, on_stall=on_stall)

    return stage(label("watchdog", operator), open_, capacity=CHUNK, rate=True)


class _Inflow(Stage[Any]):
    """What the operator reads: passes requests on to upstream, which outlives it, and notes when an element went in."""

    def __init__(self, env: Env, node: Node, watchdog: _Watchdog) -> None:
        super().__init__(env, node)
        self._watchdog = watchdog

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self._watchdog.upstream.request(n)
        self._watchdog.entered(len(chunk.elements))
        return chunk


class _Watchdog(Stage[Any]):
    """Opens the operator on an inflow of its own, and another one when that has stalled."""

    def __init__(
        self,
        env: Env,
        node: Node,
        operator: Operator[Any, Any],
        limit: float,
        *,
        intensity: Intensity,
        on_stall: Callable[[StalledError], object] | None,
    ) -> None:
        super().__init__(env, node)
        self._operator = operator
        self._limit = limit
        self._intensity = intensity
        self._on_stall = on_stall
        self._upstream: Subscription[Any] | None = None
        self._inner: Subscription[Any] | None = None
        self._since: float | None = None
        self._count = 0
        self._rising = Rising()

    @property
    def upstream(self) -> Subscription[Any]:
        """What stands before the operator."""
        if self._upstream is None:
            self._upstream = self.env.open(self.node.sources[0])
        return self._upstream

    def entered(self, count: int) -> None:
        """So many elements have gone into the operator."""
        if count and self._since is None:
            self._since = self.env.clock.time()
        self._count += count

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while True:
            if self._inner is None:
                self._inner = self._opened()
            since = self.env.clock.time() if self._since is None else self._since
            chunk = await request_until(self._inner, n, since + self._limit)
            if chunk is None:
                await self._look()
                continue
            if len(chunk.elements):
                self._since, self._count = None, 0
            if (passed := self._rising.passed(chunk)) is not None:
                return passed

    def _opened(self) -> Subscription[Any]:
        inflow = source("inflow", lambda env, node: _Inflow(env, node, self))
        try:
            flow = flowable(self._operator(inflow), self.node.spec.name)
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise
        return self.env.inner(on_its_way=False).open(flow)

    async def _look(self) -> None:
        """Start the operator anew, if it is that which gives nothing."""
        now = self.env.clock.time()
        if self._since is None or now - self._since < self._limit or self._inner is None:
            return
        error = StalledError(
            f"{self.node.spec.name}: {self._count} elements went in, and nothing came out for {now - self._since:g} s"
        )
        annotate(error, self.env.where(self.node))
        if self._on_stall is not None:
            self._on_stall(error)
        wait = self._intensity.failed(now)
        if wait is None:
            raise error
        await self._inner.cancel()
        self._inner, self._since, self._count = None, None, 0
        await self.env.clock.sleep(wait)

    @override
    async def release(self) -> None:
        inputs = [each for each in (self._inner, self._upstream) if each is not None]
        await self.release_all(*(each.cancel for each in inputs))
