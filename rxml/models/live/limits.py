"""Limits: what a candidate may do worse than the stable model, and the chance of being wrong about that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf, isnan
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rxml.models.live.evidence import Contrast, larger, more

if TYPE_CHECKING:
    from collections.abc import Sequence


class Seen(NamedTuple):
    """What came of an element: of a batch of them, scored together, each has one.

    Attributes:
        seconds: from when it came until it was answered, or failed.
        value: of the prediction; None if there is none.
        error: what it failed with, or None.
        late: it has no answer, and it is too late for one: slow, where that is watched, else as good as an error.
    """

    seconds: float
    value: Any = None
    error: Exception | None = None
    late: bool = False


class Standing(Enum):
    """What is known of a candidate."""

    OPEN = "open"
    WORSE = "worse"
    FINE = "fine"


class Watch(Protocol):
    """Watches one candidate at one share."""

    def learn(self, seen: Sequence[Seen], *, candidate: bool) -> None:
        """What came of elements that were scored together, by the candidate or by the stable model."""
        ...

    def standing(self) -> tuple[Standing, str]:
        """What is known of the candidate, and why."""
        ...


class Guard(Protocol):
    """Decides whether a candidate is worse. A policy of one's own is such an object: no tasks, no clock."""

    @property
    def slow(self) -> float:
        """Seconds after which an element that has no answer yet counts as slow; inf: never."""
        ...

    def begin(self, stages: int) -> Watch:
        """A watch for one of as many stages, each of which gets one."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """By how much more often a candidate may fail, be slow, or predict higher or lower than the stable model.

    Each is a sequential test on pairs of outcomes (see `rxml.models.live.evidence`), valid however often one looks. A
    candidate that is within all limits is rolled back with a probability of `alpha` at most over the whole rollout; one
    that is outside of one of them in a stage passes that stage with a probability of `alpha` at most.

    Attributes:
        errors: by which the share of elements that fail may be higher, 0 < errors < 1.
        seconds: that an answer may take; None: time does not matter.
        slow_share: by which the share of those that take longer may be higher, 0 < share < 1. Elements scored together
            count as one: what holds up a batch is one incident.
        shift: how far P(higher) - P(lower), of a candidate's value compared with a stable one, may be from 0 (Cliff's delta);
            0 < shift < 1. None: values do not matter; nor do those that are no numbers.
        alpha: probability, 0 < alpha < 1.

    Raises:
        ValueError: one out of its range.
    """

    errors: float = 0.02
    seconds: float | None = None
    slow_share: float = 0.05
    shift: float | None = None
    alpha: float = 0.01

    def __post_init__(self) -> None:
        """Check."""
        for name in ("errors", "slow_share", "shift", "alpha"):
            value: float | None = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise ValueError(f"Limits({name}=) wants a number between 0 and 1, got {value!r}")
        if self.seconds is not None and not 0 < self.seconds < inf:
            raise ValueError(f"Limits(seconds=) wants seconds > 0, got {self.seconds!r}")

    @property
    def slow(self) -> float:
        """See `Guard.slow`."""
        return inf if self.seconds is None else self.seconds

    def begin(self, stages: int) -> LimitsWatch:
        """See `Guard.begin`."""
        return LimitsWatch(self, stages)


class LimitsWatch:
    """Watches one candidate at one share, for `Limits`.

    Args:
        limits: that hold.
        stages: that share `alpha`.
    """

    __slots__ = ("_contrasts", "_limits")

    def __init__(self, limits: Limits, stages: int) -> None:
        self._limits = limits
        tests = 1 + (limits.seconds is not None) + 2 * (limits.shift is not None)
        worse, fine = limits.alpha / (stages * tests), limits.alpha
        self._contrasts: dict[str, Contrast] = {
            "errors": Contrast(limits.errors, worse, fine, more)
        }
        if limits.seconds is not None:
            self._contrasts["slow"] = Contrast(limits.slow_share, worse, fine, more)
        if limits.shift is not None:
            self._contrasts["higher"] = Contrast(limits.shift, worse, fine, larger)
            self._contrasts["lower"] = Contrast(limits.shift, worse, fine, _smaller)

    def learn(self, seen: Sequence[Seen], *, candidate: bool) -> None:
        """See `Watch.learn`."""
        contrasts = self._contrasts
        for each in seen:
            if not (each.late and "slow" in contrasts):
                lost = each.late or each.error is not None
                contrasts["errors"].add(float(lost), candidate=candidate)
            if "higher" in contrasts and (value := _number(each.value)) is not None:
                contrasts["higher"].add(value, candidate=candidate)
                contrasts["lower"].add(value, candidate=candidate)
        if "slow" in contrasts and seen:
            slow = sum(each.late or each.seconds > self._limits.slow for each in seen)
            contrasts["slow"].add(slow / len(seen), candidate=candidate)

    def standing(self) -> tuple[Standing, str]:
        """See `Watch.standing`."""
        worse = [name for name, each in self._contrasts.items() if each.worse.proven]
        if worse:
            return Standing.WORSE, ", ".join(worse)
        if all(each.fine.proven for each in self._contrasts.values()):
            return Standing.FINE, ", ".join(self._contrasts)
        return Standing.OPEN, ""


def _smaller(candidate: float, stable: float) -> float:
    return larger(stable, candidate)


def _number(value: Any) -> float | None:
    """The value, if it is a number that can be compared."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    number = float(value)
    return None if isnan(number) else number
