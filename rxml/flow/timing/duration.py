"""Durations, as arguments: seconds as a number, or a `timedelta`."""

from __future__ import annotations

from datetime import timedelta
from numbers import Real
from typing import TypeAlias

Duration: TypeAlias = float | timedelta
"""Seconds, or a `timedelta`."""


def seconds_of(value: Duration, name: str) -> float:
    """The duration in seconds, >= 0; infinity is for ever.

    Args:
        value: seconds as a number, or a `timedelta`.
        name: the argument as people read it, for errors: `debounce(duetime)`.

    Raises:
        TypeError: neither a number nor a `timedelta`. A moment by the clock on the wall is refused as well, since the
            time of a run is that of its event loop.
        ValueError: negative or not a number.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else _number(value, name)
    if not seconds >= 0:
        message = f"{name} wants a duration >= 0, got {value!r}"
        raise ValueError(message)
    return seconds


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        message = f"{name} wants seconds as a number or a timedelta, got {value!r}"
        raise TypeError(message)
    return float(value)
