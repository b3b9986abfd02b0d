"""Flows as publishers, held to the TCK."""

# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.reactive_streams import from_publisher, to_publisher
from tests.lift.untyped import R
from tests.tck.manual import LONG_MAX
from tests.tck.publisher_verification import PublisherVerification

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.flowable import Flowable
    from rxml.reactive_streams import Publisher


class FlowVerification(PublisherVerification):
    """A flow with some operators behind a source that says what happens to it."""

    def setup_method(self) -> None:
        self.happened: list[str] = []

    @property
    @override
    def log(self) -> list[str]:
        return self.happened

    def operators(self) -> list[Any]:
        return []

    def elements(self, count: int) -> int:
        """How many elements the source must make for so many results."""
        return count

    def source(self, count: int) -> Flowable[int]:
        def make() -> Iterator[int]:
            self.happened.append("open")
            try:
                number = 0
                while count >= LONG_MAX or number < count:
                    self.happened.append("next")
                    yield number
                    number += 1
            finally:
                self.happened.append("close")

        return rxml.from_iterable(make)

    @override
    def create_publisher(self, elements: int) -> Publisher[Any]:
        return to_publisher(self.source(self.elements(elements)).pipe(*self.operators()))

    @override
    def create_failed_publisher(self) -> Publisher[Any]:
        failed: Flowable[Any] = rxml.throw(KeyError("failed"))
        return to_publisher(failed.pipe(*self.operators()))


class TestIdentity(FlowVerification):
    """A source as it is."""


class TestMap(FlowVerification):
    """A fused row."""

    @override
    def operators(self) -> list[Any]:
        return [ops.map(str), ops.map(len)]


class TestLifted(FlowVerification):
    """Operators of reactivex."""

    @override
    def operators(self) -> list[Any]:
        return [R.map(str), R.scan(lambda a, b: a + b)]


class TestDelayed(FlowVerification):
    """An asynchronous stage: elements come later than they are asked for."""

    @override
    def operators(self) -> list[Any]:
        return [R.delay(0.01)]


class TestThereAndBack(FlowVerification):
    """A publisher that is read as a flow that is published again."""

    @override
    def create_publisher(self, elements: int) -> Publisher[Any]:
        return to_publisher(from_publisher(super().create_publisher(elements)))

    @override
    def create_failed_publisher(self) -> Publisher[Any]:
        return to_publisher(from_publisher(super().create_failed_publisher()))


class TestBuffer(FlowVerification):
    """A fold: several elements for one result."""

    @override
    def operators(self) -> list[Any]:
        return [ops.buffer(2)]

    @override
    def elements(self, count: int) -> int:
        return count if count >= LONG_MAX else 2 * count


class TestPrefetch(FlowVerification):
    """A boundary that asks ahead."""

    @override
    def operators(self) -> list[Any]:
        return [ops.prefetch(4)]


class TestShare(FlowVerification):
    """One run for all subscribers, as fast as the slowest."""

    multicast_from_the_first = False

    @override
    def create_publisher(self, elements: int) -> Publisher[Any]:
        return to_publisher(self.source(elements).pipe(ops.share()), look_ahead=False)
