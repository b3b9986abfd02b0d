"""SubscriberWhiteboxVerification of the TCK: 27 checks, those it leaves untested included.

White box: the test can make the subscriber ask and cancel, and sees what it was given.
"""

# ruff: noqa: N802 - the names are those of the TCK

from __future__ import annotations

from tests.tck.manual import Environment, settle, verified
from tests.tck.subscriber_verification import SubscriberVerification


class SubscriberWhiteboxVerification(SubscriberVerification):
    """Base of one class of tests for each subscriber."""

    @verified
    async def test_required_exerciseWhiteboxHappyPath(self, env: Environment) -> None:
        probe, publisher = await self.stage()
        probe.trigger_request(1)
        probe.trigger_request(1)
        received = await publisher.expect_request()
        publisher.subscriber.on_next("a")
        await settle()
        assert probe.elements == ["a"]
        probe.trigger_request(1)
        if received == 1:
            await publisher.expect_request()
        publisher.subscriber.on_next("b")
        await settle()
        assert probe.elements == ["a", "b"]
        await probe.signal_cancel()
        await publisher.expect_cancelling()
        await probe.close()

    @verified
    async def test_required_spec201_mustSignalDemandViaSubscriptionRequest(
        self, env: Environment
    ) -> None:
        probe, publisher = await self.stage()
        assert publisher.requested == 0
        probe.trigger_request(1)
        assert await publisher.expect_request() == 1
        publisher.subscriber.on_next(1)
        await probe.close()

    @verified
    async def test_untested_spec202_shouldAsynchronouslyDispatch(self, env: Environment) -> None:
        await self.is_quick()

    @verified
    async def test_required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete(
        self, env: Environment
    ) -> None:
        await self.calls_nobody_in(env, "on_complete")

    @verified
    async def test_required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnError(
        self, env: Environment
    ) -> None:
        await self.calls_nobody_in(env, "on_error", KeyError("test"))

    @verified
    async def test_untested_spec204_mustConsiderTheSubscriptionAsCancelledInAfterRecievingOnCompleteOrOnError(
        self, env: Environment
    ) -> None:
        await self.is_over_after_the_end()

    @verified
    async def test_required_spec205_mustCallSubscriptionCancelIfItAlreadyHasAnSubscriptionAndReceivesAnotherOnSubscribeSignal(
        self, env: Environment
    ) -> None:
        await self.refuses_a_second_subscription(env)

    @verified
    async def test_untested_spec206_mustCallSubscriptionCancelIfItIsNoLongerValid(
        self, env: Environment
    ) -> None:
        await self.cancels_when_no_longer_needed()

    @verified
    async def test_untested_spec207_mustEnsureAllCallsOnItsSubscriptionTakePlaceFromTheSameThreadOrTakeCareOfSynchronization(
        self, env: Environment
    ) -> None:
        await self.asks_from_one_thread()

    @verified
    async def test_required_spec208_mustBePreparedToReceiveOnNextSignalsAfterHavingCalledSubscriptionCancel(
        self, env: Environment
    ) -> None:
        probe, publisher = await self.stage()
        probe.trigger_request(2)
        await publisher.expect_request()
        await probe.signal_cancel()
        publisher.subscriber.on_next(1)
        publisher.subscriber.on_next(2)
        await settle()
        assert probe.elements == []
        await probe.close()

    @verified
    async def test_required_spec209_mustBePreparedToReceiveAnOnCompleteSignalWithPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(None, asked=True)

    @verified
    async def test_required_spec209_mustBePreparedToReceiveAnOnCompleteSignalWithoutPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(None, asked=False)

    @verified
    async def test_required_spec210_mustBePreparedToReceiveAnOnErrorSignalWithPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(KeyError("test"), asked=True)

    @verified
    async def test_required_spec210_mustBePreparedToReceiveAnOnErrorSignalWithoutPrecedingRequestCall(
        self, env: Environment
    ) -> None:
        await self.ends(KeyError("test"), asked=False)

    @verified
    async def test_untested_spec211_mustMakeSureThatAllCallsOnItsMethodsHappenBeforeTheProcessingOfTheRespectiveEvents(
        self, env: Environment
    ) -> None:
        await self.processes_in_order_of_arrival()

    @verified
    async def test_untested_spec212_mustNotCallOnSubscribeMoreThanOnceBasedOnObjectEquality_specViolation(
        self, env: Environment
    ) -> None:
        await self.refuses_a_second_subscription(env)

    @verified
    async def test_untested_spec213_failingOnSignalInvocation(self, env: Environment) -> None:
        """A signal returns normally whatever is behind it: an error that is no error, an element nobody asked for."""
        probe, publisher = await self.stage()
        publisher.subscriber.on_next("unasked")
        await publisher.expect_cancelling()
        publisher.subscriber.on_error("no exception")
        publisher.subscriber.on_complete()
        await probe.close()

    @verified
    async def test_required_spec213_onSubscribe_mustThrowNullPointerExceptionWhenParametersAreNull(
        self, env: Environment
    ) -> None:
        await self.null("on_subscribe", subscribed=False)

    @verified
    async def test_required_spec213_onNext_mustThrowNullPointerExceptionWhenParametersAreNull(
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
    async def test_required_spec213_onError_mustThrowNullPointerExceptionWhenParametersAreNull(
        self, env: Environment
    ) -> None:
        await self.null("on_error", subscribed=True)

    @verified
    async def test_untested_spec301_mustNotBeCalledOutsideSubscriberContext(
        self, env: Environment
    ) -> None:
        await self.asks_from_one_thread()

    @verified
    async def test_required_spec308_requestMustRegisterGivenNumberElementsToBeProduced(
        self, env: Environment
    ) -> None:
        probe, publisher = await self.stage()
        probe.trigger_request(2)
        assert await publisher.expect_request() == 2
        for number in (1, 2):
            publisher.subscriber.on_next(number)
            await settle()
            assert probe.elements[-1] == number
        assert publisher.requested == 2
        probe.trigger_request(3)
        assert await publisher.expect_request() == 3
        await probe.close()

    @verified
    async def test_untested_spec310_requestMaySynchronouslyCallOnNextOnSubscriber(
        self, env: Environment
    ) -> None:
        await self.answers_inside_of_request(None)

    @verified
    async def test_untested_spec311_requestMaySynchronouslyCallOnCompleteOrOnError(
        self, env: Environment
    ) -> None:
        await self.answers_inside_of_request(KeyError("inside"))

    @verified
    async def test_untested_spec314_cancelMayCauseThePublisherToShutdownIfNoOtherSubscriptionExists(
        self, env: Environment
    ) -> None:
        await self.cancels_when_no_longer_needed()

    @verified
    async def test_untested_spec315_cancelMustNotThrowExceptionAndMustSignalOnError(
        self, env: Environment
    ) -> None:
        await self.survives(env, "cancel")

    @verified
    async def test_untested_spec316_requestMustNotThrowExceptionAndMustOnErrorTheSubscriber(
        self, env: Environment
    ) -> None:
        await self.survives(env, "request")
