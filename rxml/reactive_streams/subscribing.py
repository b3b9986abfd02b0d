"""from_publisher: a Publisher as a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rxml.errors import PipelineError
from rxml.flow.adopt import adopt
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import source
from rxml.reactive_streams.inlet import Inlet, InletStage
from rxml.reactive_streams.interfaces import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable

T = TypeVar("T")


def from_publisher(publisher: Publisher[T], *, capacity: int = CHUNK) -> Flowable[T]:
    """The elements of a Publisher, asked for as they are asked of the flow: demand passes through unchanged.

    Each run subscribes once, at its first request, and cancels when it ends. The publisher may signal from any thread.

    Args:
        publisher: an object with `subscribe(subscriber)`, such as one of rsocket-py.
        capacity: elements that may be asked for at once, so also the most that wait; >= 1.

    Raises:
        PipelineError: not a publisher.
        ValueError: a capacity below 1.
        BufferOverflowError: when run, the publisher has sent what nobody asked for.
    """
    if not callable(getattr(publisher, "subscribe", None)):
        raise PipelineError(f"from_publisher wants a Publisher, got {type(publisher).__name__}")
    if capacity < 1:
        raise ValueError(f"from_publisher wants a capacity >= 1, got {capacity}")

    def start(news: Callable[[], None]) -> Inlet:
        inlet = Inlet(capacity, news)
        publisher.subscribe(inlet)
        return inlet

    return source(
        "from_publisher", lambda env, node: InletStage(env, node, start), capacity=capacity
    )


def _adopted(publisher: Publisher[Any]) -> Flowable[Any]:
    return from_publisher(publisher)


adopt(Publisher, _adopted)  # type: ignore[type-abstract]
