"""from_rx: an Observable of reactivex as a flow, behind a bounded inbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from reactivex import Observable
from reactivex.disposable import CompositeDisposable

from rxml.errors import PipelineError
from rxml.flow.adopt import adopt
from rxml.flow.buffers.backlog import Backlog
from rxml.flow.buffers.overflow import Conflate, checked
from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import source
from rxml.flow.lift.scheduler import RunScheduler
from rxml.flow.sources.callback import CallbackStage, Inbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import ObservableBase

    from rxml.flow.buffers.overflow import Overflow
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.sources.callback import Emitter

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Buffer:
    """The policy that lets so many elements wait, and fails the stream when one more comes."""

    capacity: int


def buffer(n: int) -> Buffer:
    """Let n elements wait, n >= 1; one more fails the stream."""
    return Buffer(require_count("rxml.rx.buffer", n, 1))


def conflate(
    aggregate: Callable[[B, A], B], seed: Callable[[A], B] | None = None
) -> Conflate[A, B]:
    """Make one element of all that wait: `aggregate(what waits, what comes)`; `seed` makes what waits of the first."""
    return Conflate(aggregate, seed)


def from_rx(
    observable: ObservableBase[T],
    *,
    overflow: Overflow | Buffer = "error",
    capacity: int | None = None,
) -> Flowable[T]:
    """The elements of an Observable; what it pushes and nobody has asked for waits behind a bound.

    It is subscribed to at the first request of each run, and disposed at the end of the run. It may push from any thread.
    Its timers are those of the run's loop, so `reactivex.interval` follows virtual time.

    Args:
        observable: any observable of reactivex, or object that can be subscribed to like one.
        overflow: what happens to an element that does not fit: `error` (after what waits has come out) fails the stream;
            `drop_oldest`, `drop_newest`, `latest` and `conflate(f)` drop, and `run.statistics()` counts what they drop;
            `buffer(n)` is `error` with a capacity of n.
        capacity: elements that may wait; 1024 if not given, and 1 under `latest` and `conflate`.

    Raises:
        PipelineError: not an observable.
        ValueError: an unknown policy, or a capacity that does not go with it.
        BufferOverflowError: when run, an element did not fit and the policy is `error`.
    """
    if not callable(getattr(observable, "subscribe", None)):
        raise PipelineError(
            f"from_rx wants an Observable of reactivex, got {type(observable).__name__}; use rxml.from_iterable or "
            "rxml.from_async_iterable for the rest"
        )
    policy, bound = _bounds(overflow, capacity)

    def register(emitter: Emitter[T]) -> Callable[[], None]:
        return _Inlet(observable, emitter).dispose

    def open_(env: Env, node: Node) -> CallbackStage[T]:
        backlog: Backlog[T] = Backlog("from_rx", policy, bound, meter=env.meter(node))
        return CallbackStage(env, node, register, Inbox(backlog, env, block=False))

    return source("from_rx", open_, capacity=bound)


def _bounds(overflow: Overflow | Buffer, capacity: int | None) -> tuple[Overflow, int]:
    if isinstance(overflow, Buffer):
        if capacity not in {None, overflow.capacity}:
            raise ValueError(
                f"from_rx: buffer({overflow.capacity}) is a capacity, got capacity={capacity} as well"
            )
        return "error", checked("from_rx", "error", overflow.capacity)
    if capacity is None and overflow in ("error", "drop_oldest", "drop_newest"):
        capacity = CHUNK
    return overflow, checked("from_rx", overflow, capacity)


class _Inlet:
    """One subscription, and the scheduler that it is given."""

    def __init__(self, observable: ObservableBase[Any], emitter: Emitter[Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._emitter = emitter
        self._soon = False
        self._scheduler = RunScheduler(self._loop, self)
        self._subscription = CompositeDisposable(
            observable.subscribe(
                emitter.on_next, emitter.on_error, emitter.on_completed, scheduler=self._scheduler
            )
        )
        self.turn_now()

    def dispose(self) -> None:
        self._scheduler.close()
        self._subscription.dispose()

    def turn_soon(self) -> None:
        if not self._soon:
            self._soon = True
            self._loop.call_soon(self.turn_now)

    def turn_now(self) -> None:
        self._soon = False
        try:
            if self._scheduler.ready:
                self._scheduler.ready.popleft().run()
        except Exception as error:  # noqa: BLE001 - an action raised: the stream fails
            self._emitter.on_error(error)
        if self._scheduler.ready:
            self.turn_soon()

    def moved(self, owner: str | None) -> None:
        """Nothing is kept here."""


adopt(Observable, from_rx)
