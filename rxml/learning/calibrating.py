"""Calibrating: intervals or sets around predictions, which labels keep true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.reading import label_of, read
from rxml.learning.hearing import Hearing
from rxml.learning.parts import numbers, probabilities
from rxml.learning.widening import widened
from rxml.uncertain import Interval
from rxml.uncertain.calibration.scores import side_slots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.learning.coverage import Coverage
    from rxml.learning.label import Label
    from rxml.uncertain.calibration.calibrator import Calibrator
    from rxml.uncertain.calibration.labels import Ledger
    from rxml.uncertain.calibration.scores import IntervalScore
    from rxml.uncertain.calibration.sets import SetScore

Floats: TypeAlias = NDArray[np.float64]


class Form(Protocol):
    """How predictions are scored, and what a radius makes of them."""

    @property
    def sides(self) -> int:
        """Scores for a label."""
        ...

    def parts(self, items: Sequence[Any]) -> Floats:
        """What is to be known of each prediction, shape (n, parts)."""
        ...

    def scores(self, parts: Floats, labels: Sequence[Any]) -> Floats:
        """The scores of labels, shape (n, sides)."""
        ...

    def result(self, parts: Floats, radius: Floats, level: float) -> Any:
        """The column that radii, shape (n, sides), come to."""
        ...


class Intervals:
    """Predictions of numbers, whose result is an `Interval`.

    Args:
        score: of a label.
        columns: where the prediction is.
    """

    def __init__(self, score: IntervalScore, columns: tuple[Column, ...]) -> None:
        self._score = score
        self._columns = columns
        self.sides: int = score.sides

    def parts(self, items: Sequence[Any]) -> Floats:
        """See `Form`."""
        return numbers(items, self._columns, self._score.parts)

    def scores(self, parts: Floats, labels: Sequence[Any]) -> Floats:
        """See `Form`."""
        return self._score.of(parts, np.asarray(labels, np.float64))

    def result(self, parts: Floats, radius: Floats, level: float) -> Interval:
        """See `Form`."""
        return Interval(*self._score.bounds(parts, radius), level=level, sort="conformal")


class Sets:
    """Predictions of classes, whose result is which classes are in the set, booleans of shape (n, classes).

    Args:
        score: of a label.
        column: where the probabilities are.
        classes: the labels in the order of the probabilities; None: 0 to k - 1.
    """

    sides: int = 1

    def __init__(self, score: SetScore, column: Column, classes: Sequence[Any] | None) -> None:
        self._score = score
        self._column = column
        self._places = None if classes is None else {each: at for at, each in enumerate(classes)}

    def parts(self, items: Sequence[Any]) -> Floats:
        """See `Form`."""
        return probabilities(items, self._column)

    def scores(self, parts: Floats, labels: Sequence[Any]) -> Floats:
        """See `Form`."""
        places = self._places
        wanted = labels if places is None else [places.get(label, -1) for label in labels]
        return self._score.of(parts, np.asarray(wanted))

    def result(self, parts: Floats, radius: Floats, level: float) -> NDArray[np.bool_]:
        """See `Form`."""
        del level
        return self._score.sets(parts, radius)


class Calibrating(Hearing):
    """Issues a radius for each prediction, keeps what it must know when the label comes, and learns from that.

    Args:
        where: the key of an element, and its time if labels expire.
        form: of predictions and results.
        calibrator: whose radii these are; it is this run's own.
        ids: the id of an element.
        into: the name of the column of results.
        level: share of cases that are to be covered.
        ledger: of the predictions that wait for their labels.
        coverage: told of labels; None: nobody is.
    """

    def __init__(
        self,
        where: Where,
        form: Form,
        calibrator: Calibrator,
        *,
        ids: Column,
        into: str,
        level: float,
        ledger: Callable[[int], Ledger],
        coverage: Coverage | None,
    ) -> None:
        super().__init__(where)
        self._form = form
        self._calibrator = calibrator
        self._ids = ids
        self._into = into
        self._level = level
        self._new_ledger = ledger
        self._ledger: Ledger | None = None
        self._coverage = coverage

    @property
    def _words(self) -> str:
        made = f"{type(self._calibrator).__name__} at {self._level:.12g}"
        return f"calibrate({label_of(self._ids)}, {made}) of {self._where.words}"

    @override
    def read(self, items: Sequence[Any], times: NDArray[np.int64]) -> tuple[list[Any], Floats]:
        ids = read(items, self._ids)
        return list(ids.tolist() if isinstance(ids, np.ndarray) else ids), self._form.parts(items)

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: tuple[list[Any], Floats],
        placed: Placement,
    ) -> Sequence[Any]:
        ids, parts = given
        self._fit(placed.fresh)
        issued = self._issued(placed.codes)
        radius = issued[:, :, 0]
        results = widened(items, {self._into: self._form.result(parts, radius, self._level)})
        kept = np.concatenate([issued.reshape(len(ids), -1), parts], axis=1)
        self._waiting(kept.shape[1]).put(ids, times, placed.codes, kept)
        return results

    def _issued(self, slots: NDArray[np.intp]) -> Floats:
        sides = self._form.sides
        issued = self._calibrator.issue(side_slots(slots, sides))
        return issued.reshape(len(slots), sides, -1)

    def _fit(self, fresh: list[int]) -> None:
        sides = self._form.sides
        self._calibrator.grow(self._roster.table.capacity * sides)
        if fresh:
            self._calibrator.forget(side_slots(np.array(fresh, np.intp), sides))

    def _waiting(self, width: int) -> Ledger:
        if self._ledger is None:
            self._ledger = self._new_ledger(width)
        return self._ledger

    @override
    def hear(self, labels: Sequence[Label]) -> None:
        ledger = self._ledger
        if ledger is None:
            return
        known = [label for label in labels if not _missing(label.value)]
        ledger.abstain([label.id for label in labels if _missing(label.value)])
        times = [label.time for label in known]
        taken = ledger.take([label.id for label in known], _times(times))
        if len(taken.rows):
            rows: list[int] = taken.rows.tolist()
            self._learn([known[row].value for row in rows], taken.slots, taken.values)

    def _learn(self, values: Sequence[Any], slots: NDArray[np.intp], kept: Floats) -> None:
        sides, width = self._form.sides, self._calibrator.width
        issued, parts = np.split(kept, [sides * width], axis=1)
        scores = self._form.scores(parts, values)
        issued = issued.reshape(-1, width)
        self._calibrator.update(side_slots(slots, sides), scores.reshape(-1), issued)
        covered: NDArray[np.bool_] = np.all(scores <= issued[:, 0].reshape(scores.shape), axis=1)
        if self._coverage is not None and self._ledger is not None:
            self._coverage.hear(covered, self._ledger.counts)

    @override
    def advance(self, watermark: int) -> Sequence[Any]:
        if self._ledger is not None:
            self._ledger.advance(watermark)
        return super().advance(watermark)

    @override
    def snapshot(self) -> Any:
        ledger = None if self._ledger is None else [self._ledger.width, self._ledger.snapshot()]
        told = None if self._coverage is None else self._coverage.snapshot()
        return [self._words, self._roster.snapshot(), self._calibrator.snapshot(), ledger, told]

    @override
    def restore(self, state: Any) -> None:
        words, roster, calibrator, ledger, told = state
        require_same(words, self._words)
        self._roster.restore(roster)
        self._calibrator.restore(calibrator)
        if ledger is not None:
            self._waiting(ledger[0]).restore(ledger[1])
        if self._coverage is not None and told is not None:
            self._coverage.restore(told)


def _missing(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN is not itself


def _times(times: Sequence[int | None]) -> NDArray[np.int64] | None:
    known = [time for time in times if time is not None]
    return np.array(known, np.int64) if len(known) == len(times) else None
