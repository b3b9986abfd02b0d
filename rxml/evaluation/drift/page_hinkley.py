"""PageHinkley: a fading sum of what is above the mean has risen, or fallen, too far."""

from __future__ import annotations

from math import inf
from typing import ClassVar, Literal, TypeAlias

from typing_extensions import override

from rxml.evaluation.drift.detector import DriftDetector, require

Mode: TypeAlias = Literal["up", "down", "both"]


class PageHinkley(DriftDetector):
    """The test of Page (Biometrika 1954) and Hinkley for a change of the mean, with forgetting, as in River.

    Args:
        min_instances: numbers before a change can be seen, >= 1.
        delta: deviation from the mean that is no change, >= 0.
        threshold: how far the sum has to come from its extreme, > 0, in the unit of the numbers. Of numbers with a
            deviation of 1 the default gives a false alarm in about 2,000, of errors (0 or 1) hardly ever one.
        alpha: what is kept of the sum at each number, in (0, 1].
        mode: "up", "down" or "both" ways.

    Raises:
        ValueError: an argument out of its range.
    """

    _plain: ClassVar[tuple[str, ...]] = ("n", "mean", "_rise", "_fall", "_lowest", "_highest")

    min_instances: int
    delta: float
    threshold: float
    alpha: float
    mode: Mode
    n: int
    mean: float
    _rise: float
    _fall: float
    _lowest: float
    _highest: float

    def __init__(
        self,
        min_instances: int = 30,
        delta: float = 0.005,
        threshold: float = 50.0,
        alpha: float = 1.0 - 0.0001,
        mode: Mode = "both",
    ) -> None:
        require("min_instances", min_instances, good=min_instances >= 1, wanted="at least 1")
        require("delta", delta, good=0.0 <= delta < inf, wanted="at least 0")
        require("threshold", threshold, good=0.0 < threshold < inf, wanted="more than 0")
        require("alpha", alpha, good=0.0 < alpha <= 1.0, wanted="a number in (0, 1]")
        if mode not in {"up", "down", "both"}:
            raise ValueError(f'mode is {mode!r}: give "up", "down" or "both"')
        self.min_instances = min_instances
        self.delta = delta
        self.threshold = threshold
        self.alpha = alpha
        self.mode = mode
        super().__init__()

    @override
    def _begin(self) -> None:
        self.n = 0
        self.mean = 0.0
        self._rise = self._fall = 0.0
        self._lowest = inf
        # River begins there, and so the first sums of falling numbers are measured from it
        self._highest = -1.0

    @override
    def _take(self, x: float) -> bool:
        self.n += 1
        self.mean += (1.0 / self.n) * (x - self.mean)
        away = x - self.mean
        self._rise = self.alpha * self._rise + away - self.delta
        self._fall = self.alpha * self._fall + away + self.delta
        self._lowest = min(self._lowest, self._rise)
        self._highest = max(self._highest, self._fall)
        return self.n >= self.min_instances and self._is_far()

    def _is_far(self) -> bool:
        up = self._rise - self._lowest > self.threshold
        down = self._highest - self._fall > self.threshold
        return (up and self.mode != "down") or (down and self.mode != "up")
