"""Evidence: whether a mean is above a margin, told as soon as it is known, however often one looks. Pure."""

from __future__ import annotations

from collections import deque
from math import exp, log
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_STAKES: Final = np.array([1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 0.9])
"""Parts of what may be staked at most."""

_RECENT: Final = 64
"""Outcomes of the one with more of them, the newest, that wait for their counterpart."""

_WAITING: Final = 1024
"""Outcomes of the one with fewer of them that wait."""


class Evidence:
    """A bettor's wealth, who stakes that differences of -1 to 1 are above a margin on average.

    If each has, given those before it, an expectation of no more than the margin, the wealth ever reaches 1 / alpha with a
    probability of alpha at most (Ville, 1939): one may look after each difference, and stop at will. The stakes are a mixture
    of fixed parts (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024); a new
    mixture begins whenever the number of differences doubles, with the weight 1 / (k (k + 1)) for the k-th one, so that what
    begins late is found, too.

    Args:
        margin: -1 < margin < 1.
        alpha: 0 < alpha < 1.

    Attributes:
        count: differences so far.
        proven: whether the wealth has reached 1 / alpha.
    """

    __slots__ = ("_begun", "_gain", "_goal", "_margin", "_most", "count", "proven")

    def __init__(self, margin: float, alpha: float) -> None:
        if not -1 < margin < 1 or not 0 < alpha < 1:
            raise ValueError(
                f"wants -1 < margin < 1 and 0 < alpha < 1, got {margin!r} and {alpha!r}"
            )
        self._margin = margin
        self._most: NDArray[np.float64] = _STAKES / (1 + margin)
        self._goal = -log(alpha)
        self._gain: NDArray[np.float64] = np.zeros(len(_STAKES))
        self._begun: list[NDArray[np.float64]] = []
        self.count: int = 0
        self.proven: bool = False

    def add(self, difference: float) -> None:
        """Learn of one more.

        Args:
            difference: -1 to 1.
        """
        if self.count & (self.count + 1) == 0:  # before the 1st, 2nd, 4th, 8th, …
            self._begun.append(self._gain.copy())
        self.count += 1
        self._gain += np.log1p(self._most * (difference - self._margin))
        self.proven = self.proven or self.log_wealth >= self._goal

    @property
    def log_wealth(self) -> float:
        """The logarithm of the wealth; it begins at 0."""
        if not self._begun:
            return 0.0
        exponents = self._gain - np.array(self._begun)
        top = max(0.0, float(exponents.max()))
        parts = np.exp(exponents - top).mean(axis=1)
        weights = [1 / (k * (k + 1)) for k in range(1, len(parts) + 1)]
        not_begun = exp(-top) / (len(parts) + 1)
        return top + log(float(np.dot(weights, parts)) + not_begun)


class Contrast:
    """What the candidate does more often than the stable one, in pairs of outcomes of the same time.

    Pairs make what befalls both at one time, such as a store that is slow, befall both sides. Each outcome is in one pair at
    most; of the one that has more of them the newest are taken.

    Args:
        margin: by how much more often is still well, 0 < margin < 1.
        worse: chance of an alarm if it is well.
        fine: chance of a clearance if it is not.
        compare: the difference that two outcomes make, candidate's first: -1 to 1.

    Attributes:
        worse: evidence that it is above the margin.
        fine: evidence that it is below.
    """

    __slots__ = ("_compare", "_waiting", "fine", "worse")

    def __init__(
        self, margin: float, worse: float, fine: float, compare: Callable[[float, float], float]
    ) -> None:
        self.worse: Evidence = Evidence(margin, worse)
        self.fine: Evidence = Evidence(-margin, fine)
        self._compare = compare
        self._waiting: tuple[deque[float], deque[float]] = (
            deque(maxlen=_RECENT),
            deque(maxlen=_WAITING),
        )

    def add(self, outcome: float, *, candidate: bool) -> None:
        """One more outcome of one of the two."""
        mine, other = self._waiting[candidate], self._waiting[not candidate]
        mine.append(outcome)
        if not other:
            return
        stable, tried = self._waiting[0].pop(), self._waiting[1].popleft()
        difference = self._compare(tried, stable)
        self.worse.add(difference)
        self.fine.add(-difference)


def more(candidate: float, stable: float) -> float:
    """By how much one is more than the other; both are shares, 0 to 1."""
    return candidate - stable


def larger(candidate: float, stable: float) -> float:
    """1 if it is larger, -1 if it is smaller, else 0; the mean is Cliff's delta."""
    return float((candidate > stable) - (candidate < stable))
