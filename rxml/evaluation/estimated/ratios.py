"""Precision, recall and F1 before any label has come, from an estimated confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.evaluation.estimated.accuracy import required_threshold
from rxml.evaluation.estimated.expected import f1, precision, recall
from rxml.evaluation.metrics.bounds import by_deviation
from rxml.evaluation.metrics.cells import Added, Faded, Windowed, cells_kept
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.scores.inputs import probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.evaluation.estimated.expected import Ratio
    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats


class EstimatedRatio(Metric[Added | Faded | Windowed]):
    """A ratio of counts of an estimated confusion matrix, of predictions that have no label yet.

    A row that is predicted to be positive is a true positive with its probability p, and a false one with 1 - p.
    Right where the probabilities are calibrated. The column is probability, (n,), of the positive class. The
    interval is for the ratio of these very rows, by the delta method from the variances p (1 - p).

    Args:
        threshold: from what probability on the positive class is predicted, in [0, 1].
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: an argument is outside its bounds.
    """

    threshold: float
    ratio: ClassVar[Ratio]

    def __init__(
        self, threshold: float = 0.5, *, fading: float | None = None, window: int | None = None
    ) -> None:
        super().__init__(("probability",), cells_kept(memory(fading, window), 2, 2))
        self.threshold = required_threshold(threshold)

    @override
    def setting(self) -> list[Any]:
        return [self.threshold]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        p = probabilities("probability", columns[0])
        if p.ndim != 1:
            raise ValueError(
                f"probability wants that of the positive class, got {p.shape[1:]} of each row: of classes there is EstimatedMacroF1"
            )
        with np.errstate(under="ignore"):
            return (p >= self.threshold).astype(np.intp), p, p * (1 - p)

    def matrix(self, slots: Slots | None = None) -> Floats:
        """The expected weight of rows by truth and prediction, (k, 2, 2)."""
        cells = self.kept.read(self._at(slots)).cells
        positive = cells[:, :, 1]
        return np.stack([cells[:, :, 0] - positive, positive], axis=1)

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        return self._estimated(slots)[0]

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        value, deviation = self._estimated(slots)
        return by_deviation(value, deviation, level, (0.0, 1.0))

    def _estimated(self, slots: Slots | None) -> tuple[Floats, Floats]:
        """The ratio, and its standard deviation."""
        sums = self.kept.read(self._at(slots))
        # in rows: where weights fade, in as many equal ones as tell as much
        cells = sums.cells * sums.scale[:, None, None]
        value, by_hit, by_miss = type(self).ratio(cells[:, 1, 1], cells[:, 0, 1], cells[:, 1, 0])
        with np.errstate(under="ignore"):
            var = by_hit**2 * cells[:, 1, 2] + by_miss**2 * cells[:, 0, 2]
        return value, np.sqrt(var)


class EstimatedPrecision(EstimatedRatio):
    """The share of true positives among rows that are predicted to be positive, before labels: NaN without such."""

    ratio: ClassVar[Ratio] = staticmethod(precision)


class EstimatedRecall(EstimatedRatio):
    """The expected true positives for all that are expected to be positive, before labels: NaN without such."""

    ratio: ClassVar[Ratio] = staticmethod(recall)


class EstimatedF1(EstimatedRatio):
    """2 TP / (2 TP + FP + FN) of expected counts, before labels: NaN where none is positive nor predicted to be."""

    ratio: ClassVar[Ratio] = staticmethod(f1)
