"""Evaluation: how good predictions are, told as labels come, with how sure that is."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.evaluation.metrics.rows import numbered
from rxml.flow.check import require_count
from rxml.flow.supervising.news import News
from rxml.uncertain.calibration.labels import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.evaluation.metrics import Metrics
    from rxml.evaluation.metrics.rows import Slots
    from rxml.flow.flowable import Flowable


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What metrics are after some labels.

    Attributes:
        key: of which elements; None: of all.
        labels: that have been judged.
        values: of the metrics, by name; NaN where nothing is known.
        intervals: lower and upper bound of each, at the level of the `Evaluation`, for this look alone.
        counts: what became of all predictions and labels so far; the missing ones are judged by nobody.
    """

    key: Any
    labels: int
    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    counts: Counts = field(default_factory=Counts)

    def __getitem__(self, name: str) -> float:
        return self.values[name]


class Evaluation:
    """Watches predictions for `ops.evaluate`: hand it over, and read `reports`, or `now`.

    Each run begins with metrics as they were handed in; what is read here is of the run that was begun last.

    Args:
        metrics: of `rxml.evaluation.metrics`: of all rows, of rows that fade, or of the last.
        every: labels, of all or of a key, after which there is a report, >= 1.
        level: of the intervals, above 0 and below 1.
        keep: reports that are remembered for readers, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self, metrics: Metrics, *, every: int = 100, level: float = 0.95, keep: int = 1024
    ) -> None:
        if not 0 < level < 1:
            raise ValueError(f"Evaluation(level) is above 0 and below 1; got {level!r}")
        self.every: int = require_count("Evaluation(every)", every, 1)
        self.level: float = level
        self.needs: tuple[str, ...] = metrics.needs
        self._first = deepcopy(metrics)
        self._news: News[EvaluationReport] = News(keep)
        self._judged = Judged(deepcopy(metrics), level)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the metrics."""
        return self._first.names

    @property
    def reports(self) -> Flowable[EvaluationReport]:
        """The reports that are remembered, then those that are told; it ends when its run is drained."""
        return self._news.flow("evaluation")

    @property
    def recent(self) -> tuple[EvaluationReport, ...]:
        """The reports that are remembered, the oldest first."""
        return self._news.recent()

    @property
    def now(self) -> EvaluationReport:
        """What is known now, of all elements together."""
        return self._judged.report()

    def begin(self) -> Judged:
        """What a run judges by."""
        self._judged = Judged(deepcopy(self._first), self.level)
        return self._judged

    def tell(self, report: EvaluationReport) -> None:
        """There is a report."""
        self._news.tell(report)


class Judged:
    """Metrics of all elements, and of the key in each slot, and how many labels each has had.

    Args:
        metrics: without rows, to be changed. Place 0 is of all elements, place i + 1 of the key in slot i.
        level: of the intervals.
    """

    def __init__(self, metrics: Metrics, level: float) -> None:
        self.counts: Counts = Counts()
        self._metrics = metrics
        self._level = level
        self._labels = np.zeros(1, np.int64)

    def labels(self, place: int = 0) -> int:
        """How many have come to a place."""
        return int(self._labels[place])

    def fit(self, slots: int, fresh: list[int]) -> None:
        """Have room for the keys of so many slots, and nothing in those that are fresh."""
        self._metrics.grow(slots + 1)
        more = max(0, slots + 1 - len(self._labels))
        self._labels = np.concatenate([self._labels, np.zeros(more, np.int64)])
        if fresh:
            places = np.array(fresh, np.intp) + 1
            self._metrics.forget(places)
            self._labels[places] = 0

    def require(self, columns: Mapping[str, Any]) -> None:
        """Refuse rows, before anything has changed.

        Raises:
            DistributionError: some are none that can be judged.
        """
        for name in self._metrics.names:
            metric = self._metrics[name]
            metric.prepared(*(columns[each] for each in metric.needs))

    def stops(self, keys: Slots, every: int) -> list[int]:
        """Behind which rows there is a report, but for the last row."""
        places = keys + 1
        first = places.max(initial=0) == 0
        if first and self.labels() % every + len(keys) <= every:
            return []
        whole = self._labels[0] + np.arange(1, len(keys) + 1)
        each = self._labels[places] + numbered(places) + 1
        told = (whole % every == 0) | ((places > 0) & (each % every == 0))
        stops: list[int] = (np.flatnonzero(told[:-1]) + 1).tolist()
        return stops

    def take(self, columns: Mapping[str, Any], keys: Slots) -> None:
        """Judge rows, in order.

        Args:
            columns: that the metrics need.
            keys: the slot of each row's key, (n,); -1 for one that is of no key.
        """
        if not len(keys):
            return
        self._metrics.update(columns, np.zeros(len(keys), np.intp))
        self._labels[0] += len(keys)
        rows = np.flatnonzero(keys >= 0)
        if len(rows):
            self._metrics.update({n: each[rows] for n, each in columns.items()}, keys[rows] + 1)
            np.add.at(self._labels, keys[rows] + 1, 1)

    def report(self, place: int = 0, key: Any = None) -> EvaluationReport:
        """Of a place."""
        at = np.array([place], np.intp)
        values = {name: float(each[0]) for name, each in self._metrics.values(at).items()}
        bounds = self._metrics.intervals(self._level, at)
        intervals = {name: (float(lo[0]), float(hi[0])) for name, (lo, hi) in bounds.items()}
        return EvaluationReport(key, self.labels(place), values, intervals, self.counts)

    def snapshot(self) -> dict[str, Any]:
        """The state, as plain values and arrays."""
        return {"metrics": self._metrics.snapshot(), "labels": self._labels.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        self._metrics.restore(state["metrics"])
        self._labels = np.array(state["labels"], np.int64)
