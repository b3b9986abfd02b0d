"""Emission: when a window tells what it has come to, and how that relates to what it told before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rxml.errors import PipelineError
from rxml.eventtime.instants import nanoseconds
from rxml.flow.check import require_count
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from rxml.flow.timing.duration import Duration

Accumulation: TypeAlias = Literal["accumulating", "discarding", "retracting"]
"""What a further pane of a window holds: all so far; what is new; or all so far, behind a pane that takes the last one back."""

ACCUMULATIONS: tuple[Accumulation, ...] = ("accumulating", "discarding", "retracting")


@dataclass(frozen=True, slots=True)
class Close:
    """Once, when the watermark has passed the window's end."""


@dataclass(frozen=True, slots=True)
class Update:
    """With every n-th element of the window, and at its end."""

    n: int


@dataclass(frozen=True, slots=True)
class Every:
    """Each time that event time has gone on by `period` ns inside the window, and at its end."""

    period: int


@dataclass(frozen=True, slots=True)
class Early:
    """Every `seconds` of the run's clock where something has come in meanwhile, and at its end."""

    seconds: float


Emission: TypeAlias = Close | Update | Every | Early


def on_close() -> Emission:
    """One result for each window, when the watermark has passed its end."""
    return Close()


def on_update() -> Emission:
    """A result with every element, and one at the window's end."""
    return Update(1)


def after_count(n: int) -> Emission:
    """A result with every n-th element of a window, and one at its end.

    Args:
        n: >= 1.
    """
    return Update(require_count("after_count", n, 1))


def every(period: Duration) -> Emission:
    """A result each time that event time has gone on by so much inside a window, of what happened until then.

    It is told when the watermark has passed that instant, so that it does not depend on the order or speed of arrival.

    Args:
        period: seconds or a timedelta of event time, > 0, counted from the window's start.
    """
    length = nanoseconds(period, "every(period)")
    if length == 0:
        message = f"every wants a period > 0, got {period!r}"
        raise ValueError(message)
    return Every(length)


def early(period: Duration) -> Emission:
    """A result every so often by the clock of the run, where something has come in meanwhile, and one at the window's end.

    When these come is not deterministic, and so is what is in them; the last one of a window is.

    Args:
        period: seconds or a timedelta, > 0.
    """
    seconds = seconds_of(period, "early(period)")
    if seconds <= 0:
        message = f"early wants a period > 0, got {period!r}"
        raise ValueError(message)
    return Early(seconds)


def require_emission(value: object) -> Emission:
    """The value, if it says when results come.

    Raises:
        PipelineError: it does not.
    """
    if isinstance(value, Close | Update | Every | Early):
        return value
    message = (
        "window wants emit=on_close(), on_update(), after_count(n), every(period) or early(period) of rxml.windows, "
        f"got {value!r}"
    )
    raise PipelineError(message)
