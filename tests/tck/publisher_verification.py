"""PublisherVerification of the TCK (reactive-streams-jvm 1.0.4): all 38 checks, those it leaves untested included.

`create_publisher`, `create_failed_publisher` and `log` say what is verified.
"""

# ruff: noqa: N802 - the names are those of the TCK

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from rxml.errors import PipelineError
from tests.tck.manual import Environment, ManualSubscriber, settle, verified
from tests.tck.subscription_verification import SubscriptionVerification

if TYPE_CHECKING:
    from rxml.reactive_streams import Subscription


class PublisherVerification(SubscriptionVerification):
    """Base of one class of tests for each publisher."""

    # --- set-up --------------------------------------------------------------------------------

    @verified
    async def test_required_createPublisher1MustProduceAStreamOfExactly1Element(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(1))
        await sub.request_next()
        await sub.request_end()

    @verified
    async def test_required_createPublisher3MustProduceAStreamOfExactly3Elements(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(3))
        for _ in range(3):
            await sub.request_next()
        await sub.request_end()

    def test_required_validate_maxElementsFromPublisher(self) -> None:
        assert self.max_elements >= 0

    def test_required_validate_boundedDepthOfOnNextAndRequestRecursion(self) -> None:
        assert self.bounded_depth >= 1

    # --- rule 1: publishers --------------------------------------------------------------------

    @verified
    async def test_required_spec101_subscriptionRequestMustResultInTheCorrectNumberOfProducedElements(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(5))
        await sub.expect_none()
        await sub.request_next()
        await sub.expect_none()
        sub.request(1)
        sub.request(2)
        await sub.next_elements(3)
        await sub.expect_none()

    @verified
    async def test_required_spec102_maySignalLessThanRequestedAndTerminateSubscription(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(3))
        sub.request(10)
        await sub.next_elements(3)
        await sub.expect_completion()

    @verified
    async def test_stochastic_spec103_mustSignalOnMethodsSequentially(
        self, env: Environment
    ) -> None:
        class Requesting(ManualSubscriber):
            @override
            def on_subscribe(self, subscription: Subscription) -> None:
                super().on_subscribe(subscription)
                self.inside = "on_subscribe"
                self.request(1)
                self.inside = None

            @override
            def on_next(self, value: Any) -> None:
                super().on_next(value)
                self.inside = "on_next"
                self.request(1)
                self.inside = None

        for _ in range(100):
            sub = Requesting(env)
            self.create_publisher(10).subscribe(sub)
            await sub.next_elements(10)
            await sub.expect_completion()

    @verified
    async def test_optional_spec104_mustSignalOnErrorWhenFails(self, env: Environment) -> None:
        sub = await env.subscribed(self.create_failed_publisher())
        await sub.expect_error(Exception)
        assert sub.elements == []

    @verified
    async def test_required_spec105_mustSignalOnCompleteWhenFiniteStreamTerminates(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(3))
        for _ in range(3):
            await sub.request_next()
        await sub.request_end()
        await sub.expect_none()

    @verified
    async def test_optional_spec105_emptyStreamMustTerminateBySignallingOnComplete(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(0))
        sub.request(1)
        await sub.expect_completion()
        await sub.expect_none()

    @verified
    async def test_untested_spec106_mustConsiderSubscriptionCancelledAfterOnErrorOrOnCompleteHasBeenCalled(
        self, env: Environment
    ) -> None:
        """Everything is closed when the end is signalled, and calls afterwards do nothing."""
        seen: list[bool] = []

        class Watching(ManualSubscriber):
            @override
            def on_complete(watching) -> None:  # noqa: N805
                super().on_complete()
                seen.append(self.log.count("open") == self.log.count("close"))

        sub = Watching(env)
        self.create_publisher(1).subscribe(sub)
        await settle()
        sub.request(2)
        await sub.expect_completion()
        assert seen == [True]
        before = list(self.log)
        sub.request(5)
        sub.cancel()
        sub.request(0)
        await settle()
        assert self.log == before
        failed = await env.subscribed(self.create_failed_publisher())
        failed.request(1)
        await failed.expect_error(Exception)
        failed.request(1)
        failed.cancel()
        await settle()

    @verified
    async def test_required_spec107_mustNotEmitFurtherSignalsOnceOnCompleteHasBeenSignalled(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_publisher(1))
        sub.request(10)
        await sub.next_element()
        await sub.expect_completion()
        sub.request(10)
        await sub.expect_none()

    @verified
    async def test_untested_spec107_mustNotEmitFurtherSignalsOnceOnErrorHasBeenSignalled(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_failed_publisher())
        sub.request(1)
        await sub.expect_error(Exception)
        sub.request(10)
        sub.request(-1)
        await sub.expect_none()
        assert len(sub.ended) == 1

    @verified
    async def test_untested_spec108_possiblyCanceledSubscriptionShouldNotReceiveOnErrorOrOnCompleteSignals(
        self, env: Environment
    ) -> None:
        """Stricter: nothing at all is signalled after `cancel` has returned."""
        for fails in (False, True):
            sub = env.subscriber()
            publisher = self.create_failed_publisher() if fails else self.create_publisher(1)
            publisher.subscribe(sub)
            sub.request(10)
            sub.cancel()
            await settle()
            assert (sub.elements, sub.ended) == ([], [])

    @verified
    async def test_required_spec109_mustIssueOnSubscribeForNonNullSubscriber(
        self, env: Environment
    ) -> None:
        sub = env.subscriber()
        self.create_publisher(0).subscribe(sub)
        await settle()
        assert sub.subscription is not None

    @verified
    async def test_untested_spec109_subscribeShouldNotThrowNonFatalThrowable(
        self, env: Environment
    ) -> None:
        """Neither for a failed publisher, nor for a subscriber that raises: that goes to the loop (rule 2.13)."""

        class Raising(ManualSubscriber):
            @override
            def on_subscribe(self, subscription: Subscription) -> None:
                super().on_subscribe(subscription)
                raise KeyError("mine")

        self.create_failed_publisher().subscribe(env.subscriber())
        self.create_publisher(1).subscribe(Raising(env))
        await settle()
        assert [repr(error) for error in env.errors] == ["KeyError('mine')"]
        env.errors.clear()

    @verified
    async def test_required_spec109_subscribeThrowNPEOnNullSubscriber(
        self, env: Environment
    ) -> None:
        publisher: Any = self.create_publisher(0)
        with pytest.raises(TypeError, match="got NoneType"):
            publisher.subscribe(None)

    @verified
    async def test_required_spec109_mayRejectCallsToSubscribeIfPublisherIsUnableOrUnwillingToServeThemRejectionMustTriggerOnErrorAfterOnSubscribe(
        self, env: Environment
    ) -> None:
        sub = await env.subscribed(self.create_failed_publisher())
        await sub.expect_error(Exception)

    @verified
    async def test_untested_spec110_rejectASubscriptionRequestIfTheSameSubscriberSubscribesTwice(
        self, env: Environment
    ) -> None:
        publisher = self.create_publisher(1)
        sub = await env.subscribed(publisher)
        with pytest.raises(PipelineError, match=r"1\.10"):
            publisher.subscribe(sub)
        await sub.request_next()
        await sub.request_end()

    @verified
    async def test_optional_spec111_maySupportMultiSubscribe(self, env: Environment) -> None:
        publisher = self.create_publisher(1)
        await env.subscribed(publisher)
        await env.subscribed(publisher)

    @verified
    async def test_optional_spec111_registeredSubscribersMustReceiveOnNextOrOnCompleteSignals(
        self, env: Environment
    ) -> None:
        publisher = self.create_publisher(1)
        subs = [await env.subscribed(publisher) for _ in range(2)]
        for sub in subs:
            sub.request(1)
        await settle()
        assert all(sub.elements or sub.ended for sub in subs)

    @verified
    async def test_optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingOneByOne(
        self, env: Environment
    ) -> None:
        publisher = self.create_publisher(5)
        subs = [await env.subscribed(publisher) for _ in range(3)]
        script = [(0, 1), (1, 2), (0, 1), (2, 3), (2, 1), (2, 1), (1, 3), (0, 2), (0, 1)]
        for who, n in script:
            subs[who].request(n)
            if self.multicast_from_the_first:
                await subs[who].next_elements(n)
        for sub in subs:
            sub.request(1)
        for sub in subs:
            await sub.expect_completion()
        assert subs[0].elements == subs[1].elements == subs[2].elements
        assert len(subs[0].elements) == 5

    @verified
    async def test_optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfront(
        self, env: Environment
    ) -> None:
        publisher = self.create_publisher(3)
        subs = [await env.subscribed(publisher) for _ in range(3)]
        for sub in subs:
            sub.request(4)
        received = [await sub.next_elements(3) for sub in subs]
        assert received[0] == received[1] == received[2]

    @verified
    async def test_optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfrontAndCompleteAsExpected(
        self, env: Environment
    ) -> None:
        publisher = self.create_publisher(3)
        subs = [await env.subscribed(publisher) for _ in range(3)]
        for sub in subs:
            sub.request(4)
        received = [await sub.next_elements(3) for sub in subs]
        for sub in subs:
            await sub.expect_completion()
        assert received[0] == received[1] == received[2]
