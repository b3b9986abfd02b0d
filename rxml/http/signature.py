"""Signatures of webhooks, as Standard Webhooks 1.0 has them (standardwebhooks.com): HMAC-SHA256 with id and time."""

from __future__ import annotations

import binascii
import hmac
import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final

from rxml.errors import ProtocolError
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rxml.flow.timing.duration import Duration

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
_PREFIX: Final = "whsec_"
_LEAST: Final = 16
"""Bytes of a secret."""
_MOST: Final = 32
"""Signatures that one message may carry."""


def key_of(secret: str | bytes) -> bytes:
    """The bytes of a secret: as they are, or `whsec_` and base64.

    Raises:
        ValueError: it is neither, or shorter than 16 bytes.
    """
    key = secret if isinstance(secret, bytes) else _decoded(secret)
    if len(key) < _LEAST:
        raise ValueError(f"a secret has at least {_LEAST} bytes, got {len(key)}")
    return key


def _decoded(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        raise ValueError("a secret is bytes, or a str of whsec_ and base64")
    try:
        return b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"what follows whsec_ is no base64: {error}") from None


def signed(keys: Sequence[bytes], id_: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers that sign a body.

    Args:
        keys: of secrets; each signs, so that one can be replaced by another.
        id_: of the message; without a full stop, which is what parts it from the time.
        seconds: since 1970 UTC.
        body: as sent.
    """
    signatures = " ".join("v1," + _sign(key, id_, str(seconds), body) for key in keys)
    return {ID: id_, TIMESTAMP: str(seconds), SIGNATURE: signatures}


def _sign(key: bytes, id_: str, seconds: str, body: bytes) -> str:
    message = b".".join([id_.encode(errors="surrogateescape"), seconds.encode(), body])
    return b64encode(hmac.digest(key, message, "sha256")).decode()


def verify_signature(
    secret: str | bytes | Sequence[str | bytes],
    headers: Mapping[str, str],
    body: bytes,
    tolerance: Duration = 300.0,
    *,
    now: float | None = None,
) -> str:
    """Check that a webhook was sent by who knows the secret, lately; for receivers, before they look at the body.

    Comparing takes the same time wherever signatures differ. A message that is sent twice within the tolerance passes
    twice: remember the ids for as long.

    Args:
        secret: or several, any of which may have signed: bytes, or `whsec_` and base64.
        headers: of the request; their names in any case.
        body: as it came, before decoding.
        tolerance: how far the sender's clock may be from ours, in seconds or as a timedelta.
        now: seconds since 1970 UTC; None: by the system's clock.

    Returns:
        The id of the message: the same whenever it is sent again.

    Raises:
        ValueError: a secret is none.
        ProtocolError: a header is missing, the time is too far off, or no signature is right.
    """
    several = [secret] if isinstance(secret, str | bytes) else list(secret)
    keys = [key_of(each) for each in several]
    found = {name.lower(): value for name, value in headers.items()}
    id_, seconds, signatures = (_present(found, name) for name in (ID, TIMESTAMP, SIGNATURE))
    if "." in id_:  # else the end of the time, and the beginning of the body, could be moved
        raise ProtocolError(f"the webhook's {ID} has a full stop")
    _timely(seconds, seconds_of(tolerance, "verify_signature(tolerance)"), now)
    given = [each.removeprefix("v1,") for each in signatures.split(" ") if each.startswith("v1,")]
    right = [_sign(key, id_, seconds, body) for key in keys]
    matches = [
        hmac.compare_digest(one.encode(errors="surrogateescape"), other.encode())
        for one in given[:_MOST]
        for other in right
    ]
    if not any(matches):
        raise ProtocolError("no signature of the webhook is right")
    return id_


def _present(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise ProtocolError(f"the webhook has no header {name}")
    return value


def _timely(seconds: str, tolerance: float, now: float | None) -> None:
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 16):
        raise ProtocolError(f"the webhook's {TIMESTAMP} is no number of seconds")
    apart = (time.time_ns() / 1e9 if now is None else now) - int(seconds)
    if abs(apart) > tolerance:
        old = "old" if apart > 0 else "ahead"
        raise ProtocolError(f"the webhook is {abs(apart):.0f} s {old}, at most {tolerance:g} s")
