"""Featuring: makes features of each element, and learns from it after that, at once or when its target comes."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.batch.column import values_of
from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.reading import label_of
from rxml.learning.delaying.holding import Holding, require_rows
from rxml.learning.delaying.waiting import GONE
from rxml.learning.featuring.columns import Reader, uncertain
from rxml.learning.identity import ids_of, require_ids
from rxml.learning.label import missing
from rxml.learning.parts import finite
from rxml.learning.widening import widened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.features import Columns, Features
    from rxml.learning.delaying.waiting import Kept, Waiting
    from rxml.learning.label import Label
    from rxml.uncertain.calibration.labels import Id


class Featuring(Holding):
    """Features that learn, of each key.

    Args:
        where: the key of an element, and its time if labels expire.
        features: as they are at first; they are copied.
        ids: the id of an element; nobody asks where targets are in the elements.
        late: targets come as labels.
        learning: whether it learns at all.
        distributions: whether imputed and target encoded features become distributions.
        waiting: what is to be learned from, until targets come; this run's own.
    """

    def __init__(
        self,
        where: Where,
        features: Features,
        *,
        ids: Column,
        late: bool,
        learning: bool,
        distributions: bool,
        waiting: Waiting,
    ) -> None:
        super().__init__(where, waiting)
        self._features = deepcopy(features)
        self._ids = ids
        self._late = late
        self._learning = learning
        self._distributions = distributions
        self._reader = Reader(features, features.targets if learning and not late else ())

    @property
    def _words(self) -> str:
        named = label_of(self._ids) if self._late else "none"
        return f"features({named}, {self._features.digest}) of {self._where.words}"

    @override
    def read(self, items: Sequence[Any], times: NDArray[np.int64]) -> tuple[list[Id], Columns]:
        require_rows(items)
        return ids_of(items, self._ids) if self._late else [], self._reader.of(items)

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: tuple[list[Id], Columns],
        placed: Placement,
    ) -> Sequence[Any]:
        ids, data = given
        self._fit(placed)
        made = self._made(data, placed.codes)
        if self._late:
            kept = [{**data, **made}[name] for name in self._features.late]
            self._waiting.place(placed, ids, times, zip(*map(values_of, kept), strict=True))
        columns = uncertain(self._features, made) if self._distributions else made
        return widened(items, columns)

    def _made(self, data: Columns, slots: NDArray[np.intp]) -> Columns:
        if not self._learning:
            return self._features.transform(data, np.zeros_like(slots))
        work = self._features.learn_untargeted if self._late else self._features.learn_transform
        return work(data, slots)

    def _fit(self, placed: Placement) -> None:
        """Room for the keys; without keys what was learned before stays."""
        if self._where.keying is None:
            return
        self._features.grow(self._roster.table.capacity)
        if placed.fresh:
            self._features.forget(np.array(placed.fresh, np.intp))

    @override
    def hear(self, labels: Sequence[Label]) -> None:
        ids = require_ids([label.id for label in labels])
        if missing(labels[0]):
            self._waiting.abstain(ids)
            return
        times = [label.time for label in labels]
        rows, found = self._waiting.find(ids, times)
        targets = finite([labels[row].value for row in rows])
        alive = [at for at, kept in enumerate(found) if kept.slot != GONE]
        if alive:
            self._learn([found[at] for at in alive], targets[alive])
        self._waiting.take(ids, times)

    def _learn(self, found: list[Kept], targets: NDArray[np.float64]) -> None:
        slots = np.array([kept.slot for kept in found], np.intp)
        values = zip(*(kept.values for kept in found), strict=True)
        late = zip(self._features.late, values, strict=True)
        data = {name: self._reader.rebuilt(name, each) for name, each in late}
        told = dict.fromkeys(self._features.targets, targets)
        self._features.learn_targets({**data, **told}, slots)

    @override
    def snapshot(self) -> Any:
        state = [self._features.snapshot(), self._waiting.snapshot()]
        return [self._words, self._roster.snapshot(), *state]

    @override
    def restore(self, state: Any) -> None:
        words, roster, features, waiting = state
        require_same(words, self._words)
        self._roster.restore(roster)
        self._features.restore(features)
        self._waiting.restore(waiting)
