"""to_rx: a flow as an Observable of reactivex."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from reactivex import Observable

    from rxml.flow.flowable import Flowable

T = TypeVar("T")


def to_rx(flow: Flowable[T]) -> Observable[T]:
    """A true `reactivex.Observable` of a flow's elements, with all of reactivex's operators and methods.

    It is cold: each subscription runs the flow anew, on the loop that runs at that time, and disposing it ends that run.
    Elements are pushed as fast as the observer takes them, so this is where backpressure ends; an operator of reactivex in
    `flow.pipe(...)` keeps it. What the observer itself raises ends the run and goes to the loop's exception handler.

    Raises:
        RuntimeError: when subscribed to without a running event loop.
    """
    return flow.to_rx()
