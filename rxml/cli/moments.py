"""Times, durations and sizes as they are typed."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from typing import Final

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)?")
_SECONDS: Final = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def moment(text: str) -> int | datetime:
    """A time: ISO 8601, in UTC unless it names a zone; or whole nanoseconds since 1970 UTC.

    Raises:
        ArgumentTypeError: it is neither.
    """
    if text.lstrip("-").isdecimal() and not re.fullmatch(r"\d{8}", text):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"wants a time such as 2026-01-02T03:04:05 or nanoseconds since 1970, got {text}"
        raise argparse.ArgumentTypeError(message) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def duration(text: str) -> float:
    """A duration in seconds: `90`, `15m`, `12h`, `30d`, `2w`.

    Raises:
        ArgumentTypeError: it is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        message = f"wants a duration such as 90s, 12h or 30d, got {text}"
        raise argparse.ArgumentTypeError(message)
    return float(found[1]) * _SECONDS[found[2]]


def size(text: str) -> int:
    """A size in bytes: `1000`, `500kB`, `2GB`, `1GiB`.

    Raises:
        ArgumentTypeError: it is none.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        message = f"wants a size such as 500MB or 1GiB, got {text}"
        raise argparse.ArgumentTypeError(message)
    base = 1024 if found[3] else 1000
    return int(float(found[1]) * base ** _POWERS[found[2].lower()])
