"""Operators that let only some moments of a stream through: the quiet ones, or those at a tick."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from rxml.flow.adopt import adopted
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.dropping import dropped
from rxml.flow.kinds import boundary, label
from rxml.flow.node import Cardinality
from rxml.flow.sources.timed import interval
from rxml.flow.timing.duration import seconds_of
from rxml.flow.timing.waiting import drain_noticed, request_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.shapes import Same
    from rxml.flow.subscription import Subscription
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")


class _Newest(Generic[A]):
    """The newest element, until it is handed on or a newer one takes its place.

    Signals go on as soon as the elements before them have gone on or been dropped.

    Attributes:
        failed: no more is coming, and what is held counts for nothing.
    """

    def __init__(self, outlet: Outlet[A]) -> None:
        self.failed = False
        self._outlet = outlet
        self._closed = False
        self._chunk: Chunk[A] | None = None

    def replace(self, chunk: Chunk[A]) -> None:
        """Hold the last element of the chunk."""
        count = len(chunk.elements)
        held = self._chunk
        if self._closed:
            self._drop(chunk)
        elif count:
            self._drop(held)
            head, self._chunk = chunk.split(count - 1)
            self._drop(head)
        elif held is None:
            self._outlet.channel.put(chunk)
        else:
            signals = {**held.signals(), **chunk.signals()}
            self._chunk = Chunk(held.elements, held.contexts, **signals)

    def hand_on(self) -> None:
        """Hand on what is held, if anything is."""
        if self._chunk is not None:
            self._outlet.channel.put(self._chunk)
            self._chunk = None

    def close(self) -> None:
        """Drop what is held, if anything is, and what still comes."""
        chunk, self._chunk = self._chunk, None
        self._closed = True
        self._drop(chunk)

    def _drop(self, chunk: Chunk[A] | None) -> None:
        if chunk is None:
            return
        self._outlet.dropped(dropped(chunk))
        if chunk.signalled:
            self._outlet.channel.put(Chunk((), **chunk.signals()))


@contextmanager
def _newest(outlet: Outlet[A]) -> Generator[_Newest[A]]:
    """Holds the newest element; what has not been handed on in the end is dropped."""
    newest = _Newest(outlet)
    try:
        yield newest
    finally:
        newest.close()


def debounce(duetime: Duration) -> Same:
    """Emit an element once nothing has followed it for some time.

    Marble:
        -1-23---4--5-----6|
        debounce(3)
        -------3------5---6|

    Demand: upstream is asked without pause, except while an emitted element has not been taken.
    Buffers: two elements: the newest, and one that waits to be taken.
    Emits: the newest element `duetime` after it came, if none came meanwhile; at the end the last one at once. An element
        that comes at that very moment is too late to hold it back.
    Completes: with upstream.
    Fails: with upstream; the newest element is dropped then.
    Cancels: upstream, at once.
    Cost: one task and one timer; constant time a chunk. Elements left out are counted as dropped.

    Args:
        duetime: seconds, or a timedelta.

    Raises:
        ValueError: a negative duration.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.interval(1).pipe(ops.take(3), ops.debounce(5)).to_list())
        [2]
    """
    seconds = seconds_of(duetime, "debounce(duetime)")

    async def body(inlets: tuple[Subscription[A], ...], outlet: Outlet[A]) -> None:
        with _newest(outlet) as newest:
            await _debounce(inlets[0], outlet, newest, seconds)

    name = label("debounce", duetime)
    return boundary(
        name, body, cardinality=Cardinality.AT_MOST_ONE, capacity=2, rate=True, passes=True
    )


async def _debounce(
    source: Subscription[A], outlet: Outlet[A], newest: _Newest[A], seconds: float
) -> None:
    quiet: float | None = None
    while True:
        await outlet.channel.wait_room(2)
        if outlet.clock.held:
            await outlet.clock.breathe()
        chunk = await request_until(source, CHUNK, quiet)
        if chunk is None or chunk.end or (quiet is not None and outlet.clock.time() >= quiet):
            newest.hand_on()
            quiet = None
        if chunk is None:
            continue
        if chunk.end:
            return
        newest.replace(chunk)
        if len(chunk.elements):
            quiet = outlet.clock.time() + seconds


def sample(sampler: Duration | Flowable[Any]) -> Same:
    """Emit the newest element at each tick, if one has come since the last.

    Marble:
        -1-2-3----4-5-6|
        sample(4)
        ----2-------5---6|

    Demand: upstream is asked without pause, except while an emitted element has not been taken; one tick at a time.
    Buffers: two elements: the newest, and one that waits to be taken.
    Emits: at each tick the newest element since the last tick.
    Completes: at the first tick after upstream's end, with the newest element; when the ticks end, but if they end because
        the run is drained, with upstream.
    Fails: with upstream or the ticks, at once; the newest element is dropped then.
    Cancels: upstream and the ticks, at once.
    Cost: two tasks; constant time a chunk. Elements left out are counted as dropped.

    Args:
        sampler: seconds between ticks (a number or a timedelta, > 0), or a flow whose elements are the ticks.

    Raises:
        ValueError: the time between ticks is not > 0.

    Example:
        >>> from rxml.testing.virtual_time import run
        >>> import rxml
        >>> from rxml import operators as ops
        >>> run(rxml.interval(1).pipe(ops.take(7), ops.sample(2.5)).to_list())
        [1, 3, 6]
    """
    flow = adopted(sampler)
    ticks = _clock(cast("Duration", sampler)) if flow is None else flow
    cardinality = Cardinality.AT_MOST_ONE
    name = label("sample", sampler)
    return boundary(
        name, _sample, ticks, cardinality=cardinality, capacity=2, rate=True, passes=True
    )


def _clock(period: Duration) -> Flowable[int]:
    if not seconds_of(period, "sample(sampler)"):
        message = f"sample wants a time between ticks > 0, got {period!r}"
        raise ValueError(message)
    return interval(period)


async def _sample(inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
    source, ticks = inlets
    with _newest(outlet) as newest, drain_noticed(outlet.env) as drained:
        reading = outlet.spawn(_read(source, newest, outlet, ticks), "source")
        while not (tick := await ticks.request(1)).end:
            await outlet.channel.wait_room(2)
            if len(tick.elements) and not newest.failed:
                newest.hand_on()
                if reading.done():
                    return
        if newest.failed or drained.is_set():
            await reading
        newest.hand_on()


async def _read(
    source: Subscription[A], newest: _Newest[A], outlet: Outlet[A], ticks: Subscription[Any]
) -> None:
    try:
        while True:
            await outlet.channel.wait_room(2)
            if outlet.clock.held:
                await outlet.clock.breathe()
            chunk = await source.request(CHUNK)
            if chunk.end:
                return
            newest.replace(chunk)
    except Exception:
        newest.failed = True
        await ticks.cancel()
        raise
