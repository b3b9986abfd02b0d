"""The confusion matrix, and precision, recall and F1 from it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.bounds import multinomial_deviation, two_sided, wilson
from rxml.evaluation.metrics.cells import Added, Faded, Windowed, cells_kept
from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.labels import Labels
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats

AVERAGES: Final = ("binary", "macro", "micro")


class FromConfusion(Metric[Added | Faded | Windowed]):
    """A ratio of counts of a confusion matrix. Columns truth and prediction. Memory: K^2 numbers a slot.

    Args:
        labels: the classes there are, at least two.
        average: "binary", of the last of two labels, which is the positive one; "macro", the mean over the classes
            that came as truth or prediction; "micro", over all rows, which is the accuracy. "binary" for two
            labels if not given, "macro" for more.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: an argument is outside its bounds.
    """

    labels: Labels
    average: str

    def __init__(
        self,
        labels: Sequence[Hashable] = (False, True),
        average: str | None = None,
        *,
        fading: float | None = None,
        window: int | None = None,
    ) -> None:
        self.labels = Labels(labels)
        self.average = average or ("binary" if len(labels) == 2 else "macro")
        if self.average not in AVERAGES or (self.average == "binary" and len(labels) > 2):
            raise ValueError(
                f"average wants one of {', '.join(AVERAGES)}, binary only for two labels, got "
                f"{average!r} for {len(labels)}"
            )
        kept = cells_kept(memory(fading, window), len(labels) ** 2)
        super().__init__(("truth", "prediction"), kept)

    @override
    def setting(self) -> list[Any]:
        return [list(self.labels.labels), self.average]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        truth, prediction = columns
        true, predicted = (
            self.labels.places("truth", truth),
            self.labels.places("prediction", prediction),
        )
        return (true * len(self.labels) + predicted,)

    def matrix(self, slots: Slots | None = None) -> Floats:
        """The weight of rows by truth and prediction, (k, K, K)."""
        return self._matrix(self._at(slots))[0]

    def _matrix(self, slots: Slots) -> tuple[Floats, Floats]:
        sums = self.kept.read(slots)
        classes = len(self.labels)
        return sums.cells[:, :, 0].reshape(-1, classes, classes), sums.scale

    @abstractmethod
    def _of(self, hits: Floats, truths: Floats, predictions: Floats) -> Floats:
        """How many rows the hits are a share of."""

    def _ratio(self, share: Floats) -> Floats:
        """The metric by the share of hits; rises with it."""
        return share

    @abstractmethod
    def _slopes(
        self, truths: Floats, predictions: Floats, hits: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """How the metric of each class changes with its hits, its truths and its predictions."""

    def _shares(self, matrix: Floats) -> tuple[Floats, Floats]:
        """For each class the share, NaN where it is of nothing, and what it is of."""
        hits = np.diagonal(matrix, axis1=1, axis2=2)
        if self.average == "micro":
            hits, of = hits.sum(axis=1)[:, None], matrix.sum(axis=(1, 2))[:, None]
        else:
            of = self._of(hits, matrix.sum(axis=2), matrix.sum(axis=1))
        if self.average == "binary":
            hits, of = hits[:, 1:], of[:, 1:]
        return divided(hits, of, np.nan), of

    def _each(self, share: Floats) -> Floats:
        return share if self.average == "micro" else self._ratio(share)

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        matrix, _ = self._matrix(self._at(slots))
        each = self._each(self._shares(matrix)[0])
        return _mean_of_seen(each, matrix) if self.average == "macro" else each[:, 0]

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        matrix, scale = self._matrix(self._at(slots))
        share, of = self._shares(matrix)
        lower, upper = wilson(share, of * scale[:, None], level)
        lower, upper = self._each(lower), self._each(upper)
        if self.average != "macro":
            return lower[:, 0], upper[:, 0]
        away = two_sided(level) * self._deviation(matrix, scale)
        return _recovered(self._each(share), (lower, upper), away, matrix)

    def _deviation(self, matrix: Floats, scale: Floats) -> Floats:
        """Of the mean over classes, by the delta method."""
        total = matrix.sum(axis=(1, 2))
        shares = divided(matrix, total[:, None, None], 0.0)
        truths, predictions = shares.sum(axis=2), shares.sum(axis=1)
        by_hit, by_truth, by_prediction = self._slopes(
            truths, predictions, np.diagonal(shares, axis1=1, axis2=2)
        )
        slope = by_truth[:, :, None] + by_prediction[:, None, :]
        slope = slope + by_hit[:, :, None] * np.eye(len(self.labels))
        slope = divided(slope, _seen(matrix).sum(axis=1)[:, None, None], 0.0)
        flat = (len(matrix), -1)
        return multinomial_deviation(shares.reshape(flat), slope.reshape(flat), total * scale)


class Precision(FromConfusion):
    """The share of hits among rows that were predicted to be of the class: NaN without such ("macro": 0)."""

    @override
    def _of(self, hits: Floats, truths: Floats, predictions: Floats) -> Floats:
        return predictions

    @override
    def _slopes(
        self, truths: Floats, predictions: Floats, hits: Floats
    ) -> tuple[Floats, Floats, Floats]:
        by_hit = divided(np.ones_like(hits), predictions, 0.0)
        return by_hit, np.zeros_like(hits), -hits * by_hit * by_hit


class Recall(FromConfusion):
    """The share of hits among rows that are of the class: NaN without such ("macro": 0)."""

    @override
    def _of(self, hits: Floats, truths: Floats, predictions: Floats) -> Floats:
        return truths

    @override
    def _slopes(
        self, truths: Floats, predictions: Floats, hits: Floats
    ) -> tuple[Floats, Floats, Floats]:
        by_hit = divided(np.ones_like(hits), truths, 0.0)
        return by_hit, -hits * by_hit * by_hit, np.zeros_like(hits)


class F1(FromConfusion):
    """The harmonic mean of precision and recall, 2 J / (1 + J), J the share of hits among rows of the class by truth or prediction.

    Its interval is that of J, which is a share of rows, taken through the formula. NaN without such rows.
    """

    @override
    def _of(self, hits: Floats, truths: Floats, predictions: Floats) -> Floats:
        return truths + predictions - hits

    @override
    def _ratio(self, share: Floats) -> Floats:
        ratio: Floats = 2 * share / (1 + share)
        return ratio

    @override
    def _slopes(
        self, truths: Floats, predictions: Floats, hits: Floats
    ) -> tuple[Floats, Floats, Floats]:
        by_hit = divided(np.full_like(hits, 2.0), truths + predictions, 0.0)
        by_either = -hits * by_hit * by_hit / 2
        return by_hit, by_either, by_either


def _seen(matrix: Floats) -> Floats:
    """1 for classes that came as truth or prediction."""
    seen: Floats = (matrix.sum(axis=1) + matrix.sum(axis=2) > 0).astype(np.float64)
    return seen


def _mean_of_seen(each: Floats, matrix: Floats) -> Floats:
    seen = _seen(matrix)
    return divided((np.nan_to_num(each) * seen).sum(axis=1), seen.sum(axis=1), np.nan)


def _recovered(each: Floats, bounds: Bounds, away: Floats, matrix: Floats) -> Bounds:
    """For a mean over classes: from the bounds of each, as if independent (Zou and Donner, 2008), or by the delta
    method, whichever is wider: the one errs at 0 and 1, the other where a row counts against two classes.
    """
    seen = _seen(matrix)
    mean, classes = _mean_of_seen(each, matrix), seen.sum(axis=1)
    each = np.nan_to_num(each)
    below, above = (
        divided(np.sqrt((seen * (bound - each) ** 2).sum(axis=1)), classes, np.nan)
        for bound in bounds
    )
    away = np.nan_to_num(away)
    lower, upper = mean - np.maximum(below, away), mean + np.maximum(above, away)
    unknown = np.isnan(mean)
    return (
        np.where(unknown, 0.0, np.maximum(lower, 0.0)),
        np.where(unknown, 1.0, np.minimum(upper, 1.0)),
    )
