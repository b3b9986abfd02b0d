"""CoverageAlarm: the alarm of `MissMonitor`, for one promise and label by label, at a microsecond each."""

from __future__ import annotations

from math import lgamma, log, log1p
from typing import TYPE_CHECKING, Final

from rxml.evaluation.anytime.misses import log_e_value
from rxml.uncertain.special import log_betaincc

if TYPE_CHECKING:
    from collections.abc import Iterable

_PRIOR: Final = 2 * lgamma(0.5)
_SLACK: Final = 1e-6
"""By how much the two ways to compute a logarithm may differ."""


class CoverageAlarm:
    """Evidence that more is missed than may be: when `MissMonitor(alpha, delta, side="above")` would alarm.

    The evidence itself takes milliseconds. It is at most 1 while no more is missed than may be, since each chance of a
    miss that is weighed against alpha is above it; and at most that of the test of both sides over the prior's mass above
    alpha. Only where both leave an alarm possible it is computed.

    Args:
        alpha: share that may be missed, in (0, 1).
        delta: chance of a false alarm over all time, in (0, 1).

    Attributes:
        at: the label, counted from 1, at which it has alarmed; 0 if it has not.
    """

    def __init__(self, alpha: float, delta: float) -> None:
        self._alpha = alpha
        self._wanted = -log(delta)
        self._above = float(log_betaincc(0.5, 0.5, alpha))
        self._labels = self._misses = 0
        self.at: int = 0

    def hear(self, covered: Iterable[bool]) -> None:
        """Labels came, in this order."""
        for each in covered:
            self._labels += 1
            self._misses += not each
            if not self.at and self._may_alarm() and self._evidence() >= self._wanted:
                self.at = self._labels

    def _may_alarm(self) -> bool:
        misses, labels, alpha = self._misses, self._labels, self._alpha
        if misses <= alpha * labels:
            return False
        hits = labels - misses
        mixed = lgamma(misses + 0.5) + lgamma(hits + 0.5) - lgamma(labels + 1.0) - _PRIOR
        likelihood = misses * log(alpha) + hits * log1p(-alpha)
        return mixed - likelihood - self._above >= self._wanted - _SLACK

    def _evidence(self) -> float:
        return float(log_e_value(self._misses, self._labels, self._alpha, side="above"))

    def snapshot(self) -> list[int]:
        """The state, as plain values."""
        return [self._labels, self._misses, self.at]

    def restore(self, state: list[int]) -> None:
        """Go on from a state that `snapshot` gave."""
        self._labels, self._misses, self.at = state
