"""IdentityProcessorVerification of the TCK: a processor keeps the rules of both sides (4.1), and three of its own."""

# ruff: noqa: N802 - the names are those of the TCK

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.reactive_streams import to_processor
from tests.tck.manual import Environment, ManualPublisher, settle, verified
from tests.tck.probes import ProcessorProbe
from tests.tck.test_publishers import FlowVerification
from tests.tck.whitebox_verification import SubscriberWhiteboxVerification

if TYPE_CHECKING:
    from rxml.reactive_streams import Publisher
    from tests.tck.subscriber_verification import Probe


class IdentityProcessorVerification(FlowVerification, SubscriberWhiteboxVerification):
    """Base of one class of tests for each operator that passes on what it gets."""

    multicast_from_the_first = False

    def operator(self) -> Any:
        raise NotImplementedError

    @override
    def operators(self) -> list[Any]:
        return []

    @override
    def create(self) -> Probe:
        return ProcessorProbe(self.operator())

    @override
    def create_publisher(self, elements: int) -> Publisher[Any]:
        processor = to_processor(self.operator())
        super().create_publisher(elements).subscribe(processor)
        return processor

    @override
    def create_failed_publisher(self) -> Publisher[Any]:
        processor = to_processor(self.operator())
        super().create_failed_publisher().subscribe(processor)
        return processor

    @verified
    async def test_required_spec104_mustCallOnErrorOnAllItsSubscribersIfItEncountersANonRecoverableError(
        self, env: Environment
    ) -> None:
        publisher, processor = ManualPublisher(), to_processor(self.operator())
        publisher.subscribe(processor)
        one, two = [await env.subscribed(processor) for _ in range(2)]
        one.request(1)
        two.request(1)
        await publisher.expect_request()
        publisher.subscriber.on_next("x")
        await settle()
        assert one.elements == two.elements == ["x"]
        one.request(1)
        boom = RuntimeError("test")
        publisher.subscriber.on_error(boom)
        await settle()
        assert one.ended == two.ended == [boom]

    @verified
    async def test_mustImmediatelyPassOnOnErrorEventsReceivedFromItsUpstreamToItsDownstream(
        self, env: Environment
    ) -> None:
        publisher, processor = ManualPublisher(), to_processor(self.operator())
        publisher.subscribe(processor)
        sub = await env.subscribed(processor)
        boom = RuntimeError("test")
        publisher.subscriber.on_error(boom)
        await settle()
        assert sub.ended == [boom]

    @verified
    async def test_required_mustRequestFromUpstreamForElementsThatHaveBeenRequestedLongAgo(
        self, env: Environment
    ) -> None:
        publisher, processor = ManualPublisher(), to_processor(self.operator())
        publisher.subscribe(processor)
        one = await env.subscribed(processor)
        one.request(20)
        await settle()
        for sent, element in enumerate(("x", "y")):
            if publisher.requested <= sent:
                await publisher.expect_request()
            publisher.subscriber.on_next(element)
            assert await one.next_element() == element
        if publisher.requested <= 2:
            await publisher.expect_request()
        two = await env.subscribed(processor)
        publisher.subscriber.on_next("z")
        await one.expect_none()  # emission is coordinated: nobody is ahead of the slowest
        await two.expect_none()
        two.request(1)
        assert await one.next_element() == await two.next_element() == "z"
        if publisher.requested <= 3:
            await publisher.expect_request()
        publisher.subscriber.on_complete()
        await settle()
        assert one.ended == two.ended == [None]
