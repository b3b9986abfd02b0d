"""The four interfaces of Reactive Streams 1.0.4, by their names, in Python's spelling.

The methods are those of the `reactivestreams` package that comes with rsocket-py, so objects of both understand each
other: nothing here asks for an instance of these classes, the methods are enough. `None` is an element like any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from typing import Any

T_co = TypeVar("T_co", covariant=True)
A_contra = TypeVar("A_contra", contravariant=True)


class Subscription(ABC):
    """The link between one subscriber and its publisher. Both methods are quick, never raise, and may be called twice."""

    @abstractmethod
    def request(self, n: int) -> None:
        """Let the publisher send n further elements (n >= 1; 2^63 - 1 and above are without limit)."""

    @abstractmethod
    def cancel(self) -> None:
        """End the link; nothing is signalled any more."""


class Subscriber(ABC, Generic[A_contra]):
    """Takes the signals of one publisher: `on_subscribe on_next* (on_error | on_complete)?`, one at a time."""

    @abstractmethod
    def on_subscribe(self, subscription: Subscription) -> None:
        """Take the link, by which elements are asked for."""

    @abstractmethod
    def on_next(self, value: A_contra) -> None:
        """Take an element; never more of them come than were asked for."""

    @abstractmethod
    def on_error(self, exception: Exception) -> None:
        """Take the failure that ended the stream."""

    @abstractmethod
    def on_complete(self) -> None:
        """Take note that the stream has ended."""


class Publisher(ABC, Generic[T_co]):
    """Sends elements to subscribers, to each as many as it has asked for."""

    @abstractmethod
    def subscribe(self, subscriber: Subscriber[Any]) -> None:
        """Call `on_subscribe` of the subscriber, then serve it. Never raises, unless given no subscriber."""


class Processor(Subscriber[A_contra], Publisher[T_co]):
    """Subscribes to one publisher and is the publisher of what it makes of its elements."""
