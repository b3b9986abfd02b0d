"""Times, durations and sizes as they are typed."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from rxml.cli.moments import duration, moment, size

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (moment, "2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        (moment, "20260102", datetime(2026, 1, 2, tzinfo=UTC)),
        (moment, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (
            moment,
            "2026-01-02T03:04:05-08:00",
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-8))),
        ),
        (moment, "1767312000000000000", 1767312000000000000),
        (moment, "-1", -1),
        (duration, "90", 90),
        (duration, "1.5h", 5400),
        (duration, "30d", 30 * 86_400),
        (duration, "2w", 14 * 86_400),
        (size, "1000", 1000),
        (size, "1.5kB", 1500),
        (size, "2GiB", 2**31),
        (size, "3M", 3_000_000),
    ],
)
def test_what_is_typed_is_understood(read: Callable[[str], Any], text: str, found: object) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (moment, "noon"),
        (moment, ""),
        (duration, "soon"),
        (duration, "-1d"),
        (size, "big"),
        (size, ""),
    ],
)
def test_what_is_not_understood_is_named(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"wants a .* got {text}"):
        read(text)
