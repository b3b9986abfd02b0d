"""Estimating: how good predictions of classes are, by their own probabilities first and by labels as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.errors import DistributionError, SchemaError
from rxml.evaluation.estimated import Quality
from rxml.evaluation.metrics.rows import grown
from rxml.eventtime.reading import label_of
from rxml.learning.awaiting import Awaiting
from rxml.learning.parts import chances, classes_of, column_of, probabilities
from rxml.learning.quality.handle import QualityReport
from rxml.uncertain import Categorical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.learning.quality.handle import EstimatedQuality
    from rxml.uncertain.calibration.labels import Counts, Id, Ledger

Floats: TypeAlias = NDArray[np.float64]

_EVENT: Final = [False, True]
_TOGETHER: Final = 64
"""Keys whose windows are copied at a time, to be reported on."""


class Estimating(Awaiting):
    """Passes elements on, and tells how good their predictions are.

    Args:
        where: the key of an element, and its time if labels expire.
        prediction: the column of probabilities.
        ids: the id of an element.
        threshold: from what probability on an event is predicted.
        classes: in the order of the probabilities; None: those of the column, or 0 to k - 1.
        ledger: of what waits for labels.
        quality: told of it.
    """

    def __init__(
        self,
        where: Where,
        *,
        prediction: Column,
        ids: Column,
        threshold: float,
        classes: Sequence[Any] | None,
        ledger: Callable[[int], Ledger],
        quality: EstimatedQuality,
    ) -> None:
        super().__init__(where, ids, ledger)
        self._prediction = prediction
        self._threshold = threshold
        self._told = quality
        self._quality = Quality(quality.window, threshold=threshold)
        self._given: list[Any] | None = None if classes is None else list(classes)
        self._classes: list[Any] | None = None
        self._next: list[Any] = []
        self._heard: NDArray[np.int64] = np.zeros(0, np.int64)

    @property
    @override
    def kind(self) -> str:
        text = f"threshold {self._threshold:.12g}, window {self._told.window}"
        text += ", f1" if self._told.f1 else ""
        return f"estimate_quality: {label_of(self._prediction)}, {text}"

    @override
    def facts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        column = column_of(items, self._prediction)
        of_classes = isinstance(column, Categorical) or getattr(column, "ndim", 1) == 2
        read = probabilities if of_classes else chances
        p = read(items, self._prediction)
        p = p if p.ndim == 2 else np.stack([1.0 - p, p], axis=-1)
        self._require(p)
        self._next = self._named(column, p.shape[1])
        return p

    def _require(self, p: Floats) -> None:
        wrong = np.flatnonzero(~((p >= 0) & (p <= 1)).all(axis=1))
        if len(wrong):
            row = int(wrong[0])
            raise DistributionError(
                f"row {row} says {p[row].tolist()}: a probability is within [0, 1]"
            )

    def _named(self, column: object, count: int) -> list[Any]:
        own = column.classes.tolist() if isinstance(column, Categorical) else list(range(count))
        found = own if self._given is None else self._given
        known = found if self._classes is None else self._classes
        if len(found) != count or found != known:
            name, want = label_of(self._prediction), known if len(found) == count else found
            raise SchemaError(
                f"column {name!r} has probabilities of {count} classes, not of {want}"
            )
        return found

    @override
    def begin(self, capacity: int, fresh: NDArray[np.intp]) -> None:
        self._begin_f1(len(self._next))
        self._quality.grow(capacity)
        self._heard = grown(self._heard, capacity)
        if len(fresh):
            self._quality.forget(fresh)
            self._heard[fresh] = 0

    def _begin_f1(self, classes: int) -> None:
        """How many classes there are is known from the first elements, or from a state, before it has rows."""
        if self._told.f1 and self._quality.classes is None:
            window, threshold = self._told.window, self._threshold
            self._quality = Quality(window, threshold=threshold, classes=classes)

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: tuple[list[Id], Floats],
        placed: Placement,
    ) -> Sequence[Any]:
        results = super().work(items, times, given, placed)
        self._count(placed.codes)
        return results

    @override
    def say(
        self, items: Sequence[Any], slots: NDArray[np.intp], facts: Floats
    ) -> tuple[Sequence[Any], Floats]:
        event = facts.shape[1] == len(_EVENT)
        said = facts[:, 1] >= self._threshold if event else np.argmax(facts, axis=1)
        tickets = self._quality.predicted(facts[:, 1] if event else facts, slots)
        self._classes = self._next
        return items, np.stack([tickets, said], axis=-1).astype(np.float64)

    @override
    def truths(self, values: Sequence[Any], width: int) -> Floats:
        classes = cast("list[Any]", self._classes)  # labels are of elements that came before
        return classes_of(values, classes, len(classes))

    @override
    def learn(self, slots: NDArray[np.intp], kept: Floats, truths: Floats) -> None:
        right = kept[:, 1] == truths
        places = truths.astype(np.intp)
        self._quality.labelled(kept[:, 0].astype(np.int64), right, slots, truths=places)
        self._count(slots)

    def _count(self, slots: NDArray[np.intp]) -> None:
        touched = np.unique(slots)
        before = self._heard[touched] // self._told.every
        np.add.at(self._heard, slots, 1)
        due = touched[self._heard[touched] // self._told.every > before]
        for at in range(0, len(due), _TOGETHER):
            self._told.hear(self._reports(due[at : at + _TOGETHER]))

    def _reports(self, slots: NDArray[np.intp]) -> list[QualityReport]:
        keyed = self._where.keying is not None
        keys = self._roster.table.keys_of(slots.tolist()) if keyed else [None] * len(slots)
        level, quality = self._told.level, self._quality
        columns = (
            quality.value(slots),
            *quality.interval(level, slots),
            quality.measured(slots),
            *quality.rectified(level, slots),
        )
        rows = zip(keys, zip(*columns, strict=True), self._f1(slots), strict=True)
        counts = self.counts
        return [_report(key, row, counts, f1) for key, row, f1 in rows]

    def _f1(self, slots: NDArray[np.intp]) -> Iterable[Sequence[Any]]:
        if not self._told.f1:
            return [()] * len(slots)
        return zip(*self._quality.f1(self._told.level, slots), strict=True)

    @override
    def saved(self) -> dict[str, Any]:
        return {
            "quality": self._quality.snapshot(),
            "classes": self._classes,
            "heard": self._heard.copy(),
            "told": self._told.snapshot(),
        }

    @override
    def resume(self, state: dict[str, Any]) -> None:
        self._classes = state["classes"]
        if self._classes is not None:
            self._begin_f1(len(self._classes))
        self._quality.restore(state["quality"])
        self._heard = np.array(state["heard"], np.int64)
        self._told.restore(state["told"])


def _report(key: Any, row: Sequence[Any], counts: Counts, f1: Sequence[Any]) -> QualityReport:
    told: list[Any] = [key, *map(float, row), counts, *map(float, f1)]
    return QualityReport(*told)
