"""Histogram binning: what has happened where the model said about the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_count, require_positive
from rxml.uncertain.calibration.keyed import keys_of
from rxml.uncertain.calibration.probabilities.keyed import GIVEN, KeyedProbability
from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]


class HistogramBinning(KeyedProbability):
    """A Beta distribution for each bin of [0, 1], of what happened when the model's probability was in it.

    Each is Beta(1, 1) at first, and a label adds to it: (a, b) = keep (a, b) + (1 - keep)(1, 1) + (y, 1 - y). Issued
    are a / (a + b), then a and b, so that how much is known can be said too, then what the model said. Zadrozny,
    Elkan, "Obtaining calibrated probability estimates", ICML 2001.

    Args:
        bins: of equal width, >= 1; a probability on an edge belongs to the upper.
        keep: share of what a bin knows that is kept at each label of it, in (0, 1]; 1 forgets nothing.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    bins: int
    keep: float

    def __init__(self, bins: int = 10, *, keep: float = 1.0, keys: int = 1) -> None:
        self.bins = require_count("bins", bins)
        self.keep = require_positive("keep", keep, 1.0)
        ones = np.ones(self.bins)
        self._state = Table(keys_of(keys), {"a": ones, "b": ones})
        super().__init__(4, {"state": self._state})

    @override
    def _issued(self, slots: Slots, p: Floats) -> Floats:
        bins = binned(p, self.bins)
        a, b = self._state["a"][slots, bins], self._state["b"][slots, bins]
        return np.stack([a / (a + b), a, b, p], axis=1)

    @override
    def _step(self, rows: Rows, issued: Floats, labels: Floats) -> None:
        each, bins = np.arange(self.keys)[rows], binned(issued[:, GIVEN], self.bins)
        for name, seen in (("a", labels), ("b", 1.0 - labels)):
            before = self._state[name][each, bins]
            self._state[name][each, bins] = self.keep * before + (1.0 - self.keep) + seen


def binned(p: Floats, bins: int) -> Slots:
    """Which of so many bins of equal width each probability is in."""
    return np.minimum((p * bins).astype(np.intp), bins - 1)
