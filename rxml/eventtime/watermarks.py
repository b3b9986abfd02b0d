"""Watermarks: how far a stream has come in event time, as its elements tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from typing_extensions import override

from rxml.eventtime.instants import instant, nanoseconds, require_unit
from rxml.flow.check import PLAIN, require_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.instants import Unit
    from rxml.flow.timing.duration import Duration

LONG_AGO: Final = -(1 << 63)
"""The watermark of a stream that has told nothing yet."""


class Watermarks(Protocol):
    """A policy: after each element, before which time no further element is expected."""

    def after(self, items: Sequence[Any], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each element, what it alone tells; the highest so far is the watermark.

        Args:
            items: the elements.
            times: their event times, int64 ns UTC, shape (n,).

        Returns:
            int64 ns UTC, shape (n,); `LONG_AGO` where an element tells nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bounded:
    """See `bounded`."""

    delay: int

    def after(self, items: Sequence[Any], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The time of each element less the delay."""
        del items
        marks: NDArray[np.int64] = np.maximum(times, LONG_AGO + self.delay)
        marks -= self.delay
        return marks

    @override
    def __repr__(self) -> str:
        return f"bounded({self.delay / 1e9:g})" if self.delay else "monotonic()"


@dataclass(frozen=True, slots=True)
class Punctuated:
    """See `punctuated`."""

    function: Callable[[Any], Any]
    unit: Unit | None = None

    def after(self, items: Sequence[Any], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the function says of each element."""
        del times
        said = map(self.function, items)
        marks = (LONG_AGO if each is None else instant(each, self.unit) for each in said)
        return np.fromiter(marks, np.int64, len(items))

    @override
    def __repr__(self) -> str:
        return f"punctuated({getattr(self.function, '__name__', self.function)})"


def bounded(delay: Duration) -> Watermarks:
    """Elements come at most `delay` behind the newest: the watermark is the highest time so far less that.

    Args:
        delay: seconds or a timedelta, >= 0.
    """
    return Bounded(nanoseconds(delay, "bounded(delay)"))


def monotonic() -> Watermarks:
    """Times never go back: the watermark is the highest time so far, and what is before it is late."""
    return Bounded(0)


def punctuated(function: Callable[[Any], Any], unit: Unit | None = None) -> Watermarks:
    """Some elements tell: `function` gives the time before which none follows, or None if the element tells nothing.

    Args:
        function: of an element; gives nanoseconds, an aware datetime, or None.
        unit: what numbers count; None: nanoseconds.

    Raises:
        PipelineError: no function.
        TypeError: a coroutine function.
        ValueError: no such unit.
    """
    require_function("punctuated", function, "gives a time or None", PLAIN)
    require_unit("punctuated", unit)
    return Punctuated(function, unit)
