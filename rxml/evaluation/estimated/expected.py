"""The confusion matrix that is expected of probabilities of classes, and ratios of it with how far off they may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rxml.evaluation.metrics.cells import Sums, sums_by_cell
from rxml.evaluation.metrics.dividing import divided
from rxml.uncertain.checks import Floats, Mask, summed

if TYPE_CHECKING:
    from collections.abc import Iterator

Slopes: TypeAlias = tuple[Floats, Floats, Floats]
Ratio: TypeAlias = Callable[[Floats, Floats, Floats], Slopes]
"""Of true positives, false negatives and predictions of a class: a ratio, and how it changes with the first two."""


def precision(hits: Floats, missed: Floats, predicted: Floats) -> Slopes:  # noqa: ARG001 - a `Ratio`
    """TP / (TP + FP): NaN without predictions."""
    one = divided(np.ones_like(hits), predicted, np.nan)
    return hits * one, one, np.zeros_like(hits)


def recall(hits: Floats, missed: Floats, predicted: Floats) -> Slopes:  # noqa: ARG001 - a `Ratio`
    """TP / (TP + FN): NaN where none is expected."""
    one = divided(np.ones_like(hits), hits + missed, np.nan)
    value = hits * one
    return value, (1 - value) * one, -value * one


def f1(hits: Floats, missed: Floats, predicted: Floats) -> Slopes:
    """2 TP / (2 TP + FP + FN): NaN where none is predicted nor expected."""
    one = divided(np.ones_like(hits), hits + missed + predicted, np.nan)
    value = 2 * hits * one
    return value, (2 - value) * one, -value * one


def columns_of(p: Floats) -> Iterator[Floats]:
    """What is summed of rows (n, K): each class's probability, then the covariances of which class it will be, c <= d."""
    yield from p.T
    for c, d in zip(*np.triu_indices(p.shape[1]), strict=True):
        yield p[:, c] * (1 - p[:, c]) if c == d else -p[:, c] * p[:, d]


def columns_count(classes: int) -> int:
    """How many `columns_of` gives."""
    return classes + classes * (classes + 1) // 2


def required_classes(classes: int) -> int:
    """How many classes there are.

    Raises:
        ValueError: they are fewer than 2, or no whole number.
    """
    if classes < 2 or classes != int(classes):
        raise ValueError(f"classes wants a whole number, at least 2, got {classes!r}")
    return int(classes)


@dataclass(frozen=True, slots=True)
class Expected:
    """Of each slot, by predicted class: in rows, or where weights fade in as many equal ones as tell as much.

    Args:
        predicted: how many rows are predicted to be of each class, (k, K).
        truths: how many of these will be of each class, (k, K, K): predicted, then true.
        together: the covariances of these numbers, (k, K, K, K): rows predicted to be of different classes have none.
    """

    predicted: Floats
    truths: Floats
    together: Floats

    @classmethod
    def of(cls, sums: Sums) -> Expected:
        """From sums of `columns_of` by predicted class."""
        cells = sums.cells * sums.scale[:, None, None]
        classes = cells.shape[1]
        pairs = np.triu_indices(classes)
        together = np.zeros((len(cells), classes, classes, classes))
        for one, other in (pairs, pairs[::-1]):
            together[:, :, one, other] = cells[:, :, 1 + classes :]
        return cls(cells[:, :, 0], cells[:, :, 1 : 1 + classes], together)

    @classmethod
    def of_rows(cls, rows: Floats, there: Mask) -> Expected:
        """From rows of what is predicted and the probabilities, (k, n, 1 + K), and which of them there are, (k, n)."""
        slot, place = np.nonzero(there)
        held, classes = rows[slot, place], rows.shape[2] - 1
        cell = slot * classes + held[:, 0].astype(np.intp)
        with np.errstate(under="ignore"):
            return cls.of(sums_by_cell(cell, (len(rows), classes), columns_of(held[:, 1:])))

    def by_class(self, ratio: Ratio) -> tuple[Floats, Floats]:
        """The ratio of each class with its standard deviation, (k, K), by the delta method."""
        value, slope = self._sloped(ratio)
        own = np.diagonal(self.together, axis1=2, axis2=3)
        with np.errstate(under="ignore"):
            return value, np.sqrt(summed(own * slope * slope, axis=1))

    def macro(self, ratio: Ratio) -> tuple[Floats, Floats]:
        """The mean over classes that are seen, predicted or true, with its standard deviation, (k,).

        One that is not predicted counts 0 with the probability that it comes at all, 1 - exp(-expected) (Le Cam, 1960); so
        the mean is over a number of classes that is not known, which is taken to the second order.
        """
        value, slope = self._sloped(ratio)
        with np.errstate(under="ignore"):
            comes = np.where(self.predicted > 0, 1.0, -np.expm1(-self.truths.sum(axis=1)))
            seen, chance = summed(comes), summed(comes * (1 - comes))
            off = divided(
                chance, seen * seen, 0.0
            )  # the squared relative deviation of how many are seen
            mean = np.minimum(divided(summed(np.nan_to_num(value)) * (1 + off), seen, np.nan), 1.0)
            slope = divided(np.nan_to_num(slope), seen[:, None, None], 0.0)
            var = slope[:, :, :, None] * self.together * slope[:, :, None, :]
            squares = np.maximum(summed(var.reshape(len(var), -1)), 0.0)
            return mean, np.sqrt(squares + np.nan_to_num(mean) ** 2 * off)

    def _sloped(self, ratio: Ratio) -> tuple[Floats, Floats]:
        """The ratio of each class, and how it changes with rows of it by what they are predicted to be, (k, K, K)."""
        hits = np.diagonal(self.truths, axis1=1, axis2=2)
        missed = np.maximum(self.truths.sum(axis=1) - hits, 0.0)
        value, by_hit, by_miss = ratio(hits, missed, self.predicted)
        right = np.eye(self.predicted.shape[1], dtype=bool)
        return value, np.where(right, by_hit[:, None, :], by_miss[:, None, :])
