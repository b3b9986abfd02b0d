"""The port is whole: the numbers of checks are those of the TCK, and none of them is empty."""

from __future__ import annotations

import pytest

from tests.tck.blackbox_verification import SubscriberBlackboxVerification
from tests.tck.processor_verification import IdentityProcessorVerification
from tests.tck.publisher_verification import PublisherVerification
from tests.tck.whitebox_verification import SubscriberWhiteboxVerification


def checks(verification: type) -> list[str]:
    return [name for name in dir(verification) if name.startswith("test_")]


@pytest.mark.parametrize(
    ("verification", "count"),
    [
        (PublisherVerification, 38),
        (SubscriberWhiteboxVerification, 27),
        (SubscriberBlackboxVerification, 26),
        (IdentityProcessorVerification, 38 + 27 + 3),
    ],
)
def test_no_check_is_left_out(verification: type, count: int) -> None:
    assert len(checks(verification)) == count


def test_the_twenty_untested_rules_are_tested() -> None:
    untested = {
        name.split("_")[2] + name.split("_")[3][:30]
        for verification in (PublisherVerification, SubscriberWhiteboxVerification)
        for name in checks(verification)
        if "untested" in name
    }
    assert len(untested) == 20
