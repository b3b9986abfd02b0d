"""What the two verifications of subscribers have in common: the subscriber under test, and checks by hand."""

from __future__ import annotations

import asyncio
import threading
import traceback
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from rxml.reactive_streams import Subscription
from tests.tck.manual import Environment, ManualPublisher, ManualSubscription, settle

if TYPE_CHECKING:
    from rxml.reactive_streams import Subscriber


class Probe(ABC):
    """A subscriber under test, and the strings by which it is moved.

    Attributes:
        elements: what has come out of it.
        ended: how it ended: None for the end, or the error.
    """

    def __init__(self) -> None:
        self.elements: list[Any] = []
        self.ended: list[Exception | None] = []

    @property
    @abstractmethod
    def subscriber(self) -> Subscriber[Any]:
        """What is verified."""

    @abstractmethod
    def trigger_request(self, n: int) -> None:
        """Make it ask for n more."""

    @abstractmethod
    async def signal_cancel(self) -> None:
        """Make it cancel."""

    @abstractmethod
    async def close(self) -> None:
        """Leave nothing behind."""


class Watching(Subscription):
    """Notes calls that are made while a signal of that name is handled (rule 2.3)."""

    def __init__(self, env: Environment, signal: str) -> None:
        self.env = env
        self.signal = signal

    def look(self, call: str) -> None:
        if any(frame.name == self.signal for frame in traceback.extract_stack()):
            self.env.flop(f"{call} from {self.signal} (rule 2.3)")

    @override
    def request(self, n: int) -> None:
        self.look("request")

    @override
    def cancel(self) -> None:
        self.look("cancel")


class SynchronousSubscription(Subscription):
    """Answers a request at once, from inside of it, with elements and then the end (rules 3.10 and 3.11)."""

    def __init__(self, subscriber: Subscriber[Any], elements: int, error: Exception | None) -> None:
        self.subscriber = subscriber
        self.left = elements
        self.error = error

    @override
    def request(self, n: int) -> None:
        for _ in range(min(n, self.left)):
            self.left -= 1
            self.subscriber.on_next(self.left)
        if not self.left:
            if self.error is None:
                self.subscriber.on_complete()
            else:
                self.subscriber.on_error(self.error)

    @override
    def cancel(self) -> None:
        self.left = 0


class SubscriberVerification:
    """What both verifications need."""

    def create(self) -> Probe:
        """A fresh subscriber with its strings. Called on the loop."""
        raise NotImplementedError

    async def stage(self) -> tuple[Probe, ManualPublisher]:
        """A subscriber that has subscribed to a publisher by hand."""
        probe, publisher = self.create(), ManualPublisher()
        publisher.subscribe(probe.subscriber)
        await settle()
        return probe, publisher

    async def null(self, signal: str, *, subscribed: bool) -> None:
        probe = self.create()
        if subscribed:
            probe.subscriber.on_subscribe(ManualSubscription())
        with pytest.raises(TypeError, match=r"got None \(rule 2\.13\)"):
            getattr(probe.subscriber, signal)(None)
        await probe.close()

    async def calls_nobody_in(self, env: Environment, signal: str, *arguments: Any) -> None:
        probe = self.create()
        probe.subscriber.on_subscribe(Watching(env, signal))
        probe.trigger_request(1)
        await settle()
        getattr(probe.subscriber, signal)(*arguments)
        await settle()
        await probe.close()

    async def refuses_a_second_subscription(self, env: Environment) -> None:
        probe, publisher = await self.stage()
        second = ManualSubscription()
        probe.subscriber.on_subscribe(second)
        await settle()
        assert (second.requests, second.cancelled) == ([], 1)
        assert publisher.subscription.cancelled == 0
        probe.trigger_request(1)
        await publisher.expect_request()
        publisher.subscriber.on_next(7)
        await settle()
        assert probe.elements == [7]
        publisher.subscriber.on_complete()
        await probe.close()

    async def ends(self, error: Exception | None, *, asked: bool) -> None:
        probe, publisher = await self.stage()
        if asked:
            probe.trigger_request(1)
            await publisher.expect_request()
        if error is None:
            publisher.subscriber.on_complete()
        else:
            publisher.subscriber.on_error(error)
        await settle()
        if not asked:
            probe.trigger_request(1)  # a flow tells its reader when the reader asks
            await settle()
        assert probe.ended == [error]
        await probe.close()

    async def is_quick(self) -> None:
        """Signals only hand over: nothing of what is done with an element happens before they return."""
        probe, publisher = await self.stage()
        probe.trigger_request(2)
        await publisher.expect_request()
        publisher.subscriber.on_next(1)
        assert probe.elements == []
        await settle()
        assert probe.elements == [1]
        await probe.close()

    async def is_over_after_the_end(self) -> None:
        for error in (None, KeyError("over")):
            probe, publisher = await self.stage()
            probe.trigger_request(1)
            await publisher.expect_request()
            if error is None:
                publisher.subscriber.on_complete()
            else:
                publisher.subscriber.on_error(error)
            await settle()
            before = list(publisher.subscription.requests)
            probe.trigger_request(5)
            await probe.signal_cancel()
            await settle()
            assert publisher.subscription.requests == before
            assert publisher.subscription.cancelled == 0
            late = ManualSubscription()
            probe.subscriber.on_subscribe(late)
            publisher.subscriber.on_next(1)
            await settle()
            assert (late.cancelled, probe.elements) == (1, [])
            await probe.close()

    async def asks_from_one_thread(self) -> None:
        """However signals come, request and cancel are called in the loop's thread, one at a time."""
        threads: set[int] = set()

        class Noting(ManualSubscription):
            @override
            def request(self, n: int) -> None:
                threads.add(threading.get_ident())
                super().request(n)

            @override
            def cancel(self) -> None:
                threads.add(threading.get_ident())
                super().cancel()

        probe, subscription = self.create(), Noting()

        def work() -> None:
            probe.subscriber.on_subscribe(subscription)

        sent: list[int] = []

        def send() -> None:
            for number in range(len(sent), sum(subscription.requests)):
                sent.append(number)
                probe.subscriber.on_next(number)

        loop = asyncio.get_running_loop()
        probe.trigger_request(20)
        await settle()
        await loop.run_in_executor(None, work)
        while len(sent) < 20:
            await settle()
            assert len(sent) < sum(subscription.requests) <= 20
            await loop.run_in_executor(None, send)
        await settle()
        assert probe.elements == list(range(20))
        await probe.signal_cancel()
        await settle()
        assert subscription.cancelled == 1
        assert threads == {threading.get_ident()}
        await probe.close()

    async def processes_in_order_of_arrival(self) -> None:
        probe, publisher = await self.stage()
        probe.trigger_request(100)
        sent = 0
        while sent < 100:
            for _ in range(await publisher.expect_request()):
                publisher.subscriber.on_next(sent)
                sent += 1
        publisher.subscriber.on_complete()
        await settle()
        assert probe.elements == list(range(100))
        await probe.close()

    async def answers_inside_of_request(self, error: Exception | None) -> None:
        probe = self.create()
        probe.subscriber.on_subscribe(SynchronousSubscription(probe.subscriber, 3, error))
        probe.trigger_request(5)
        await settle()
        assert probe.elements == [2, 1, 0]
        probe.trigger_request(1)
        await settle()
        assert probe.ended == [error]
        await probe.close()

    async def cancels_when_no_longer_needed(self) -> None:
        probe, publisher = await self.stage()
        probe.trigger_request(1)
        await publisher.expect_request()
        await probe.signal_cancel()
        await publisher.expect_cancelling()
        assert publisher.subscription.cancelled == 1
        await probe.close()

    async def survives(self, env: Environment, call: str) -> None:
        """A subscription that raises, which it must not, fails the stream and nobody else (rules 3.15, 3.16)."""

        class Raising(ManualSubscription):
            @override
            def request(self, n: int) -> None:
                super().request(n)
                if call == "request":
                    raise KeyError("request")

            @override
            def cancel(self) -> None:
                super().cancel()
                if call == "cancel":
                    raise KeyError("cancel")

        probe, subscription = self.create(), Raising()
        probe.subscriber.on_subscribe(subscription)
        probe.trigger_request(1)
        await settle()
        if call == "request":
            assert [repr(error) for error in probe.ended] == ["KeyError('request')"]
        else:
            await probe.signal_cancel()
            await settle()
        assert subscription.cancelled == 1
        await probe.close()
        assert {repr(error) for error in env.errors} <= {"KeyError('cancel')"}
        env.errors.clear()
