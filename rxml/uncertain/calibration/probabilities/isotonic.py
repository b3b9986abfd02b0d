"""Isotonic calibration over a sliding window, by pooling adjacent violators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_count
from rxml.uncertain.calibration.keyed import keys_of
from rxml.uncertain.calibration.probabilities.keyed import GIVEN, KeyedProbability
from rxml.uncertain.calibration.probabilities.pairs import PairWindows
from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]

_NOWHERE: Final = 2.0
"""Where a point stands that there is not: above all probabilities."""


class IsotonicCalibration(KeyedProbability):
    """The non-decreasing function of p that fits the newest labels best, by least squares; straight between points.

    Zadrozny, Elkan, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates", KDD 2002. It is
    fitted anew at every `every`-th label of a key; before the first fit p is taken as it is. Where the labels at an end are
    all alike it says 0 or 1, and a log loss may be infinite; `VennAbers` never does. Issued are the probability and what
    the model said.

    Args:
        window: newest labels that count, >= 1; 25 bytes each and key.
        every: labels of a key between fits, >= 1; a fit takes about 0.2 us for each label in the window.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    window: int
    every: int

    def __init__(self, window: int = 500, every: int = 20, *, keys: int = 1) -> None:
        self.window = require_count("window", window)
        self.every = require_count("every", every)
        self._pairs = PairWindows(keys_of(keys), self.window)
        blank = {"at": np.full(self.window, _NOWHERE), "fit": np.zeros(self.window)}
        self._fits = Table(keys, {**blank, "points": np.zeros((), np.int64)})
        super().__init__(2, {"pairs": self._pairs, "fits": self._fits})

    @override
    def _issued(self, slots: Slots, p: Floats) -> Floats:
        at, fit, points = (self._fits[name][slots] for name in ("at", "fit", "points"))
        each, last = np.arange(len(slots)), np.maximum(points - 1, 0)
        above = np.minimum(np.count_nonzero(at < p[:, None], axis=1), last)
        below = np.maximum(above - 1, 0)
        low, high = at[each, below], at[each, above]
        inside = (low < p) & (p < high) & (points > 0)
        share = np.where(inside, p - low, 0.0) / np.where(inside, high - low, 1.0)
        fitted = fit[each, below] + share * (fit[each, above] - fit[each, below])
        fitted = np.where(inside, fitted, fit[each, above])
        return np.stack([np.where(points > 0, fitted, p), p], axis=1)

    @override
    def _step(self, rows: Rows, issued: Floats, labels: Floats) -> None:
        seen = self._pairs.put(rows, issued[:, GIVEN], labels)
        for slot in np.arange(self.keys)[rows][seen % self.every == 0].tolist():
            self._fit(slot)

    def _fit(self, slot: int) -> None:
        p, weights, hits = self._pairs.of(slot)
        self._fits["at"][slot, : len(p)] = p
        self._fits["at"][slot, len(p) :] = _NOWHERE
        self._fits["fit"][slot, : len(p)] = pooled(hits, weights)
        self._fits["points"][slot] = len(p)


def pooled(sums: Floats, weights: Floats) -> Floats:
    """The non-decreasing values that are nearest to sums / weights by weighted least squares (pool adjacent violators).

    Args:
        sums: (n,) of the values at each point.
        weights: (n,) of the points, > 0.
    """
    blocks: list[tuple[float, float, int]] = []
    for one in zip(sums.tolist(), weights.tolist(), strict=True):
        block = (*one, 1)
        # means in order are compared without division, since sums of labels are exact
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    values = [total / mass for total, mass, _ in blocks]
    return np.repeat(values, [length for _, _, length in blocks])
