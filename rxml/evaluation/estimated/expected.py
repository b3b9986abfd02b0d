"""The confusion matrix that is expected of probabilities of classes, and ratios of it with how far off they may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from rxml.evaluation.metrics.cells import Sums, sums_by_cell
from rxml.evaluation.metrics.dividing import divided
from rxml.uncertain.checks import Floats, Mask, summed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.evaluation.metrics.rows import Slots

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


class Spread(Protocol):
    """How far ratios are off, that change with each row by its true class as they say: (k, predicted, true), or of each."""

    def of_each(self, slope: Floats) -> Floats:
        """The variance of each class's ratio, (k, K), which changes by slope[:, predicted, class] with a row of it."""
        ...

    def of_sum(self, slope: Floats) -> Floats:
        """The variance of what changes by slope[:, predicted, true] with a row, (k,)."""
        ...


@dataclass(frozen=True, slots=True)
class SpreadOfSums:
    """From the covariances of true classes, by what was predicted.

    Args:
        together: (k, K, K, K): predicted, then two true classes. Rows predicted to be of different classes have none.
    """

    together: Floats

    @classmethod
    def of(cls, cells: Floats) -> SpreadOfSums:
        """From sums of the last columns of `columns_of`, (k, K, K (K + 1) / 2)."""
        classes = cells.shape[1]
        pairs = np.triu_indices(classes)
        together = np.zeros((len(cells), classes, classes, classes))
        for one, other in (pairs, pairs[::-1]):
            together[:, :, one, other] = cells
        return cls(together)

    def of_each(self, slope: Floats) -> Floats:
        """See `Spread`."""
        own = np.diagonal(self.together, axis1=2, axis2=3)
        return summed(own * slope * slope, axis=1)

    def of_sum(self, slope: Floats) -> Floats:
        """See `Spread`."""
        var = slope[:, :, :, None] * self.together * slope[:, :, None, :]
        return np.maximum(summed(var.reshape(len(var), -1)), 0.0)


@dataclass(frozen=True, slots=True)
class SpreadOfRows:
    """From rows themselves, so that nothing of K^3 is ever held.

    Args:
        slot: of each row, (n,), of `slots`.
        said: what is predicted, (n,).
        p: the probabilities of classes, (n, K).
        slots: k.
    """

    slot: Slots
    said: Slots
    p: Floats
    slots: int

    def of_each(self, slope: Floats) -> Floats:
        """See `Spread`."""
        by_class = slope[self.slot, self.said]
        var = self.p * (1 - self.p) * by_class * by_class
        each = [np.bincount(self.slot, one, self.slots) for one in var.T]
        return np.asarray(np.stack(each, axis=-1), np.float64)

    def of_sum(self, slope: Floats) -> Floats:
        """See `Spread`."""
        by_class = slope[self.slot, self.said]
        mean = summed(self.p * by_class)
        # with what is missing of 1: a row may be of no class
        away = by_class - mean[:, None]
        var = summed(self.p * away * away) + np.maximum(1 - summed(self.p), 0.0) * mean * mean
        return np.asarray(np.bincount(self.slot, var, self.slots), np.float64)


@dataclass(frozen=True, slots=True)
class Expected:
    """Of each slot, by predicted class: in rows, or where weights fade in as many equal ones as tell as much.

    Args:
        predicted: how many rows are predicted to be of each class, (k, K).
        truths: how many of these will be of each class, (k, K, K): predicted, then true.
        spread: how these vary.
    """

    predicted: Floats
    truths: Floats
    spread: Spread

    @classmethod
    def of(cls, sums: Sums) -> Expected:
        """From sums of `columns_of` by predicted class."""
        cells = sums.cells * sums.scale[:, None, None]
        end = 1 + cells.shape[1]
        return cls(cells[:, :, 0], cells[:, :, 1:end], SpreadOfSums.of(cells[:, :, end:]))

    @classmethod
    def of_rows(cls, rows: Floats, there: Mask) -> Expected:
        """From rows of what is predicted and the probabilities, (k, n, 1 + K), and which of them there are, (k, n)."""
        slot, place = np.nonzero(there)
        held, classes = rows[slot, place], rows.shape[2] - 1
        said, p = held[:, 0].astype(np.intp), held[:, 1:]
        cells = sums_by_cell(slot * classes + said, (len(rows), classes), p.T).cells
        spread = SpreadOfRows(slot, said, p, len(rows))
        return cls(cells[:, :, 0], cells[:, :, 1:], spread)

    def by_class(self, ratio: Ratio) -> tuple[Floats, Floats]:
        """The ratio of each class with its standard deviation, (k, K), by the delta method."""
        value, slope = self._sloped(ratio)
        with np.errstate(under="ignore"):
            return value, np.sqrt(self.spread.of_each(slope))

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
            var = self.spread.of_sum(divided(np.nan_to_num(slope), seen[:, None, None], 0.0))
            return mean, np.sqrt(var + np.nan_to_num(mean) ** 2 * off)

    def _sloped(self, ratio: Ratio) -> tuple[Floats, Floats]:
        """The ratio of each class, and how it changes with rows of it by what they are predicted to be, (k, K, K)."""
        hits = np.diagonal(self.truths, axis1=1, axis2=2)
        missed = np.maximum(self.truths.sum(axis=1) - hits, 0.0)
        value, by_hit, by_miss = ratio(hits, missed, self.predicted)
        right = np.eye(self.predicted.shape[1], dtype=bool)
        return value, np.where(right, by_hit[:, None, :], by_miss[:, None, :])
