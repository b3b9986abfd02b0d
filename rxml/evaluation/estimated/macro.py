"""Precision, recall and F1 of several classes before any label has come: their mean, and that of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.evaluation.estimated.expected import (
    Expected,
    columns_count,
    columns_of,
    f1,
    precision,
    recall,
    required_classes,
)
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


class EstimatedMacro(Metric[Added | Faded | Windowed]):
    """The mean over classes of a ratio of counts of an estimated confusion matrix, of predictions without labels.

    The likeliest class is predicted. A row is of each class with the probability that it says, so counts of true
    positives and false negatives are sums of Poisson binomials, and a row that is of one class is of no other. The value
    is the ratio of the expected counts, as in CBPE (NannyML): off the mean over all worlds by O(1 / rows). The interval
    is for the ratio of these very rows, by the delta method from all their covariances. Right where probabilities are
    calibrated. Classes that come neither as truth nor as prediction do not count, as in `F1`; while it is open whether
    one comes at all, the ratio has two humps, and an interval of 90 % may hold but 80 %.

    The column is probability, (n, K). Memory: K (1 + K (K + 3) / 2) numbers a slot; with a window K + 1 for each of
    its rows.

    Args:
        classes: K, how many there are, at least 2.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: an argument is outside its bounds.

    Examples:
        >>> estimated = EstimatedMacroF1(classes=3)
        >>> estimated.update([[0.8, 0.1, 0.1], [0.1, 0.9, 0.0], [0.2, 0.2, 0.6]])
        >>> estimated.value().round(3).tolist(), estimated.by_class().round(3).tolist()
        ([0.762], [[0.762, 0.818, 0.706]])
    """

    classes: int
    ratio: ClassVar[Ratio]

    def __init__(
        self, classes: int, *, fading: float | None = None, window: int | None = None
    ) -> None:
        self.classes = required_classes(classes)
        remembers = memory(fading, window)
        # the last rows are there themselves, with all that is to be known of them
        columns = self.classes if remembers.window else columns_count(self.classes)
        super().__init__(("probability",), cells_kept(remembers, self.classes, columns))

    @override
    def setting(self) -> list[Any]:
        return [self.classes]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        p = probabilities("probability", columns[0])
        if p.ndim != 2 or p.shape[1] != self.classes:
            raise ValueError(f"probability wants {self.classes} of each row, got {p.shape[1:]}")
        kept = p.T if isinstance(self.kept, Windowed) else columns_of(p)
        with np.errstate(under="ignore"):
            return (p.argmax(axis=1), *kept)

    def matrix(self, slots: Slots | None = None) -> Floats:
        """The expected weight of rows by truth and prediction, (k, K, K)."""
        cells = self.kept.read(self._at(slots)).cells
        return cells[:, :, 1 : 1 + self.classes].transpose(0, 2, 1)

    def _expected(self, slots: Slots | None) -> Expected:
        at = self._at(slots)
        if isinstance(self.kept, Windowed):
            return Expected.of_rows(*self.kept.held(at))
        return Expected.of(self.kept.read(at))

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        return self._expected(slots).macro(type(self).ratio)[0]

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        return by_deviation(*self._expected(slots).macro(type(self).ratio), level, (0.0, 1.0))

    def by_class(self, slots: Slots | None = None) -> Floats:
        """The ratio of each class, (k, K); NaN where it is of nothing."""
        return self._expected(slots).by_class(type(self).ratio)[0]

    def by_class_interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        """Lower and upper bounds of each class's, (k, K).

        Raises:
            ValueError: the level is not between 0 and 1.
        """
        return by_deviation(*self._expected(slots).by_class(type(self).ratio), level, (0.0, 1.0))


class EstimatedMacroPrecision(EstimatedMacro):
    """The mean precision of classes, before labels; one that is never predicted, but comes, counts 0."""

    ratio: ClassVar[Ratio] = staticmethod(precision)


class EstimatedMacroRecall(EstimatedMacro):
    """The mean recall of classes, before labels; one that is predicted, but expected never to come, counts 0."""

    ratio: ClassVar[Ratio] = staticmethod(recall)


class EstimatedMacroF1(EstimatedMacro):
    """The mean F1 of classes, before labels."""

    ratio: ClassVar[Ratio] = staticmethod(f1)
