"""Venn-Abers prediction: an interval of probabilities of which one is calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_count
from rxml.uncertain.calibration.keyed import keys_of
from rxml.uncertain.calibration.probabilities.keyed import GIVEN, KeyedProbability
from rxml.uncertain.calibration.probabilities.pairs import PairWindows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]


class VennAbers(KeyedProbability):
    """Isotonic fits with the case at hand among the labels, once as 0 and once as 1: [p0, p1].

    Vovk, Petej, Fedorova, "Large-Scale Probabilistic Predictors with and without Guarantees of Validity", NeurIPS
    2015: if cases are exchangeable, the one of p0 and p1 that belongs to the label is calibrated in any finite sample.
    Issued are p1 / (1 - p0 + p1), which has the least regret in log loss, then p0 and p1, then what the model said.

    A value of an isotonic fit at a point is the largest, over where a block may begin, of the smallest, over where it
    may end, of the block's mean; so no fit is made. A row costs up to window^2 / 2 divisions: 0.1 ms at 300.

    Args:
        window: newest labels that count, >= 1.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    window: int

    def __init__(self, window: int = 200, *, keys: int = 1) -> None:
        self.window = require_count("window", window)
        self._pairs = PairWindows(keys_of(keys), self.window)
        super().__init__(4, {"pairs": self._pairs})

    @override
    def _issued(self, slots: Slots, p: Floats) -> Floats:
        result = np.empty((len(slots), 4))
        order = np.argsort(slots, kind="stable")
        known, held = -1, (p[:0], p[:0], p[:0])
        for row in order.tolist():
            if slots[row] != known:
                known = int(slots[row])
                held = self._pairs.of(known)
            result[row, 1:3] = _bounds(held, float(p[row]))
        p0, p1 = result[:, 1], result[:, 2]
        result[:, 0], result[:, GIVEN] = p1 / (1.0 - p0 + p1), p
        return result

    @override
    def _step(self, rows: Rows, issued: Floats, labels: Floats) -> None:
        self._pairs.put(rows, issued[:, GIVEN], labels)


def _bounds(pairs: tuple[Floats, Floats, Floats], p: float) -> tuple[float, float]:
    """The fit at p as one more case, with label 0 and with label 1."""
    at, weights, hits = pairs
    counts = np.concatenate([[0.0], np.cumsum(weights)])
    sums = np.concatenate([[0.0], np.cumsum(hits)])
    starts = slice(0, int(np.searchsorted(at, p, "left")) + 1)
    ends = slice(int(np.searchsorted(at, p, "right")), None)
    mass = counts[ends] - counts[starts][:, None] + 1.0
    total = sums[ends] - sums[starts][:, None]
    low = (total / mass).min(axis=1).max()
    return float(low), float(((total + 1.0) / mass).min(axis=1).max())
