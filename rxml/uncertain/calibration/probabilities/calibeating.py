"""Calibeating: on top of any calibrator, what it said is replaced by what has happened when it said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_count
from rxml.uncertain.calibration.probabilities.histogram import binned
from rxml.uncertain.calibration.probabilities.keyed import CALIBRATED, KeyedProbability
from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]


class Calibeating(KeyedProbability):
    """The running mean of labels in the bin of what `inner` said; what it said itself while a bin is empty.

    Foster, Hart, "'Calibeating': Beating Forecasters at Their Own Game", Theoretical Economics 2023: calibrated for
    any sequence, with no more loss than `inner`, up to terms that vanish. On online Platt scaling it is that of
    Gupta, Ramdas, ICML 2023. Issued are the probability, then all that `inner` issued.

    Args:
        inner: any calibrator of probabilities; it is the calibeater's from now on.
        bins: of equal width, >= 1.

    Raises:
        ValueError: bins below 1.
    """

    inner: KeyedProbability
    bins: int

    def __init__(self, inner: KeyedProbability, bins: int = 10) -> None:
        self.inner = inner
        self.bins = require_count("bins", bins)
        blank = {"hits": np.zeros(self.bins), "labels": np.zeros(self.bins)}
        self._state = Table(inner.keys, blank)
        super().__init__(1 + inner.width, {"bins": self._state})

    @property
    @override
    def nbytes(self) -> int:
        return super().nbytes + self.inner.nbytes

    @override
    def grow(self, keys: int) -> None:
        super().grow(keys)
        self.inner.grow(keys)

    @override
    def forget(self, slots: ArrayLike) -> None:
        super().forget(slots)
        self.inner.forget(slots)

    @override
    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "inner": self.inner.snapshot()}

    @override
    def restore(self, state: dict[str, Any]) -> None:
        own = dict(state)
        if "inner" not in own:
            raise ValueError(f"a state of Calibeating has bins, inner; got {', '.join(own)}")
        self.inner.restore(own.pop("inner"))
        super().restore(own)
        if self.inner.keys != self.keys:
            text = f"got {self.keys} and {self.inner.keys}"
            raise ValueError(f"a state of as many keys of bins as of the inner calibrator, {text}")

    @override
    def _issued(self, slots: Slots, p: Floats) -> Floats:
        inner = self.inner.issue(slots, p)
        said = inner[:, CALIBRATED]
        bins = binned(said, self.bins)
        hits, labels = self._state["hits"][slots, bins], self._state["labels"][slots, bins]
        mean = np.where(labels > 0, hits / np.maximum(labels, 1.0), said)
        return np.concatenate([mean[:, None], inner], axis=1)

    @override
    def _learn(self, slots: Slots, issued: Floats, labels: Floats) -> None:
        super()._learn(slots, issued, labels)
        self.inner.update(slots, issued[:, 1:], labels)

    @override
    def _step(self, rows: Rows, issued: Floats, labels: Floats) -> None:
        each = np.arange(self.keys)[rows]
        bins = binned(issued[:, 1 + CALIBRATED], self.bins)
        self._state["hits"][each, bins] += labels
        self._state["labels"][each, bins] += 1.0
