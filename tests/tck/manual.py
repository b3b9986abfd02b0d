"""The environment of the TCK: subscribers and publishers that are driven by hand, under virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.reactive_streams import Publisher, Subscriber, Subscription
from rxml.testing import virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

V = TypeVar("V")

LONG_MAX = 2**63 - 1


async def settle() -> None:
    """Let everything happen that happens by itself, delays of a second included."""
    await virtual_time.advance(1.0)


class Environment:
    """Whom a test has brought in, and what the loop was told of."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self.subscribers: list[ManualSubscriber] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.errors.append(context["exception"])
        )

    def flop(self, words: str) -> None:
        """Note a violation."""
        self.errors.append(AssertionError(words))

    def verify_no_errors(self) -> None:
        assert self.errors == []

    def subscriber(self) -> ManualSubscriber:
        subscriber = ManualSubscriber(self)
        self.subscribers.append(subscriber)
        return subscriber

    async def subscribed(self, publisher: Publisher[Any]) -> ManualSubscriber:
        """A subscriber of the publisher, that has got its subscription."""
        subscriber = self.subscriber()
        publisher.subscribe(subscriber)
        await settle()
        assert subscriber.subscription is not None
        return subscriber


def verified(check: Callable[[V, Environment], Awaitable[None]]) -> Callable[[V], None]:
    """A test of pytest that runs the check under virtual time and leaves nothing behind."""

    def test(self: V) -> None:
        async def main() -> None:
            env = Environment()
            await check(self, env)
            env.verify_no_errors()
            for subscriber in env.subscribers:
                subscriber.cancel()
            await settle()

        virtual_time.run(main())

    test.__name__ = check.__name__
    test.__qualname__ = check.__qualname__
    test.__doc__ = check.__doc__
    return test


class ManualSubscriber(Subscriber[Any]):
    """Asks when it is told to, keeps what comes, and sees to the grammar of signals (rules 1.3, 1.7, 1.9)."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.subscription: Subscription | None = None
        self.elements: list[Any] = []
        self.taken = 0
        self.ended: list[Exception | None] = []
        self.inside: str | None = None

    def enter(self, signal: str) -> None:
        if self.subscription is None and signal != "on_subscribe":
            self.env.flop(f"{signal} before on_subscribe")
        if self.inside is not None:
            self.env.flop(f"{signal} inside of {self.inside}")
        if self.ended:
            self.env.flop(f"{signal} after the end")

    @override
    def on_subscribe(self, subscription: Subscription) -> None:
        self.enter("on_subscribe")
        if self.subscription is not None:
            self.env.flop("on_subscribe twice")
        self.subscription = subscription

    @override
    def on_next(self, value: Any) -> None:
        self.enter("on_next")
        self.elements.append(value)

    @override
    def on_error(self, exception: Exception) -> None:
        self.enter("on_error")
        self.ended.append(exception)

    @override
    def on_complete(self) -> None:
        self.enter("on_complete")
        self.ended.append(None)

    def request(self, n: int) -> None:
        assert self.subscription is not None
        self.subscription.request(n)

    def cancel(self) -> None:
        if self.subscription is not None:
            self.subscription.cancel()

    async def next_elements(self, n: int) -> list[Any]:
        """The next n elements, which must be there."""
        await settle()
        got = self.elements[self.taken : self.taken + n]
        assert len(got) == n, f"expected {n} elements, got {got}, end: {self.ended}"
        self.taken += n
        return got

    async def next_element(self) -> Any:
        return (await self.next_elements(1))[0]

    async def request_next(self) -> Any:
        self.request(1)
        return await self.next_element()

    async def expect_none(self) -> None:
        await settle()
        assert self.elements[self.taken :] == []

    async def expect_completion(self) -> None:
        await settle()
        assert self.ended == [None]

    async def request_end(self) -> None:
        self.request(1)
        await self.expect_completion()

    async def expect_error(self, kind: type[Exception], *words: str) -> Exception:
        await settle()
        assert len(self.ended) == 1
        error = self.ended[0]
        assert isinstance(error, kind)
        assert not words or any(word in str(error) for word in words)
        return error


class ManualSubscription(Subscription):
    """What a manual publisher was asked for."""

    def __init__(self) -> None:
        self.requests: list[int] = []
        self.cancelled = 0

    @override
    def request(self, n: int) -> None:
        self.requests.append(n)

    @override
    def cancel(self) -> None:
        self.cancelled += 1


class ManualPublisher(Publisher[Any]):
    """Signals when it is told to."""

    def __init__(self) -> None:
        self.subscriber: Any = None
        self.subscription = ManualSubscription()
        self.seen = 0

    @override
    def subscribe(self, subscriber: Subscriber[Any]) -> None:
        assert self.subscriber is None
        self.subscriber = subscriber
        subscriber.on_subscribe(self.subscription)

    @property
    def requested(self) -> int:
        return sum(self.subscription.requests)

    async def expect_request(self) -> int:
        """What was asked for since the last call; something must have been."""
        await settle()
        new = self.requested - self.seen
        self.seen = self.requested
        assert new > 0, "no request has come"
        return new

    async def expect_cancelling(self) -> None:
        await settle()
        assert self.subscription.cancelled > 0
