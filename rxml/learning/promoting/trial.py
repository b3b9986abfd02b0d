"""Trial: one challenger against one champion, label by label. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rxml.evaluation.anytime import BettingMean
from rxml.flow.check import require_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Verdict(NamedTuple):
    """What is proven.

    Attributes:
        better: the challenger is; else it is worse.
        labels: by which.
        difference: mean of the champion's loss less the challenger's.
        lower: bound of what that is in truth.
        upper: bound of it.
    """

    better: bool
    labels: int
    difference: float
    lower: float
    upper: float


class Trial:
    """A confidence sequence of the mean of champion's loss - challenger's loss, and what it proves.

    Where each element is answered by one of them, with known probability p, its loss l counts as (l - low) / p, for the
    champion, and as -(l - low) / p for the challenger: the mean is the same (Horvitz and Thompson, JASA 1952).

    Args:
        low: the least loss.
        high: the largest.
        delta: chance, over all time, of either mistake; above 0 and below .5.
        least: labels before anything is proven.
        propensity: the least p, above 0 and at most .5; None: both answer each element.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self, low: float, high: float, delta: float, least: int, propensity: float | None
    ) -> None:
        if not 0 < delta < 0.5:
            raise ValueError(f"delta is above 0 and below .5, got {delta!r}")
        if propensity is not None and not 0 < propensity <= 0.5:
            raise ValueError(f"propensity is above 0 and at most .5, got {propensity!r}")
        self._low = low
        self._high = high
        self._least = require_count("Promotion(least)", least, 1)
        self._propensity = propensity
        most = (high - low) / (1.0 if propensity is None else propensity)
        self._mean = BettingMean(-most, most, 1.0 - 2.0 * delta)
        self._labels = 0

    @property
    def labels(self) -> int:
        """That were heard."""
        return self._labels

    def paired(self, champion: float, challenger: float) -> float:
        """The difference that an element makes which both have answered.

        Raises:
            ValueError: a loss that is not within its bounds.
        """
        return self._within(champion) - self._within(challenger)

    def parted(self, loss: float, propensity: float, *, challenger: bool) -> float:
        """The difference that an element makes which one of them has answered.

        Args:
            loss: of the answer.
            propensity: with which it was that one who answered.
            challenger: it was the challenger.

        Raises:
            ValueError: a loss that is not within its bounds, or a propensity below the least.
        """
        least = 0.0 if self._propensity is None else self._propensity
        if not least - 1e-9 <= propensity <= 1.0 or propensity <= 0.0:
            raise ValueError(
                f"an element was answered with propensity {propensity!r}: say Promotion(propensity=...) of no more"
            )
        share = (self._within(loss) - self._low) / max(propensity, least)
        return -share if challenger else share

    def _within(self, loss: float) -> float:
        if not self._low <= loss <= self._high:
            raise ValueError(
                f"a loss is {loss!r}, not within [{self._low:g}, {self._high:g}]: clip it, or say low= and high="
            )
        return loss

    def hear(self, differences: Iterable[float]) -> Verdict | None:
        """Labels came, in this order; what they prove. Those behind a proof are not heard."""
        for difference in differences:
            self._mean.update([0], [difference])
            self._labels += 1
            verdict = self.verdict()
            if verdict is not None:
                return verdict
        return None

    def verdict(self) -> Verdict | None:
        """What is proven by now."""
        if self._labels < self._least:
            return None
        lower, upper = self.interval
        if lower <= 0.0 <= upper:
            return None
        return Verdict(lower > 0.0, self._labels, self.difference, lower, upper)

    @property
    def difference(self) -> float:
        """The mean so far; NaN before the first label."""
        return float(self._mean.estimate([0])[0])

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound of what the mean is in truth."""
        lower, upper = self._mean.interval([0])
        return float(lower[0]), float(upper[0])

    def snapshot(self) -> dict[str, Any]:
        """The state, as plain values and arrays."""
        return {"labels": self._labels, "mean": self._mean.snapshot()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        self._labels = int(state["labels"])
        self._mean.restore(state["mean"])
