"""Operators that change how fast elements come: by delaying, leaving out, or filling in."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import PLAIN, permit_function, require_function, require_positive
from rxml.flow.chunk import Chunk
from rxml.flow.dropping import in_hand
from rxml.flow.kinds import boundary, label, stage
from rxml.flow.node import Cardinality
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate
from rxml.flow.timing.duration import seconds_of
from rxml.flow.timing.waiting import request_until
from rxml.resilience.bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.body import Outlet
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")


def throttle(
    rate: float,
    *,
    per: Duration = 1.0,
    burst: float = 1,
    cost: Callable[[Any], float] | None = None,
) -> Same:
    """Let elements through at no more than a rate, by delaying them (a token bucket).

    Marble:
        -123----4----|
        throttle(1, per=2)
        -1-2-3--4----|

    Demand: as many elements as there are tokens for now, at least one, and no more than are asked for.
    Buffers: one element, the one that is being delayed; upstream waits with the rest.
    Emits: every element, in order, as soon as the bucket holds its cost. In any stretch of t seconds elements of a cost of
        no more than burst + rate * t / per come out. An element that costs more than `burst` waits until as much has
        come in.
    Completes: with upstream, after the delayed element.
    Fails: with upstream, after the delayed element; when `cost` raises, or gives a negative number or none.
    Cancels: upstream, at once.
    Cost: one task; without `cost` a chunk at a time as long as there are tokens, else an element at a time.

    Args:
        rate: tokens that come in per `per`, > 0.
        per: seconds, or a timedelta, > 0.
        burst: tokens that the bucket holds, > 0; it is full at first.
        cost: tokens that an element takes, >= 0; None: 1 each.

    Raises:
        ValueError: rate, per or burst is not a finite number > 0.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def main():
        ...     values = await rxml.range(7).pipe(ops.throttle(2, per=1, burst=3)).to_list()
        ...     return values, asyncio.get_running_loop().time()
        >>> run(main())
        ([0, 1, 2, 3, 4, 5, 6], 2.0)
    """
    seconds = seconds_of(per, "throttle(per)")
    for name, value in (("rate", rate), ("per", seconds), ("burst", burst)):
        require_positive(f"throttle({name})", value)
    permit_function("throttle(cost=)", cost, "gives what an element costs", PLAIN)

    async def body(inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        await _throttle(inlets[0], outlet, TokenBucket(seconds / rate, burst), cost)

    return boundary(
        label("throttle", rate),
        body,
        cardinality=Cardinality.ONE,
        capacity=1,
        rate=True,
        passes=True,
    )


async def _throttle(
    inlet: Subscription[A],
    outlet: Outlet[A],
    bucket: TokenBucket,
    cost: Callable[[A], float] | None,
) -> None:
    clock = outlet.clock
    while True:
        wanted = await outlet.wanted()
        if clock.held:
            await clock.breathe()
        ready = int(bucket.available(clock.time())) if cost is None else 1
        chunk = await inlet.request(max(1, min(wanted, ready)))
        if chunk.end:
            return
        price = len(chunk.elements) if cost is None else _price(cost, chunk, outlet)
        if price is not None:
            with in_hand(chunk, outlet.dropped):
                await clock.sleep_until(bucket.take(price, clock.time()))
            outlet.channel.put(chunk)
        elif chunk.signalled:
            outlet.channel.put(Chunk((), **chunk.signals()))


def _price(cost: Callable[[A], float], chunk: Chunk[A], outlet: Outlet[A]) -> float | None:
    """What the element of the chunk costs, if it has one; None if it is left out."""
    if not len(chunk.elements):
        return 0.0
    element = chunk.elements[0]
    try:
        price = cost(element)
        if not 0 <= price < inf:
            message = f"throttle: the cost of an element must be >= 0 and finite, got {price!r}"
            raise ValueError(message)  # noqa: TRY301 - the supervisor decides about it, too
    except Exception as error:  # noqa: BLE001 - the supervisor decides
        raised = outlet.failed(error, element, chunk.contexts[0] if chunk.contexts else None)
        if raised is not None:
            raise raised from raised.__cause__
        return None
    return price


def keep_alive(duetime: Duration, make: Callable[[], A]) -> Operator[A, A]:
    """Emit something of one's own when upstream has been silent for some time.

    Marble:
        -1--2--------3--|
        keep_alive(3, lambda: 0)
        -1--2--0--0--3--|

    Demand: what is asked for.
    Buffers: nothing.
    Emits: every element as it comes; when an element has been asked for and none has come for `duetime`, what `make`
        gives.
    Completes: with upstream.
    Fails: with upstream, or when `make` raises.
    Cancels: upstream, at once.
    Cost: one timer for each request.

    Args:
        duetime: seconds that a reader may wait, or a timedelta, > 0.
        make: makes an element.

    Raises:
        ValueError: a duration that is not > 0.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.timer(7).pipe(ops.keep_alive(3, lambda: "still there")).to_list())
        ['still there', 'still there', 0]
    """
    seconds = seconds_of(duetime, "keep_alive(duetime)")
    if not seconds:
        message = f"keep_alive wants a duration > 0, got {duetime!r}"
        raise ValueError(message)
    require_function("keep_alive", make, "makes an element", PLAIN)
    return stage(
        label("keep_alive", duetime),
        lambda env, node: _KeepAlive(env, node, seconds, make),
        rate=True,
    )


class _KeepAlive(Stage[Any]):
    """Waits for upstream until an element is overdue."""

    def __init__(self, env: Env, node: Node, seconds: float, make: Callable[[], Any]) -> None:
        super().__init__(env, node)
        self._seconds = seconds
        self._make = make
        self._since: float | None = None
        self._inlet: Subscription[Any] | None = None

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if self._inlet is None:
            self._inlet = self.env.open(self.node.sources[0])
        if self._since is None:
            self._since = clock.time()
        chunk = await request_until(self._inlet, n, self._since + self._seconds)
        if chunk is None:
            chunk = Chunk([self._made()])
        if len(chunk.elements):
            self._since = None
        return chunk

    def _made(self) -> Any:
        try:
            return self._make()
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise

    @override
    async def release(self) -> None:
        if self._inlet is not None:
            await self._inlet.cancel()
