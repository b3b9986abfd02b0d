"""Accuracy that is estimated at first and measured as labels come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.evaluation.estimated.accuracy import confidence, required_threshold
from rxml.evaluation.estimated.expected import Expected, f1, required_classes
from rxml.evaluation.estimated.rectified import Known, rectified
from rxml.evaluation.metrics.bounds import by_deviation, required_level
from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.ring import Ring
from rxml.evaluation.metrics.rows import Slots, grown, numbered
from rxml.uncertain.checks import require
from rxml.uncertain.possible.counts import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.uncertain.checks import Floats


class Quality:
    """The accuracy of the last rows of each slot: those with a label count as they came out, the others by their confidence.

    When predictions are made, `predicted` gives each row a ticket; when its label comes, however late and in
    whatever order, `labelled` is told the ticket. Labels of rows that the window has passed are counted in `late`.
    Labels that came twice are taken as corrected. Row by row, in batches, or rebatched anyhow, the state is the
    same to the last bit.

    Args:
        window: how many last rows of each slot, at least 1. Memory: 16 bytes each, for every slot.
        threshold: from what probability on the positive class is predicted, in [0, 1].
        classes: K, at least 2: F1 is told too, for which a row takes 8 (K + 1) bytes more. None: accuracy only.

    Raises:
        ValueError: an argument is outside its bounds.

    Examples:
        >>> quality = Quality(window=100)
        >>> tickets = quality.predicted([0.9, 0.7, 0.8])
        >>> quality.value().round(3).tolist(), quality.measured().tolist()
        ([0.8], [0.0])
        >>> quality.labelled(tickets[:2], [True, False])
        >>> quality.value().round(3).tolist(), quality.measured().round(3).tolist()
        ([0.6], [0.667])
    """

    threshold: float
    classes: int | None
    late: NDArray[np.int64]

    def __init__(self, window: int, *, threshold: float = 0.5, classes: int | None = None) -> None:
        if classes is not None:
            required_classes(classes)
        # confidence, whether right; where F1 is told what was predicted, and the probability of each class
        columns = 2 if classes is None else 3 + classes
        self._ring = Ring(memory(None, window), columns)
        self.threshold = required_threshold(threshold)
        self.classes = classes
        self.late = np.zeros(1, np.int64)

    @property
    def slots(self) -> int:
        """How many there are: 1 at first."""
        return self._ring.slots

    def grow(self, slots: int) -> None:
        """Have at least so many slots; new ones without rows."""
        self._ring.grow(slots)
        self.late = grown(self.late, slots)

    def forget(self, slots: Slots) -> None:
        """Have no rows in these slots, which are given to others: tickets begin anew."""
        self._ring.forget(slots)
        self.late[slots] = 0

    def predicted(self, probability: ArrayLike, slots: Slots | None = None) -> NDArray[np.int64]:
        """Take predictions in, in order.

        Args:
            probability: of the positive class, (n,), or of K classes, (n, K).
            slots: of each row, (n,); they may repeat. All of slot 0 if not given.

        Returns:
            the ticket of each row, (n,): its number in its slot.

        Raises:
            ValueError: there are more or fewer slots than rows, or one that there is not.
            DistributionError: a probability is NaN or outside [0, 1].
        """
        sure = confidence(probability, self.threshold)
        require(~np.isnan(sure), "probability is known", sure)
        more = () if self.classes is None else self._said(np.asarray(probability, np.float64))
        at = self._placed(len(sure), slots)
        tickets: NDArray[np.int64] = self._ring.arrays["seen"][at] + numbered(at)
        self._ring.take(at, sure, np.full(len(sure), np.nan), *more)
        return tickets

    def _said(self, probability: Floats) -> tuple[Floats, ...]:
        """What was predicted, and the probability of each class."""
        event = probability.ndim == 1
        p = np.stack([1 - probability, probability], axis=-1) if event else probability
        if p.shape[1] != self.classes:
            raise ValueError(f"probability wants {self.classes} of each row, got {p.shape[1:]}")
        said = probability >= self.threshold if event else p.argmax(axis=1)
        return np.asarray(said, np.float64), *p.T

    def labelled(
        self,
        tickets: ArrayLike,
        right: ArrayLike,
        slots: Slots | None = None,
        *,
        truths: ArrayLike | None = None,
    ) -> None:
        """Take labels in.

        Args:
            tickets: as `predicted` gave them, (n,).
            right: whether the prediction was, (n,).
            slots: those that the tickets are of, (n,). All of slot 0 if not given.
            truths: the place of the class that came, (n,): wanted if F1 is told, else not looked at.

        Raises:
            ValueError: the lengths differ, there is no such slot, or a ticket was not given yet; or truths are wanted,
                or are no classes.
        """
        numbers, came = np.asarray(tickets, np.int64), np.asarray(right, np.bool_)
        places = self._classes_of(truths, len(numbers))
        at = self._placed(len(numbers), slots)
        rows, seen = self._ring.arrays["rows"], self._ring.arrays["seen"]
        if came.shape != numbers.shape or (numbers < 0).any() or (numbers >= seen[at]).any():
            raise ValueError(
                f"tickets want one label each and to have been given, got {numbers.tolist()[:5]} and {came.shape[0]} labels"
            )
        window = self._ring.memory.window
        held = numbers >= seen[at] - window
        rows[at[held], numbers[held] % window, 1] = came[held]
        if self.classes is not None:
            rows[at[held], numbers[held] % window, 3:] = np.eye(self.classes)[places[held]]
        np.add.at(self.late, at[~held], 1)

    def _classes_of(self, truths: ArrayLike | None, n: int) -> NDArray[np.intp]:
        if self.classes is None:
            return np.zeros(n, np.intp)
        places = np.asarray(-1 if truths is None else truths, np.intp)
        if places.shape != (n,) or (n and not 0 <= places.min() <= places.max() < self.classes):
            raise ValueError(f"truths want one of 0..{self.classes - 1} for each of {n} labels")
        return places

    def _placed(self, n: int, slots: Slots | None) -> Slots:
        at = np.zeros(n, np.intp) if slots is None else np.asarray(slots, np.intp)
        if len(at) != n or (n and not 0 <= at.min() <= at.max() < self.slots):
            raise ValueError(
                f"slots want one of 0..{self.slots - 1} for each of {n} rows (see grow), got {at.tolist()[:5]}"
            )
        return at

    def _known(self, slots: Slots | None) -> Known:
        at = np.arange(self.slots) if slots is None else np.asarray(slots, np.intp)
        rows, there = self._ring.held(at)
        labelled = there & ~np.isnan(rows[:, :, 1])
        return Known(
            np.where(there, rows[:, :, 0], 0.0),
            np.where(labelled, rows[:, :, 1], 0.0),
            there,
            labelled,
        )

    def measured(self, slots: Slots | None = None) -> Floats:
        """The share of rows that have a label, (k,): the weight of what is measured in `value`; the rest is estimated."""
        known = self._known(slots)
        return divided(known.labels, known.rows, np.nan)

    def value(self, slots: Slots | None = None) -> Floats:
        """The expected accuracy of the rows of each window, (k,); NaN without rows."""
        known = self._known(slots)
        each = np.where(known.labelled, known.right, known.sure)
        return divided(each.sum(axis=1), known.rows, np.nan)

    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        """Within which the accuracy of these rows is, once all have their labels: exact where confidences are calibrated.

        What is measured is certain; what is not is a Poisson binomial. Without rows from 0 to 1.

        Raises:
            ValueError: the level is not between 0 and 1.
        """
        known = self._known(slots)
        hits = known.right.sum(axis=1)
        more = count(known.sure, mask=known.there & ~known.labelled).interval(required_level(level))
        lower, upper = (divided(hits + bound, known.rows, np.nan) for bound in more)
        none = known.rows == 0
        return np.where(none, 0.0, lower), np.where(none, 1.0, upper)

    def f1(self, level: float = 0.95, slots: Slots | None = None) -> tuple[Floats, Floats, Floats]:
        """The expected F1 of the rows of each window, (k,), and within which it is once all have their labels.

        Of two classes that of the second, of more the mean over classes, as `EstimatedMacroF1`: rows with a label
        count as they came out. NaN, from 0 to 1, without rows.

        Raises:
            ValueError: the level is not between 0 and 1, or no classes were given.
        """
        if self.classes is None:
            raise ValueError("F1 wants classes: give Quality their number")
        at = np.arange(self.slots) if slots is None else np.asarray(slots, np.intp)
        rows, there = self._ring.held(at)
        expected = Expected.of_rows(rows[:, :, 2:], there)
        value, off = expected.macro(f1)
        if self.classes == 2:
            value, off = (each[:, 1] for each in expected.by_class(f1))
        return value, *by_deviation(value, off, level, (0.0, 1.0))

    def rectified(
        self, level: float = 0.95, slots: Slots | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """The accuracy on rows of this kind without end, and its bounds, right also where confidences are not calibrated.

        The mean confidence, and what labelled rows were better by; the interval is that of prediction-powered
        inference (Angelopoulos et al., 2023), for which it must be by chance which rows are labelled. It is of one right
        and one wrong label more than there are (Agresti and Caffo, 2000): a few that are all right prove little. NaN,
        from 0 to 1, with less than two labels.

        Raises:
            ValueError: the level is not between 0 and 1.
        """
        return rectified(self._known(slots), level)

    def snapshot(self) -> dict[str, Any]:
        """Its state: plain values and copies of arrays."""
        return {
            "threshold": self.threshold,
            "rows": self._ring.snapshot(),
            "late": self.late.copy(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as when the snapshot was taken.

        Raises:
            ValueError: it is of another threshold or window.
        """
        if state["threshold"] != self.threshold:
            raise ValueError(
                f"the snapshot is of the threshold {state['threshold']}, this one is {self.threshold}"
            )
        self._ring.restore(state["rows"])
        self.late = np.array(state["late"])
