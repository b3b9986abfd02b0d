"""Inlet: the subscriber's end of a flow that is fed by a publisher."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.errors import BufferOverflowError, StreamClosedError
from rxml.flow.chunk import END, Chunk
from rxml.flow.lift.failing import afresh
from rxml.flow.lift.mailbox import Mailbox
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate
from rxml.reactive_streams.interfaces import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Env, Node
    from rxml.reactive_streams.interfaces import Subscription


class Inlet(Subscriber[Any]):
    """Asks for what is wanted and not yet on its way, and holds what has come. Signals may come from any thread.

    Args:
        capacity: elements that may be asked for and not taken, so also the most that it holds.
        news: called on the loop when anything has come.

    Attributes:
        ended: no further signal counts: the publisher has ended or failed, or the inlet is closed.
    """

    def __init__(self, capacity: int, news: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.capacity = capacity
        self.ended: bool = False
        self._news = news
        self._mailbox = Mailbox(self._loop, capacity + 2, self._flooded, self._arrive)
        self._subscription: Subscription | None = None
        self._held: deque[Any] = deque()
        self._wanted = 0
        self._due = 0
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._held)

    # --- signals -------------------------------------------------------------------------------

    @override
    def on_subscribe(self, subscription: Subscription) -> None:
        if subscription is None:  # pyright: ignore[reportUnnecessaryComparison] - rule 2.13
            raise TypeError("on_subscribe wants a Subscription, got None (rule 2.13)")
        self._near(self._subscribed, subscription)

    @override
    def on_next(self, value: Any, is_complete: bool = False) -> None:
        """Take an element; rsocket-py may say with it that it was the last."""
        self._near(self._next, value)
        if is_complete:
            self.on_complete()

    @override
    def on_error(self, exception: Exception) -> None:
        if exception is None:  # pyright: ignore[reportUnnecessaryComparison] - rule 2.13
            raise TypeError("on_error wants an exception, got None (rule 2.13)")
        self._near(self._end, exception)

    @override
    def on_complete(self) -> None:
        self._near(self._end, None)

    def _near(self, function: Callable[..., None], argument: Any) -> None:
        if self._mailbox.abroad():
            self._mailbox.post(function, argument)
        else:
            function(argument)

    def _arrive(self) -> None:
        self._mailbox.take()

    def _subscribed(self, subscription: Subscription) -> None:
        if self._subscription is not None or self.ended:
            self._cancel(subscription)  # rule 2.5
            return
        self._subscription = subscription
        self._ask()

    def _next(self, value: Any) -> None:
        if self.ended:
            return  # rule 2.8
        if not self._due:
            self._flooded()
            return
        self._due -= 1
        self._held.append(value)
        self._news()

    def _end(self, error: Any) -> None:
        if self.ended:
            return
        self.ended = True  # from here on the subscription counts as cancelled (rule 2.4)
        self._subscription = None
        if isinstance(error, Exception) or error is None:
            self._error = error
        else:
            self._error = StreamClosedError(f"a publisher has failed with {error!r}")
        self._mailbox.close()
        self._news()

    def _flooded(self) -> None:
        subscription = self._subscription
        self._end(
            BufferOverflowError(
                "a publisher has sent an element that nobody asked for (rule 1.1); its subscription is cancelled"
            )
        )
        if subscription is not None:
            self._cancel(subscription)

    # --- the reader ----------------------------------------------------------------------------

    def want(self, n: int) -> None:
        """Have up to n elements on their way or here, `capacity` at most."""
        self._wanted = min(n, self.capacity)
        self._ask()

    def _ask(self) -> None:
        missing = self._wanted - len(self._held) - self._due
        if missing > 0 and self._subscription is not None:
            self._due += missing
            try:
                self._subscription.request(missing)
            except Exception as error:  # noqa: BLE001 - against rule 3.16: the stream fails
                subscription = self._subscription
                self._end(error)
                self._cancel(subscription)

    def _cancel(self, subscription: Subscription) -> None:
        try:
            subscription.cancel()
        except Exception as error:  # noqa: BLE001 - against rule 3.15: told to the loop
            message = (
                f"{subscription!r} has raised when it was cancelled, which none may (rule 3.15)"
            )
            self._loop.call_exception_handler({"message": message, "exception": error})

    def take(self, n: int) -> Chunk[Any] | None:
        """What is here, 1..n elements; the end or the error behind all; None if nothing is here.

        Raises:
            Exception: what the publisher has failed with.
        """
        if self._held:
            count = min(n, len(self._held))
            self._wanted -= min(count, self._wanted)
            return Chunk([self._held.popleft() for _ in range(count)])
        if not self.ended:
            return None
        if self._error is not None:
            raise afresh(self._error, Inlet.take.__code__)
        return END

    def close(self) -> None:
        """Cancel the subscription, unless the publisher has ended it."""
        subscription, self._subscription = self._subscription, None
        self.ended = True
        self._mailbox.close()
        self._held.clear()
        if subscription is not None:
            self._cancel(subscription)


class InletStage(Stage[Any]):
    """A source that reads from an inlet.

    Args:
        start: makes the inlet, at the first pull; told whom to tell the news.
    """

    def __init__(self, env: Env, node: Node, start: Callable[[Callable[[], None]], Inlet]) -> None:
        super().__init__(env, node)
        self._start = start
        self._inlet: Inlet | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.meter.gauge = lambda: (0 if self._inlet is None else len(self._inlet), None)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        try:
            if self._inlet is None:
                self._inlet = self._start(self._news)
            while True:
                if self.env.clock.held:
                    await self.env.clock.breathe()
                self._inlet.want(n)
                chunk = self._inlet.take(n)
                if chunk is not None:
                    return chunk
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise

    @override
    async def release(self) -> None:
        if self._inlet is not None:
            self._inlet.close()

    def _news(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
