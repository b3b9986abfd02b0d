"""The operator about elements that come too late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.errors import StreamTimeoutError
from rxml.flow.dropping import dropped
from rxml.flow.kinds import label, stage
from rxml.flow.placing import flowable
from rxml.flow.rising import Rising
from rxml.flow.supervision import annotate
from rxml.flow.timing.duration import seconds_of
from rxml.flow.timing.waiting import rung
from rxml.flow.workers.watched import WatchedStage

if TYPE_CHECKING:
    from rxml.flow.chunk import Chunk
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class _Limits:
    """Seconds; infinite where there is no limit."""

    first: float
    idle: float
    item: float
    total: float


def timeout(
    duetime: Duration | None = None,
    other: Flowable[A] | None = None,
    *,
    first: Duration | None = None,
    idle: Duration | None = None,
    item: Duration | None = None,
    total: Duration | None = None,
) -> Same:
    """Fail, or go on with another flow, when elements do not come in time.

    Marble:
        -1--2--------3--4--|
        timeout(3, other=--6-7|)
        -1--2-----6-7|

    Demand: what is asked for.
    Buffers: nothing.
    Emits: every element that comes in time, as it comes; then those of `other`, which has no limit.
    Completes: with upstream, or with `other`.
    Fails: with upstream; when a limit has passed and there is no `other`; with `other`.
    Cancels: upstream, at once; upstream is closed before `other` is opened.
    Cost: one task, and a timer for each `item` of time that passes, however many elements do.

    Args:
        duetime: the limit that reactivex knows, the same as `item`.
        other: what to go on with; None fails.
        first: seconds, or a timedelta, from the first request to the first element.
        idle: between two elements, whoever is slow: an upstream that gives none, or a reader that does not ask.
        item: while an element is asked for, until it comes.
        total: from the first request to the end.

    Raises:
        ValueError: a negative duration, or no limit that could be reached.
        StreamTimeoutError: when run, a limit has passed; the message names it.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.interval(60).pipe(ops.timeout(5, rxml.of("late"))).to_list())
        ['late']
    """
    shortest = min(_limit("duetime", duetime), _limit("item", item))
    limits = _Limits(_limit("first", first), _limit("idle", idle), shortest, _limit("total", total))
    given = [each for each in (duetime, first, idle, item, total) if each is not None]
    if limits == _Limits(inf, inf, inf, inf):
        what = "one that is never reached" if given else "none"
        message = f"timeout wants a limit, got {what}: timeout(5), or first=, idle=, item= or total= in seconds"
        raise ValueError(message)
    others = () if other is None else (flowable(other, "timeout"),)
    return stage(
        label("timeout", *given),
        lambda env, node: _Timeout(env, node, limits),
        *others,
        rate=True,
        merges=True,
    )


def _limit(name: str, value: Duration | None) -> float:
    return inf if value is None else seconds_of(value, f"timeout({name})")


class _Timeout(WatchedStage[Any]):
    """Notes when each limit ends; the watching task cuts upstream off at the first of those moments that comes."""

    def __init__(self, env: Env, node: Node, limits: _Limits) -> None:
        super().__init__(env, node)
        self._limits = limits
        self._ends: dict[str, float] = {}
        self._left = limits.item
        self._wakes = -inf
        self._sooner = asyncio.Event()
        self._passed: str | None = None
        self._rising = Rising()

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._passed is None and (chunk := await self._in_time(n)) is not None:
            return chunk
        await self.cut()
        if len(self.inputs) == 1:
            raise self._failure(self._passed or "")
        while (passed := self._rising.passed(await self.inputs[1].request(n))) is None:
            pass
        return passed

    async def _in_time(self, n: int) -> Chunk[Any] | None:
        """A chunk, unless a limit has passed before it was there; then it is dropped."""
        chunk = await self._ask(n)
        if self._passed is not None:
            self.meter.dropped += dropped(chunk)
            return None
        self._rising.passed(chunk)
        return chunk

    async def _ask(self, n: int) -> Chunk[Any]:
        now, limits = self.env.clock.time(), self._limits
        if not self.inputs:
            self._ends |= {"first": now + limits.first, "total": now + limits.total}
        due = now + self._left
        self._limit_ends("item", due)
        try:
            chunk = await self.inlet().request(n)
        finally:
            # Nobody waits until the next request, which has the rest of the time if this one gave no element: it brought
            # a heartbeat, or was given up.
            self._ends.pop("item", None)
            self._left = due - self.env.clock.time()
        if len(chunk.elements):
            self._left = limits.item
            self._ends.pop("first", None)
            self._limit_ends("idle", self.env.clock.time() + limits.idle)
        return chunk

    def _limit_ends(self, name: str, moment: float) -> None:
        self._ends[name] = moment
        if moment < self._wakes:
            self._sooner.set()

    @override
    async def watch(self, *others: Subscription[Any]) -> None:
        while True:
            name, moment = min(self._ends.items(), key=lambda end: end[1])
            if moment <= self.env.clock.time():
                self._passed = name
                return await self.cut()
            self._wakes = moment
            self._sooner.clear()
            await rung(self._sooner, moment)

    def _failure(self, name: str) -> StreamTimeoutError:
        seconds = getattr(self._limits, name)
        what = "the stream had not ended" if name == "total" else "no element came"
        error = StreamTimeoutError(f"timeout: {what} within {seconds:g} s (the limit {name!r})")
        annotate(error, self.env.where(self.node))
        return error
