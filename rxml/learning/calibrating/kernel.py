"""Calibrating: intervals or sets around predictions, which labels keep true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.errors import SchemaError
from rxml.eventtime.reading import label_of
from rxml.learning.awaiting import Awaiting
from rxml.learning.identity import uniform
from rxml.learning.parts import classes_of, finite, numbers, probabilities
from rxml.learning.widening import widened
from rxml.uncertain import Interval
from rxml.uncertain.calibration.calibrator import RADIUS
from rxml.uncertain.calibration.scores import side_slots
from rxml.uncertain.interval import SORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.reading import Column
    from rxml.learning.calibrating.coverage import Coverage
    from rxml.uncertain.calibration.calibrator import Calibrator
    from rxml.uncertain.calibration.labels import Id, Ledger
    from rxml.uncertain.calibration.scores import IntervalScore
    from rxml.uncertain.calibration.sets import SetScore

Floats: TypeAlias = NDArray[np.float64]

_CONFORMAL: Final = np.array(SORTS.index("conformal"))


class Form(Protocol):
    """How predictions are scored, and what a radius makes of them."""

    @property
    def sides(self) -> int:
        """Scores for a label."""
        ...

    def parts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        """What is to be known of each prediction, shape (n, parts)."""
        ...

    def truths(self, values: Sequence[Any], parts: int) -> Floats:
        """The values of labels as numbers, shape (n,), for predictions of so many parts."""
        ...

    def scores(self, parts: Floats, truths: Floats) -> Floats:
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

    def parts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        """See `Form`."""
        del ids
        return numbers(items, self._columns, self._score.parts)

    def truths(self, values: Sequence[Any], parts: int) -> Floats:
        """See `Form`."""
        del parts
        return finite(values)

    def scores(self, parts: Floats, truths: Floats) -> Floats:
        """See `Form`."""
        return self._score.of(parts, truths)

    def result(self, parts: Floats, radius: Floats, level: float) -> Interval:
        """See `Form`."""
        lo, hi = self._score.bounds(parts, radius)  # in order, and no NaN: nothing is to be checked
        return Interval.adopt(lo=lo, hi=hi, level=np.full(len(lo), level), sort=_CONFORMAL)


class Sets:
    """Predictions of classes, whose result is which classes are in the set, booleans of shape (n, classes).

    The random share that "aps" and "raps" give a class of its own mass follows from the id: a replay draws the same.

    Args:
        score: of a label.
        column: where the probabilities are.
        classes: the labels in the order of the probabilities; None: 0 to k - 1.
    """

    sides: int = 1

    def __init__(self, score: SetScore, column: Column, classes: Sequence[Any] | None) -> None:
        self._score = score
        self._column = column
        self._classes = classes
        self._drawn = int(score.kind != "lac")

    def parts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        """See `Form`."""
        p = probabilities(items, self._column)
        if self._classes is not None and p.shape[1] != len(self._classes):
            text = f"{p.shape[1]} probabilities and {len(self._classes)} classes"
            raise SchemaError(f"column {label_of(self._column)!r}: {text}")
        return np.column_stack([p, uniform("set", ids)]) if self._drawn else p

    def truths(self, values: Sequence[Any], parts: int) -> Floats:
        """See `Form`."""
        return classes_of(values, self._classes, parts - self._drawn)

    def scores(self, parts: Floats, truths: Floats) -> Floats:
        """See `Form`."""
        p, draws = self._split(parts)
        return self._score.of(p, truths, draws)

    def result(self, parts: Floats, radius: Floats, level: float) -> NDArray[np.bool_]:
        """See `Form`."""
        del level
        p, draws = self._split(parts)
        return self._score.sets(p, radius, draws)

    def _split(self, parts: Floats) -> tuple[Floats, Floats | None]:
        return (parts[:, :-1], parts[:, -1]) if self._drawn else (parts, None)


class Calibrating(Awaiting):
    """Issues a radius for each prediction, and learns from how far the truth was.

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
        super().__init__(where, ids, ledger)
        self._form = form
        self._calibrator = calibrator
        self._into = into
        self._level = level
        self._coverage = coverage

    @property
    @override
    def kind(self) -> str:
        return f"calibrate: {type(self._calibrator).__name__} at {self._level:.12g}"

    @override
    def facts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        return self._form.parts(items, ids)

    @override
    def begin(self, capacity: int, fresh: NDArray[np.intp]) -> None:
        self._calibrator.grow(capacity * self._form.sides)
        if len(fresh):
            self._calibrator.forget(side_slots(fresh, self._form.sides))

    @override
    def say(
        self, items: Sequence[Any], slots: NDArray[np.intp], facts: Floats
    ) -> tuple[Sequence[Any], Floats]:
        issued = self._calibrator.issue(side_slots(slots, self._form.sides))
        radius = issued[:, RADIUS].reshape(len(slots), -1)
        made = self._form.result(facts, radius, self._level)
        kept = np.concatenate([issued.reshape(len(slots), -1), facts], axis=1)
        return widened(items, {self._into: made}), kept

    @override
    def truths(self, values: Sequence[Any], width: int) -> Floats:
        return self._form.truths(values, width - self._form.sides * self._calibrator.width)

    @override
    def learn(self, slots: NDArray[np.intp], kept: Floats, truths: Floats) -> None:
        issued, scores = self._scored(kept, truths)
        self._calibrator.update(side_slots(slots, self._form.sides), scores.reshape(-1), issued)

    @override
    def told(
        self, slots: NDArray[np.intp], alive: NDArray[np.bool_], kept: Floats, truths: Floats
    ) -> None:
        if self._coverage is None:
            return
        issued, scores = self._scored(kept, truths)
        within = scores <= issued[:, RADIUS].reshape(scores.shape)
        covered: NDArray[np.bool_] = np.all(within, axis=1, keepdims=True)[:, 0]
        if self._where.keying is not None:
            keys = self._roster.table.keys_of(slots[alive].tolist())
            self._coverage.hear_keys(keys, covered[alive].tolist())
        self._coverage.hear(covered, self.counts)

    def _scored(self, kept: Floats, truths: Floats) -> tuple[Floats, Floats]:
        """What was issued, a row a side, and the scores of labels, shape (n, sides)."""
        width = self._calibrator.width
        issued = self._form.sides * width
        parts = kept[:, issued:]
        return kept[:, :issued].reshape(-1, width), self._form.scores(parts, truths)

    @override
    def saved(self) -> dict[str, Any]:
        told = None if self._coverage is None else self._coverage.snapshot()
        return {"calibrator": self._calibrator.snapshot(), "coverage": told}

    @override
    def resume(self, state: dict[str, Any]) -> None:
        self._calibrator.restore(state["calibrator"])
        if self._coverage is not None and state["coverage"] is not None:
            self._coverage.restore(state["coverage"])
