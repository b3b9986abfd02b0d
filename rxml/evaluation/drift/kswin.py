"""KSWIN: the newest numbers of a window are distributed otherwise than the older ones."""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.evaluation.drift.detector import DriftDetector, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LEAST: Final = 0.1


class KSWIN(DriftDetector):
    """The test of Kolmogorov and Smirnov between the newest numbers and as many drawn from the older of a window.

    Raab, Heusinger, Schleif, Neurocomputing 2020, as in River: at each number the newest `stat_size` are compared
    with a sample of the others, the exact p-value being taken for both sides. As it tests at each number, alarms
    come now and then without a change; choose `alpha` small.

    Args:
        alpha: p-value at which a change is seen, in (0, 1).
        window_size: numbers of the window, >= 2 `stat_size`.
        stat_size: numbers that are compared, >= 1.
        seed: of the sampling, which begins anew with it after each change.

    Attributes:
        p_value: of the last test; 1 if there was none since the last change.
        statistic: the largest distance of the two distributions at the last test.

    Raises:
        ValueError: an argument out of its range.
    """

    alpha: float
    window_size: int
    stat_size: int
    seed: int
    p_value: float
    statistic: float

    def __init__(
        self, alpha: float = 0.005, window_size: int = 100, stat_size: int = 30, seed: int = 0
    ) -> None:
        require("alpha", alpha, good=0.0 < alpha < 1.0, wanted="a number in (0, 1)")
        require("stat_size", stat_size, good=stat_size >= 1, wanted="at least 1")
        enough = window_size >= 2 * stat_size
        require("window_size", window_size, good=enough, wanted=f"at least {2 * stat_size}")
        self.alpha = alpha
        self.window_size = window_size
        self.stat_size = stat_size
        self.seed = seed
        self._p_values = exact_p_values(stat_size)
        self._window: deque[float] = deque(maxlen=window_size)
        self._random = random.Random(seed)  # noqa: S311 - a sample, no secret
        super().__init__()

    @override
    def _begin(self) -> None:
        self.p_value = 1.0
        self.statistic = 0.0
        self._window.clear()
        self._random.seed(self.seed)

    @override
    def _take(self, x: float) -> bool:
        self._window.append(x)
        if len(self._window) < self.window_size:
            return False
        numbers = list(self._window)
        old = self.window_size - self.stat_size
        sample = [numbers[place] for place in self._random.sample(range(old), self.stat_size)]
        apart = distance(sample, numbers[old:])
        self.p_value = self._p_values[apart]
        self.statistic = apart / self.stat_size
        return self.p_value <= self.alpha and self.statistic > _LEAST

    @override
    def snapshot(self) -> dict[str, Any]:
        version, internal, _ = self._random.getstate()
        return {
            **super().snapshot(),
            "p_value": self.p_value,
            "statistic": self.statistic,
            "window": list(self._window),
            "random": [version, *internal],
        }

    @override
    def restore(self, state: Mapping[str, Any]) -> None:
        missing = {"p_value", "statistic", "window", "random"} - set(state)
        if missing:
            raise ValueError(f"the state has no {sorted(missing)}")
        version, *internal = state["random"]
        self._random.setstate((version, tuple(internal), None))
        super().restore(state)
        self.p_value, self.statistic = state["p_value"], state["statistic"]
        self._window = deque(state["window"], self.window_size)


def distance(left: Sequence[float], right: Sequence[float]) -> int:
    """The largest difference of how many numbers of either, as many in both, are at most x, over all x."""
    a, b = np.sort(np.asarray(left)), np.sort(np.asarray(right))
    both = np.concatenate([a, b])
    apart = np.searchsorted(a, both, "right") - np.searchsorted(b, both, "right")
    return int(np.abs(apart).max(initial=0))


def exact_p_values(size: int) -> list[float]:
    """Pr(`distance` >= h) of two samples of `size` from one continuous distribution, for h from 0 to `size`.

    Gnedenko and Korolyuk 1951: 2 (C(2n, n - h) - C(2n, n - 2h) + ...) / C(2n, n).
    """
    down, up = np.arange(size, 0, -1.0), np.arange(size + 1.0, 2 * size + 1.0)
    ratios = np.r_[1.0, np.cumprod(down / up)]
    found = [1.0]
    for h in range(1, size + 1):
        terms = ratios[h::h]
        total = 2.0 * float(terms[0::2].sum() - terms[1::2].sum())
        found.append(min(max(total, 0.0), 1.0))
    return found
