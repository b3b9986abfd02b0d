"""Operators as processors, held to the TCK."""

# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from typing_extensions import override

from rxml import operators as ops
from rxml.errors import StreamClosedError
from rxml.reactive_streams import to_processor
from tests.lift.untyped import R, rx
from tests.tck.manual import Environment, ManualPublisher, ManualSubscriber, settle, verified
from tests.tck.processor_verification import IdentityProcessorVerification


class TestMap(IdentityProcessorVerification):
    """A kernel."""

    @override
    def operator(self) -> Any:
        return ops.map(lambda x: x)


class TestLifted(IdentityProcessorVerification):
    """An operator of reactivex."""

    @override
    def operator(self) -> Any:
        return R.map(lambda x: x)


class TestMore:
    """What the TCK does not ask of a processor."""

    @verified
    async def test_an_operator_that_needs_no_more_cancels_upstream_and_ends_all(
        self, env: Environment
    ) -> None:
        take_one: Any = ops.take(1)
        publisher, processor = ManualPublisher(), to_processor(take_one)
        publisher.subscribe(processor)
        one, two = [await env.subscribed(processor) for _ in range(2)]
        one.request(5)
        two.request(5)
        await publisher.expect_request()
        publisher.subscriber.on_next("x")
        await publisher.expect_cancelling()
        assert (one.elements, one.ended, two.elements, two.ended) == (["x"], [None], ["x"], [None])

    @verified
    async def test_an_operator_may_recover_from_an_error(self, env: Environment) -> None:
        publisher, processor = ManualPublisher(), to_processor(R.on_error_resume_next(rx.of(7)))
        publisher.subscribe(processor)
        sub = await env.subscribed(processor)
        publisher.subscriber.on_error(KeyError("handled"))
        await sub.expect_none()
        await sub.request_next()
        await sub.request_end()
        assert sub.elements == [7]

    @verified
    async def test_what_is_held_at_the_end_of_upstream_waits_to_be_asked_for(
        self, env: Environment
    ) -> None:
        publisher, processor = ManualPublisher(), to_processor(R.to_list())
        publisher.subscribe(processor)
        sub = await env.subscribed(processor)
        sub.request(1)
        for element in (1, 2):
            await publisher.expect_request()
            publisher.subscriber.on_next(element)
        publisher.subscriber.on_complete()
        assert await sub.next_element() == [1, 2]
        await sub.expect_completion()

    @verified
    async def test_who_comes_when_all_is_over_is_told_so(self, env: Environment) -> None:
        publisher, processor = ManualPublisher(), to_processor(ops.map(str))
        publisher.subscribe(processor)
        first = await env.subscribed(processor)
        first.cancel()
        await publisher.expect_cancelling()
        late = await env.subscribed(processor)
        await late.expect_error(StreamClosedError, "the last subscriber")

    @pytest.mark.parametrize("error", [None, KeyError("over")])
    def test_who_comes_after_the_end_gets_the_end(self, error: Exception | None) -> None:
        @verified
        async def check(_: TestMore, env: Environment) -> None:
            publisher, processor = ManualPublisher(), to_processor(ops.map(str))
            publisher.subscribe(processor)
            if error is None:
                publisher.subscriber.on_complete()
            else:
                publisher.subscriber.on_error(error)
            await settle()
            late = await env.subscribed(processor)
            assert late.ended == [error]

        check(self)

    @verified
    async def test_one_that_leaves_does_not_hold_the_others_up(self, env: Environment) -> None:
        publisher, processor = ManualPublisher(), to_processor(ops.map(str))
        publisher.subscribe(processor)
        one, two = [await env.subscribed(processor) for _ in range(2)]
        one.request(5)
        await settle()
        assert publisher.requested == 0
        two.cancel()
        await publisher.expect_request()
        publisher.subscriber.on_next(1)
        assert await one.next_element() == "1"
        assert two.elements == []

    @verified
    async def test_a_subscriber_that_raises_is_cancelled_alone(self, env: Environment) -> None:
        class Raising(ManualSubscriber):
            @override
            def on_next(self, value: Any) -> None:
                super().on_next(value)
                raise KeyError("mine")

        publisher, processor = ManualPublisher(), to_processor(ops.map(str))
        publisher.subscribe(processor)
        raising, other = Raising(env), await env.subscribed(processor)
        processor.subscribe(raising)
        for sub in (raising, other):
            sub.request(5)
        await publisher.expect_request()
        publisher.subscriber.on_next(1)
        publisher.subscriber.on_next(2)
        assert await other.next_elements(2) == ["1", "2"]
        assert (raising.elements, raising.ended) == (["1"], [])
        assert [repr(error) for error in env.errors] == ["KeyError('mine')"]
        env.errors.clear()

    def test_without_a_loop_there_is_no_processor(self) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            to_processor(ops.map(str))

    def test_a_capacity_must_be_positive(self) -> None:
        async def main() -> None:
            to_processor(ops.map(str), capacity=0)

        with pytest.raises(ValueError, match="capacity >= 1, got 0"):
            asyncio.run(main())
