"""SubscriberBlackboxVerification of the TCK: 26 checks, those it leaves untested included."""

# ruff: noqa: N802 - the names are those of the TCK

from __future__ import annotations

from tests.tck.manual import Environment, settle, verified
from tests.tck.subscriber_verification import SubscriberVerification


class SubscriberBlackboxVerification(SubscriberVerification):
    """Base of one class of tests for each subscriber. Demand is triggered, since a flow asks when it is asked."""

    @verified
    async def test_required_spec201_blackbox_mustSignalDemandViaSubscriptionRequest(
        self, env: Environment
    ) -> None:
        probe, publisher = await self.stage()
        probe.trigger_request(10)
        for number in range(min(512, await publisher.expect_request())):
            publisher.subscriber.on_next(number)
        publisher.subscriber.on_complete()
        await probe.close()

    @verified
    async def test_untested_spec202_blackbox_shouldAsynchronouslyDispatch(
        self, env: Environment
    ) -> None:
        await self.is_quick()

    @verified
    async def test_required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete(
        self, env: Environment
    ) -> None:
        await self.calls_nobody_in(env, "on_complete")

    @verified
    async def test_required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnError(
        self, env: Environment
    ) -> None:
        await self.calls_nobody_in(env, "on_error", KeyError("test"))

    @verified
    async def test_untested_spec204_blackbox_mustConsiderTheSubscriptionAsCancelledInAfterRecievingOnCompleteOrOnError(
        self, env: Environment
    ) -> None:
        await self.is_over_after_the_end()

    @verified
    async def test_required_spec205_blackbox_mustCallSubscriptionCancelIfItAlreadyHasAnSubscriptionAndReceivesAnotherOnSubscribeSignal(
        self, env: Environment
    ) -> None:
        await self.refuses_a_second_subscription(env)

    @verified
    async def test_untested_spec206_blackbox_mustCallSubscriptionCancelIfItIsNoLongerValid(
        self, env: Environment
    ) -> None:
        await self.cancels_when_no_longer_needed()

    @verified
    async def test_untested_spec207_blackbox_mustEnsureAllCallsOnItsSubscriptionTakePlaceFromTheSameThreadOrTakeCareOfSynchronization(
        self, env: Environment
    ) -> None:
        await self.asks_from_one_thread()

    @verified
    async def test_untested_spec208_blackbox_mustBePreparedToReceiveOnNextSignalsAfterHavingCalledSubscriptionCancel(
        self, env: Environment
    ) -> None:
        probe, publisher = await self.stage()
        probe.trigger_request(1)
        await publisher.expect_request()
        await probe.signal_cancel()
        publisher.subscriber.on_next(1)
        await settle()
        assert probe.elements == []
        await probe.close()

    @verified
    async def test_required_spec209_blackbox_mustBePreparedToReceiveAnOnCompleteSignalWithPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(None, asked=True)

    @verified
    async def test_required_spec209_blackbox_mustBePreparedToReceiveAnOnCompleteSignalWithoutPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(None, asked=False)

    @verified
    async def test_required_spec210_blackbox_mustBePreparedToReceiveAnOnErrorSignalWithPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(KeyError("test"), asked=True)

    @verified
    async def test_required_spec210_blackbox_mustBePreparedToReceiveAnOnErrorSignalWithoutPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(KeyError("test"), asked=False)

    @verified
    async def test_untested_spec211_blackbox_mustMakeSureThatAllCallsOnItsMethodsHappenBeforeTheProcessingOfTheRespectiveEvents(
        self, env: Environment
    ) -> None:
        await self.processes_in_order_of_arrival()

    @verified
    async def test_untested_spec212_blackbox_mustNotCallOnSubscribeMoreThanOnceBasedOnObjectEquality(
        self, env: Environment
    ) -> None:
        await self.refuses_a_second_subscription(env)

    @verified
    async def test_untested_spec213_blackbox_failingOnSignalInvocation(
        self, env: Environment
    ) -> None:
        probe, publisher = await self.stage()
        publisher.subscriber.on_next("unasked")
        publisher.subscriber.on_error("no exception")
        await settle()
        assert publisher.subscription.cancelled == 1
        await probe.close()

    @verified
    async def test_required_spec213_blackbox_onSubscribe_mustThrowNullPointerExceptionWhenParametersAreNull(
        self, env: Environment
    ) -> None:
        await self.null("on_subscribe", subscribed=False)

    @verified
    async def test_required_spec213_blackbox_onNext_mustThrowNullPointerExceptionWhenParametersAreNull(
        self, env: Environment
    ) -> None:
        """Not in Python: None is an element like any other, and passes unchanged."""
        probe, publisher = await self.stage()
        probe.trigger_request(1)
        await publisher.expect_request()
        publisher.subscriber.on_next(None)
        await settle()
        assert probe.elements == [None]
        await probe.close()

    @verified
    async def test_required_spec213_blackbox_onError_mustThrowNullPointerExceptionWhenParametersAreNull(
        self, env: Environment
    ) -> None:
        await self.null("on_error", subscribed=True)

    @verified
    async def test_untested_spec301_blackbox_mustNotBeCalledOutsideSubscriberContext(
        self, env: Environment
    ) -> None:
        await self.asks_from_one_thread()

    @verified
    async def test_untested_spec308_blackbox_requestMustRegisterGivenNumberElementsToBeProduced(
        self, env: Environment
    ) -> None:
        probe, publisher = await self.stage()
        for n in (2, 3):
            probe.trigger_request(n)
            assert await publisher.expect_request() == n
            for number in range(n):
                publisher.subscriber.on_next(number)
            await settle()
        assert probe.elements == [0, 1, 0, 1, 2]
        await probe.close()

    @verified
    async def test_untested_spec310_blackbox_requestMaySynchronouslyCallOnNextOnSubscriber(
        self, env: Environment
    ) -> None:
        await self.answers_inside_of_request(None)

    @verified
    async def test_untested_spec311_blackbox_requestMaySynchronouslyCallOnCompleteOrOnError(
        self, env: Environment
    ) -> None:
        await self.answers_inside_of_request(KeyError("inside"))

    @verified
    async def test_untested_spec314_blackbox_cancelMayCauseThePublisherToShutdownIfNoOtherSubscriptionExists(
        self, env: Environment
    ) -> None:
        await self.cancels_when_no_longer_needed()

    @verified
    async def test_untested_spec315_blackbox_cancelMustNotThrowExceptionAndMustSignalOnError(
        self, env: Environment
    ) -> None:
        await self.survives(env, "cancel")

    @verified
    async def test_untested_spec316_blackbox_requestMustNotThrowExceptionAndMustOnErrorTheSubscriber(
        self, env: Environment
    ) -> None:
        await self.survives(env, "request")
