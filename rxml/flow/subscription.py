"""Subscription: one running stream, pulled by demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rxml.flow.chunk import Chunk

T_co = TypeVar("T_co", covariant=True)


class Subscription(Protocol[T_co]):
    """One running stream: Reactive Streams in one coroutine.

    The demand is the argument, `onNext` the result, `onError` the exception, `onComplete` the end.
    """

    async def request(self, n: int) -> Chunk[T_co]:
        """Wait for a chunk of 1..n elements, or of none if it carries a signal.

        Cancelling the waiting task loses no element. After the end, the end is returned again; after `cancel`, too.

        Args:
            n: demand in elements, >= 1; `UNBOUNDED` for as much as is ready.

        Raises:
            ValueError: n is not a positive int; the stream is closed.
            ConcurrentRequestError: another request is waiting; it goes on unharmed.
            StreamClosedError: the stream has failed before.
            Exception: what ended the stream; all elements before it have been returned.
        """
        ...

    async def cancel(self) -> None:
        """End the stream and release all that it holds. Idempotent; never raises; a waiting request gets the end."""
        ...
