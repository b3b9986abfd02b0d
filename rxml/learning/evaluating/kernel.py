"""Evaluating: predictions are kept until their labels come, and judged by them, in the order of the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.reading import label_of
from rxml.learning.delaying.holding import Holding
from rxml.learning.delaying.waiting import GONE
from rxml.learning.evaluating.columns import gathered, needed
from rxml.learning.identity import ids_of, require_ids
from rxml.learning.label import missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.learning.delaying.waiting import Waiting
    from rxml.learning.evaluating.columns import Prediction
    from rxml.learning.evaluating.handle import Evaluation
    from rxml.learning.label import Label
    from rxml.uncertain.calibration.labels import Id


class Evaluating(Holding):
    """Judges predictions, of all elements and of each key, and tells of it.

    Args:
        where: the key of an element, and its time if labels expire.
        evaluation: told of it.
        ids: the id of an element.
        prediction: where predictions are.
        waiting: predictions, until labels come; this run's own.
    """

    def __init__(
        self,
        where: Where,
        evaluation: Evaluation,
        *,
        ids: Column,
        prediction: Prediction,
        waiting: Waiting,
    ) -> None:
        super().__init__(where, waiting)
        self._evaluation = evaluation
        self._judged = evaluation.begin()
        self._ids = ids
        self._prediction = prediction

    @property
    def _words(self) -> str:
        names = ", ".join(self._evaluation.names)
        return f"evaluate({label_of(self._ids)}, {names}) of {self._where.words}"

    @override
    def read(
        self, items: Sequence[Any], times: NDArray[np.int64]
    ) -> tuple[list[Id], list[tuple[Any, ...]]]:
        ids = ids_of(items, self._ids)
        return ids, needed(items, self._evaluation.needs, self._prediction)

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: tuple[list[Id], list[tuple[Any, ...]]],
        placed: Placement,
    ) -> Sequence[Any]:
        ids, values = given
        if self._where.keying is not None:
            self._judged.fit(self._roster.table.capacity, placed.fresh)
        self._waiting.place(placed, ids, times, values)
        return items

    @override
    def hear(self, labels: Sequence[Label]) -> None:
        ids = require_ids([label.id for label in labels])
        if missing(labels[0]):
            self._waiting.abstain(ids)
            return
        times = [label.time for label in labels]
        rows, found = self._waiting.find(ids, times)
        truths = [labels[row].value for row in rows]
        columns = gathered([kept.values for kept in found], self._evaluation.needs, truths)
        keys = np.array([kept.slot for kept in found], np.intp)
        keys = keys if self._where.keying is not None else np.full_like(keys, GONE)
        stops = self._judged.stops(keys, self._evaluation.every)
        if stops:  # one that cannot be judged must be found before those in front of it have been
            self._judged.require(columns)
        done = heard = 0
        for stop in [*stops, len(rows)]:
            upto = rows[stop - 1] + 1 if stop < len(rows) else len(labels)
            part = {name: column[done:stop] for name, column in columns.items()}
            self._judged.take(part, keys[done:stop])
            self._waiting.take(ids[heard:upto], times[heard:upto])
            self._tell(keys[done:stop])
            done, heard = stop, upto

    def _tell(self, keys: NDArray[np.intp]) -> None:
        judged, every = self._judged, self._evaluation.every
        judged.counts = self._waiting.counts
        if not len(keys):
            return
        place = int(keys[-1]) + 1
        if place and judged.labels(place) % every == 0:
            (key,) = self._roster.table.keys_of([place - 1])
            self._evaluation.tell(judged.report(place, key))
        if judged.labels() % every == 0:
            self._evaluation.tell(judged.report())

    @override
    def flush(self) -> Sequence[Any]:
        if self._judged.labels() % self._evaluation.every:
            self._evaluation.tell(self._judged.report())
        return ()

    @override
    def snapshot(self) -> Any:
        state = [self._judged.snapshot(), self._waiting.snapshot()]
        return [self._words, self._roster.snapshot(), *state]

    @override
    def restore(self, state: Any) -> None:
        words, roster, judged, waiting = state
        require_same(words, self._words)
        self._roster.restore(roster)
        self._judged.restore(judged)
        self._waiting.restore(waiting)
        self._judged.counts = self._waiting.counts
