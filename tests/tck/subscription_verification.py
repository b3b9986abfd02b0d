"""PublisherVerification of the TCK, rule 3: what publishers must do about their subscriptions."""

# ruff: noqa: N802 - the names are those of the TCK

from __future__ import annotations

import asyncio
import gc
import random
import weakref
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tests.tck.manual import LONG_MAX, Environment, ManualSubscriber, settle, verified
from tests.tck.verified_publisher import Verified

if TYPE_CHECKING:
    from rxml.reactive_streams import Subscription


class SubscriptionVerification(Verified):
    """The checks of rule 3."""

    @verified
    async def test_required_spec302_mustAllowSynchronousRequestCallsFromOnNextAndOnSubscribe(
        self, env: Environment
    ) -> None:
        class Requesting(ManualSubscriber):
            @override
            def on_subscribe(self, subscription: Subscription) -> None:
                super().on_subscribe(subscription)
                for _ in range(3):
                    subscription.request(1)

            @override
            def on_next(self, value: Any) -> None:
                super().on_next(value)
                self.request(1)

        sub = Requesting(env)
        self.create_publisher(6).subscribe(sub)
        await sub.next_elements(6)

    @verified
    async def test_required_spec303_mustNotAllowUnboundedRecursion(self, env: Environment) -> None:
        bound, depths = self.bounded_depth, list[int]()

        class Deep(ManualSubscriber):
            depth = 0

            @override
            def on_next(self, value: Any) -> None:
                self.depth += 1
                depths.append(self.depth)
                self.request(1)
                self.depth -= 1

        sub = Deep(env)
        self.create_publisher(1000).subscribe(sub)
        await settle()
        sub.request(1)
        await settle()
        assert len(depths) == 1000
        assert max(depths) <= bound

    @verified
    async def test_untested_spec304_requestShouldNotPerformHeavyComputations(
        self, env: Environment
    ) -> None:
        """It does none at all: the source is not touched before it has returned."""
        sub = await env.subscribed(self.create_publisher(100))
        before = list(self.log)
        sub.request(100)
        assert self.log == before

    @verified
    async def test_untested_spec305_cancelMustNotSynchronouslyPerformHeavyComputation(
        self, env: Environment
    ) -> None:
        """It does none at all: the source is closed after it has returned, and then for certain."""
        sub = await env.subscribed(self.create_publisher(100))
        await sub.request_next()
        before = list(self.log)
        sub.cancel()
        assert self.log == before
        await settle()
        assert self.log.count("open") == self.log.count("close")

    @verified
    async def test_required_spec306_afterSubscriptionIsCancelledRequestMustBeNops(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(3))
        sub.cancel()
        for _ in range(3):
            sub.request(1)
        await sub.expect_none()

    @verified
    async def test_required_spec307_afterSubscriptionIsCancelledAdditionalCancelationsMustBeNops(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(1))
        for _ in range(3):
            sub.cancel()
        await sub.expect_none()

    @verified
    async def test_required_spec309_requestZeroMustSignalIllegalArgumentException(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(10))
        sub.request(0)
        await sub.expect_error(ValueError)

    @verified
    async def test_required_spec309_requestNegativeNumberMustSignalIllegalArgumentException(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(10))
        await sub.request_next()
        sub.request(-random.randint(1, 2**31))
        await sub.expect_error(ValueError)
        await sub.expect_none()
        assert self.log.count("open") == self.log.count("close")

    @verified
    async def test_optional_spec309_requestNegativeNumberMaySignalIllegalArgumentExceptionWithSpecificMessage(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(10))
        sub.request(-random.randint(1, 2**31))
        await sub.expect_error(ValueError, "3.9", "non-positive subscription request")

    @verified
    async def test_required_spec312_cancelMustMakeThePublisherToEventuallyStopSignaling(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(20))
        sub.request(10)
        sub.request(5)
        for _ in range(50):
            await asyncio.sleep(0.001 * (not sub.elements))
        assert sub.elements
        sub.cancel()
        count = len(sub.elements)
        await settle()
        assert len(sub.elements) == count <= 15

    @verified
    async def test_required_spec313_cancelMustMakeThePublisherEventuallyDropAllReferencesToTheSubscriber(
        self, env: Environment
    ) -> None:
        publisher = self.create_publisher(3)

        async def run() -> weakref.ref[ManualSubscriber]:
            sub = ManualSubscriber(env)
            publisher.subscribe(sub)
            await settle()
            await sub.request_next()
            sub.cancel()
            return weakref.ref(sub)

        ref = await run()
        await settle()
        gc.collect()
        assert ref() is None

    @verified
    async def test_required_spec317_mustSupportAPendingElementCountUpToLongMaxValue(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(3))
        sub.request(LONG_MAX)
        await sub.next_elements(3)
        await sub.expect_completion()

    @verified
    async def test_required_spec317_mustSupportACumulativePendingElementCountUpToLongMaxValue(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(3))
        sub.request(LONG_MAX // 2)
        sub.request(LONG_MAX // 2)
        sub.request(1)
        await sub.next_elements(3)
        await sub.expect_completion()

    @verified
    async def test_required_spec317_mustNotSignalOnErrorWhenPendingAboveLongMaxValue(
        self, env: Environment
    ) -> None:
        class Greedy(ManualSubscriber):
            calls = 10

            @override
            def on_next(self, value: Any) -> None:
                super().on_next(value)
                if self.calls:
                    self.request(LONG_MAX - 1)
                    self.calls -= 1
                else:
                    self.cancel()

        sub = Greedy(env)
        self.create_publisher(LONG_MAX).subscribe(sub)
        await settle()
        sub.request(1)
        await settle()
        assert sub.ended == []
        assert len(sub.elements) == 11
