"""to_publisher: a flow as a Publisher."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.flow.placing import flowable
from rxml.reactive_streams.emission import Emission
from rxml.reactive_streams.interfaces import Publisher, Subscription

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.reactive_streams.interfaces import Subscriber

T = TypeVar("T")

SIGNALS = ("on_subscribe", "on_next", "on_error", "on_complete")


def to_publisher(flow: Flowable[T], *, look_ahead: bool = True) -> Publisher[T]:
    """A Publisher of a flow's elements.

    Each subscriber gets a run of its own, on the loop that runs when it subscribes. All rules of Reactive Streams 1.0.4
    are kept, and more: after `cancel` has returned, nothing is signalled.

    Args:
        flow: what is published.
        look_ahead: a subscriber hears of the end, or of a failure, although it has asked for no more: the run begins when
            it subscribes, and takes one element more than was asked for, which it holds. False takes nothing that was not
            asked for, and begins with the first request; then the end is signalled at the next request. That is right
            where an element is costly, or where the flow is shared and an element is not to be taken before all are there.

    Raises:
        PipelineError: not a flow.
    """
    return FlowPublisher(flowable(flow, "to_publisher"), look_ahead=look_ahead)


class FlowPublisher(Publisher[T]):
    """A flow as a Publisher; see `to_publisher`."""

    def __init__(self, flow: Flowable[T], *, look_ahead: bool = True) -> None:
        self._flow = flow
        self._look_ahead = look_ahead
        self._known = Known()

    @override
    def subscribe(self, subscriber: Subscriber[Any]) -> None:
        """Serve a subscriber.

        Raises:
            TypeError: it is None, or not a subscriber (rule 1.9).
            PipelineError: it has subscribed here before (rules 1.10 and 2.12); its first subscription goes on.
        """
        check_subscriber(subscriber)
        self._known.admit(subscriber)
        try:
            emission = Emission(self._flow, subscriber, look_ahead=self._look_ahead)
        except RuntimeError as error:  # no loop is running
            reject(subscriber, error)
        else:
            introduce(subscriber, emission)
            emission.begin()

    @override
    def __repr__(self) -> str:
        return f"to_publisher({self._flow!r})"


class Known:
    """The subscribers that were served, each for as long as it lives."""

    def __init__(self) -> None:
        self._refs: dict[int, weakref.ref[Any] | None] = {}

    def admit(self, subscriber: Subscriber[Any]) -> None:
        """Remember a subscriber; raises PipelineError if it is known."""
        key = id(subscriber)
        if key in self._refs:
            raise PipelineError(
                f"{subscriber!r} has subscribed here before; a subscriber takes one subscription (rules 1.10, 2.12)"
            )
        with suppress(
            TypeError
        ):  # one that cannot be referred to weakly cannot be remembered safely
            self._refs[key] = weakref.ref(subscriber, lambda _: self._refs.pop(key, None))


def check_subscriber(subscriber: object) -> None:
    """Raise TypeError if it is none (rule 1.9)."""
    missing = [name for name in SIGNALS if not callable(getattr(subscriber, name, None))]
    if missing:
        raise TypeError(
            f"subscribe wants a Subscriber, got {type(subscriber).__name__} without {', '.join(missing)} (rule 1.9)"
        )


def introduce(subscriber: Subscriber[Any], emission: Emission) -> None:
    """Call `on_subscribe`; what it raises goes to the loop, not to the caller of `subscribe` (rule 2.13)."""
    try:
        subscriber.on_subscribe(emission)
    except Exception as error:  # noqa: BLE001 - the subscriber's own
        emission.broken(error)


def reject(subscriber: Subscriber[Any], error: Exception) -> None:
    """Signal that nothing will come (rule 1.9)."""
    subscriber.on_subscribe(Nothing())
    subscriber.on_error(error)


class Nothing(Subscription):
    """The link to a publisher that sends nothing."""

    @override
    def request(self, n: int) -> None:
        """Do nothing."""

    @override
    def cancel(self) -> None:
        """Do nothing."""
