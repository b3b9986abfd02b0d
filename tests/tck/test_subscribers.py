"""Flows as subscribers, held to the TCK."""

# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from rxml import operators as ops
from tests.lift.untyped import R
from tests.tck.blackbox_verification import SubscriberBlackboxVerification
from tests.tck.probes import FlowProbe, ProcessorProbe
from tests.tck.whitebox_verification import SubscriberWhiteboxVerification

if TYPE_CHECKING:
    from tests.tck.subscriber_verification import Probe


class TestFlowWhitebox(SubscriberWhiteboxVerification):
    """`from_publisher`."""

    @override
    def create(self) -> Probe:
        return FlowProbe()


class TestFlowBlackbox(SubscriberBlackboxVerification):
    """`from_publisher`."""

    @override
    def create(self) -> Probe:
        return FlowProbe()


class TestMapWhitebox(SubscriberWhiteboxVerification):
    """A fused row behind `from_publisher`."""

    @override
    def create(self) -> Probe:
        return FlowProbe(ops.map(lambda x: x))


class TestProcessorWhitebox(SubscriberWhiteboxVerification):
    """`to_processor`."""

    @override
    def create(self) -> Probe:
        return ProcessorProbe(ops.map(lambda x: x))


class TestProcessorBlackbox(SubscriberBlackboxVerification):
    """`to_processor`."""

    @override
    def create(self) -> Probe:
        return ProcessorProbe(ops.map(lambda x: x))


class TestLiftedProcessorWhitebox(SubscriberWhiteboxVerification):
    """`to_processor` of an operator of reactivex."""

    @override
    def create(self) -> Probe:
        return ProcessorProbe(R.map(lambda x: x))
