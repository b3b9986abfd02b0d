"""Windowing: which elements of a key belong together. Spans of time are half-open, [start, end), in int64 ns UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.errors import PipelineError
from rxml.eventtime.instants import instant, nanoseconds
from rxml.flow.check import require_count

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from rxml.flow.timing.duration import Duration


@dataclass(frozen=True, slots=True)
class Sliding:
    """Windows of `size` that begin at each multiple of `every` behind `origin`; nanoseconds."""

    size: int
    every: int
    origin: int

    @override
    def __repr__(self) -> str:
        """As it was built, in seconds."""
        origin = f", origin={self.origin}" if self.origin else ""
        if self.size == self.every:
            return f"tumbling({self.size / 1e9:.12g}{origin})"
        return f"sliding({self.size / 1e9:.12g}, {self.every / 1e9:.12g}{origin})"

    @property
    def overlap(self) -> int:
        """Windows that an instant is in, at most."""
        return -(-self.size // self.every)

    def last_start(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The start of the last window that begins at or before each instant."""
        return times - (times - self.origin) % self.every

    def start_of(self, time: int) -> int:
        """The same of one instant."""
        return time - (time - self.origin) % self.every

    def slice_starts(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The start of the slice that each instant is in: time is cut where windows begin and where they end.

        That makes two slices for each window at most, whatever divides what. (Krishnamurthy, Wu, Franklin: On-the-fly
        sharing for streamed aggregation, SIGMOD 2006, section 3: paired windows.)
        """
        rest = (times - self.origin) % self.every
        return times - np.where(rest < self.size % self.every, rest, rest - self.size % self.every)

    def cut(self, start: int) -> int:
        """Where the window that begins there is cut in two: at the start of the next of every `overlap`-th window.

        Windows that follow one another are cut at the same place, `overlap` of them.
        """
        step = self.overlap * self.every
        return start + (self.origin - start) % step


@dataclass(frozen=True, slots=True)
class Session:
    """Windows that last until no element has come for `gap` nanoseconds."""

    gap: int

    @override
    def __repr__(self) -> str:
        """As it was built, in seconds."""
        return f"session({self.gap / 1e9:.12g})"


@dataclass(frozen=True, slots=True)
class Count:
    """Windows of `n` elements in the order in which they come, one every `step`."""

    n: int
    step: int

    @override
    def __repr__(self) -> str:
        """As it was built."""
        return f"count({self.n})" if self.n == self.step else f"count({self.n}, {self.step})"


@dataclass(frozen=True, slots=True)
class Global:
    """One window of all time."""

    @override
    def __repr__(self) -> str:
        """As it was built."""
        return "global_()"


_LONGEST: Final = 1 << 62
"""Nanoseconds: so that a window of today ends within what int64 can say."""

Windowing: TypeAlias = Sliding | Session | Count | Global


def tumbling(size: Duration, origin: int | datetime = 0) -> Windowing:
    """Windows that follow one another without gap or overlap.

    Args:
        size: how long each is: seconds or a timedelta, > 0.
        origin: an instant at which one of them begins: nanoseconds since 1970 UTC, or an aware datetime.
    """
    length = _positive("tumbling(size)", size)
    return Sliding(length, length, instant(origin) % length)


def sliding(size: Duration, every: Duration, origin: int | datetime = 0) -> Windowing:
    """Windows that overlap, or leave gaps.

    Args:
        size: how long each is: seconds or a timedelta, > 0.
        every: from the beginning of one to that of the next, > 0; what is in none of them is left out if it exceeds size.
        origin: an instant at which one of them begins: nanoseconds since 1970 UTC, or an aware datetime.
    """
    length, step = _positive("sliding(size)", size), _positive("sliding(every)", every)
    return Sliding(length, step, instant(origin) % step)


def session(gap: Duration) -> Windowing:
    """Windows of activity: elements of a key that are less than `gap` apart belong together, in whatever order they come.

    A window begins with its first element and ends `gap` behind its last; an element between two may make one of them.

    Args:
        gap: seconds or a timedelta, > 0.
    """
    return Session(_positive("session(gap)", gap))


def count(n: int, step: int | None = None) -> Windowing:
    """Windows of n elements of a key each, in the order in which they come; what is left at the end comes out, too.

    Args:
        n: elements in a window, >= 1.
        step: elements from the beginning of one to that of the next, >= 1; None: n.
    """
    size = require_count("count(n)", n, 1)
    return Count(size, size if step is None else require_count("count(step)", step, 1))


def global_() -> Windowing:
    """One window of all time for each key, which ends with the stream."""
    return Global()


def require_windowing(value: object) -> Windowing:
    """The value, if it says which elements belong together.

    Raises:
        PipelineError: it does not.
    """
    if isinstance(value, Sliding | Session | Count | Global):
        return value
    message = (
        "window wants tumbling(size), sliding(size, every), session(gap), count(n) or global_() of rxml.windows, or a "
        f"flow, got {value!r}"
    )
    raise PipelineError(message)


def _positive(name: str, duration: Duration) -> int:
    length = nanoseconds(duration, name)
    if not 0 < length <= _LONGEST:
        message = f"{name} wants a duration > 0 and below 146 years, got {duration!r}"
        raise ValueError(message)
    return length
