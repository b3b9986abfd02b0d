"""Whoever gets a webhook can tell who has sent it, and when."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.errors import ProtocolError
from rxml.http import verify_signature, webhook
from rxml.http.signature import signed

SECRET = b"0123456789abcdef"


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    key = base64.b64decode(secret.removeprefix("whsec_"))
    headers = signed([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    found = verify_signature(secret, headers, body, now=1614265331)
    assert found == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@given(body=st.binary(max_size=99), other=st.binary(max_size=99), late=st.integers(-400, 400))
def test_only_the_same_body_lately_is_right(body: bytes, other: bytes, late: int) -> None:
    headers = signed([SECRET], "id", 1000, body)
    right = abs(late) <= 300 and body == other
    if right:
        assert verify_signature(SECRET, headers, other, now=1000 + late) == "id"
        return
    with pytest.raises(ProtocolError):
        verify_signature(SECRET, headers, other, now=1000 + late)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "other"},
        {"webhook-timestamp": "1001"},
        {"webhook-timestamp": "1e3"},
        {"webhook-timestamp": "٣"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "é"},
        {"webhook-signature": "v1,\udcff"},
        {"webhook-id": "\udcff"},
        {"webhook-signature": ""},
    ],
)
def test_a_header_that_was_changed_is_wrong(change: dict[str, str]) -> None:
    headers = {**signed([SECRET], "id", 1000, b"x"), **change}
    with pytest.raises(ProtocolError):
        verify_signature(SECRET, headers, b"x", now=1000)


def test_the_time_cannot_be_taken_from_the_body() -> None:
    headers = signed([SECRET], "id", 1000, b"2000.5")
    moved = {**headers, "webhook-id": "id.1000", "webhook-timestamp": "2000"}
    with pytest.raises(ProtocolError, match="full stop"):
        verify_signature(SECRET, moved, b"5", now=2000)


def test_a_secret_can_be_replaced_by_another() -> None:
    other = b"fedcba9876543210"
    headers = signed([SECRET, other], "id", 1000, b"x")
    upper = {name.upper(): value for name, value in headers.items()}
    for secret in (SECRET, other, [b"1" * 16, other]):
        assert verify_signature(secret, upper, b"x", now=1000) == "id"
    with pytest.raises(ProtocolError, match="no signature"):
        verify_signature(b"1" * 16, upper, b"x", now=1000)


@pytest.mark.parametrize("secret", ["plain", "whsec_%%", b"short", "whsec_" + "QQ=="])
def test_a_secret_that_is_none(secret: Any) -> None:
    with pytest.raises(ValueError, match=r"secret|whsec_"):
        webhook("http://x", secret=secret)
