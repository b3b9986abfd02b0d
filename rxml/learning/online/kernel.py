"""Learning: predicts each element, and learns from exactly what was predicted when its label comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import ModelError
from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.reading import label_of
from rxml.flow.supervision import Unusable
from rxml.learning.delaying.holding import Holding
from rxml.learning.delaying.waiting import GONE
from rxml.learning.identity import ids_of, require_ids
from rxml.learning.label import Label, missing
from rxml.learning.online.inputs import inputs_of, kept_rows, rebuilt
from rxml.learning.widening import widened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.learning.delaying.waiting import Waiting
    from rxml.learning.online.model import OnlineModel
    from rxml.uncertain.calibration.labels import Id

Taught: TypeAlias = "tuple[tuple[Any, ...], Label]"
"""The inputs that were predicted, and their label."""


class Learning(Holding):
    """A model for each key, that predicts and learns.

    Args:
        where: the key of an element, and its time if labels expire.
        model: as it is at first; it is copied for each key.
        ids: the id of an element.
        into: the name of the first output's column; None: as the model has it.
        mini_batch: labels of a key that are learned from at once.
        waiting: what was predicted, until labels come; this run's own.
    """

    version = 2
    singly = True

    def __init__(
        self,
        where: Where,
        model: OnlineModel,
        *,
        ids: Column,
        into: str | None,
        mini_batch: int,
        waiting: Waiting,
    ) -> None:
        super().__init__(where, waiting)
        self._first = model
        self._ids = ids
        self._into = into
        self._most = mini_batch
        self._models: dict[int, OnlineModel] = {}
        self._gathered: dict[int, list[Taught]] = {}

    @property
    def _words(self) -> str:
        made = f"{type(self._first).__name__} of {', '.join(self._first.inputs)} by {self._most}"
        return f"learn({label_of(self._ids)}, {made}) of {self._where.words}"

    @override
    def read(self, items: Sequence[Any], times: NDArray[np.int64]) -> tuple[list[Id], Batch]:
        return ids_of(items, self._ids), inputs_of(items, self._first.inputs)

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: tuple[list[Id], Batch],
        placed: Placement,
    ) -> Sequence[Any]:
        ids, inputs = given
        for slot in placed.fresh:
            self._models[slot] = self._first.copied()
            self._gathered[slot] = []
        outputs = self._predicted(inputs, placed.codes)
        results = widened(items, self._named(outputs))
        self._waiting.place(placed, ids, times, kept_rows(inputs))
        self.give_up(placed.retired)
        return results

    @override
    def give_up(self, slots: Sequence[int]) -> None:
        for slot in slots:
            self._models.pop(slot, None)
            self._gathered.pop(slot, None)

    def _predicted(self, inputs: Batch, codes: NDArray[np.intp]) -> Batch:
        order = np.argsort(codes, kind="stable")
        slots, starts = np.unique(codes[order], return_index=True)
        if len(slots) == 1:
            return self._asked(int(slots[0]), inputs)
        rows = np.split(order, starts[1:])
        parts = [
            self._asked(slot, inputs.take(each))
            for slot, each in zip(slots.tolist(), rows, strict=True)
        ]
        return Batch.concat(parts).take(np.argsort(order, kind="stable"))

    def _asked(self, slot: int, inputs: Batch) -> Batch:
        outputs = self._models[slot].predict(inputs)
        if len(outputs) != len(inputs):
            raise ModelError(f"the model gave {len(outputs)} predictions for {len(inputs)} rows")
        return outputs

    def _named(self, outputs: Batch) -> dict[str, Any]:
        columns = dict(outputs.columns)
        if self._into is None:
            return columns
        first = next(iter(columns))
        return {self._into if name == first else name: each for name, each in columns.items()}

    @override
    def hear(self, labels: Sequence[Label]) -> None:
        require_ids([label.id for label in labels])
        for label in labels:
            if missing(label):
                self._waiting.abstain([label.id])
                continue
            for kept in self._waiting.take([label.id], [label.time]):
                if kept.slot != GONE:
                    self._learn(kept.slot, (kept.values, label))

    def _learn(self, slot: int, taught: Taught) -> None:
        gathered = self._gathered[slot]
        gathered.append(taught)
        if len(gathered) < self._most:
            return
        self._gathered[slot] = []
        model = self._models[slot]
        alone = getattr(model, "stepwise", False)
        parts = [[each] for each in gathered] if alone else [gathered]
        useless = [each for part in parts for each in self._teach(model, part)]
        if useless and self._most == 1:
            raise useless[0][1]
        if useless:
            raise Unusable(useless)

    def _teach(
        self, model: OnlineModel, pairs: Sequence[Taught]
    ) -> Sequence[tuple[Label, Exception]]:
        """Have a model learn, in halves where it fails: the labels that it cannot learn from, and why."""
        rows, labels = zip(*pairs, strict=True)
        try:
            model.learn(rebuilt(rows, self._first.inputs), [label.value for label in labels])
        except Exception as error:  # noqa: BLE001 - told of each label
            if len(labels) == 1:
                return [(labels[0], error)]
            half = len(pairs) // 2
            return [*self._teach(model, pairs[:half]), *self._teach(model, pairs[half:])]
        return ()

    @override
    def snapshot(self) -> Any:
        models = [[slot, model.snapshot()] for slot, model in self._models.items()]
        gathered = [
            [slot, [[list(values), label] for values, label in pairs]]
            for slot, pairs in self._gathered.items()
        ]
        state = [models, gathered, self._waiting.snapshot()]
        return [self._words, self._roster.snapshot(), *state]

    @override
    def restore(self, state: Any) -> None:
        words, roster, models, gathered, waiting = state
        require_same(words, self._words)
        self._roster.restore(roster)
        self._waiting.restore(waiting)
        self._models = {slot: self._first.copied() for slot, _ in models}
        for slot, saved in models:
            self._models[slot].restore(saved)
        self._gathered = {
            slot: [(tuple(values), label) for values, label in pairs] for slot, pairs in gathered
        }
