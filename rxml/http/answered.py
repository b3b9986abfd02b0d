"""What a status of HTTP that is no success means to a client: trying again may help, or will not."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING, Final

from rxml.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be another one next time; all others say that the request itself is wrong there."""


def refused(
    message: str, status: int, headers: Mapping[str, str] | None, now: datetime | None = None
) -> ConnectionLost:
    """The error of an answer that is none.

    Args:
        message: for people.
        status: of HTTP.
        headers: of the answer; `Retry-After` counts.
        now: for `Retry-After` with a date; None: by the system's clock, since the date is by the server's.
    """
    after = retry_after((headers or {}).get("Retry-After"), now)
    return ConnectionLost(message, retry_after=after, final=status not in PASSING)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that the header asks to wait: a number, or a date of HTTP (RFC 9110, 10.2.3); None if it says nothing."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value, now)
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(value: str, now: datetime | None) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
