"""Drifting: numbers of each key are watched for changes of what they are drawn from, and elements say when one was seen."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.eventtime.keyed.agreeing import require_same
from rxml.eventtime.reading import label_of, read
from rxml.learning.delaying.holding import Holding, require_rows
from rxml.learning.delaying.kernel import listed
from rxml.learning.delaying.waiting import GONE
from rxml.learning.evaluating.drifts import Drift
from rxml.learning.identity import ids_of, require_ids
from rxml.learning.label import missing
from rxml.learning.widening import widened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.evaluation.drift import DriftDetector
    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.reading import Column
    from rxml.learning.delaying.waiting import Waiting
    from rxml.learning.evaluating.drifts import Drifts
    from rxml.learning.label import Label
    from rxml.uncertain.calibration.labels import Id

    Loss: TypeAlias = Callable[[Any, Any], float]


class Drifting(Holding):
    """Watches the numbers that elements have, or how wrong their predictions turn out to be.

    Args:
        where: the key of an element, and its time if labels expire.
        detector: as it is at first; each key has a copy.
        column: the numbers, or the predictions.
        loss: from a prediction and its truth to a number; None: the column has the numbers.
        ids: the id of an element, if there is a loss.
        into: the name of the column that says where a drift was seen.
        drifts: told of them; None: nobody is.
        waiting: predictions, until labels come; this run's own.
    """

    def __init__(
        self,
        where: Where,
        detector: DriftDetector,
        column: Column,
        loss: Loss | None,
        *,
        ids: Column,
        into: str,
        drifts: Drifts | None,
        waiting: Waiting,
    ) -> None:
        super().__init__(where, waiting)
        self._first = detector
        self._column = column
        self._loss = loss
        self._ids = ids
        self._into = into
        self._drifts = drifts
        self._watched: dict[int, _Watched] = {}

    @property
    def _words(self) -> str:
        kind = "numbers" if self._loss is None else f"losses by {label_of(self._ids)}"
        made = f"{type(self._first).__name__} of {label_of(self._column)}, {kind}"
        return f"detect_drift({made}) of {self._where.words}"

    @override
    def read(self, items: Sequence[Any], times: NDArray[np.int64]) -> tuple[list[Id], list[Any]]:
        require_rows(items)
        values = listed(read(items, self._column))
        if self._loss is not None:
            return ids_of(items, self._ids), values
        return [], [number(value, row) for row, value in enumerate(values)]

    @override
    def work(
        self,
        items: Sequence[Any],
        times: NDArray[np.int64],
        given: tuple[list[Id], list[Any]],
        placed: Placement,
    ) -> Sequence[Any]:
        ids, values = given
        for slot in placed.fresh:
            self._watched[slot] = _Watched(deepcopy(self._first))
        slots: list[int] = placed.codes.tolist()
        if self._loss is None:
            flags = [self._take(slot, value) for slot, value in zip(slots, values, strict=True)]
        else:
            self._waiting.place(placed, ids, times, ((value,) for value in values))
            flags = [self._watched[slot].answered() for slot in slots]
        self.give_up(placed.retired)
        return widened(items, {self._into: np.array(flags, np.bool_)})

    @override
    def give_up(self, slots: Sequence[int]) -> None:
        for slot in slots:
            self._watched.pop(slot, None)

    def _take(self, slot: int, value: float | None) -> bool:
        watched = self._watched[slot]
        if value is None or not watched.take(value):
            return False
        if self._drifts is not None:
            (key,) = self._roster.table.keys_of([slot])
            key = None if self._where.keying is None else key
            self._drifts.tell(Drift(key, watched.numbers, value))
        return True

    @override
    def hear(self, labels: Sequence[Label]) -> None:
        ids = require_ids([label.id for label in labels])
        if self._loss is None or missing(labels[0]):
            self._waiting.abstain(ids)
            return
        times = [label.time for label in labels]
        rows, found = self._waiting.find(ids, times)
        losses = [
            number(self._loss(kept.values[0], labels[row].value), row)
            for row, kept in zip(rows, found, strict=True)
        ]
        self._waiting.take(ids, times)
        for kept, loss in zip(found, losses, strict=True):
            if kept.slot != GONE and self._take(kept.slot, loss):
                self._watched[kept.slot].drifted = True

    @override
    def snapshot(self) -> Any:
        watched = [[slot, each.snapshot()] for slot, each in self._watched.items()]
        return [self._words, self._roster.snapshot(), watched, self._waiting.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        words, roster, watched, waiting = state
        require_same(words, self._words)
        self._roster.restore(roster)
        self._waiting.restore(waiting)
        self._watched = {slot: _Watched(deepcopy(self._first)) for slot, _ in watched}
        for slot, saved in watched:
            self._watched[slot].restore(saved)


class _Watched:
    """What is known of a key.

    Args:
        detector: its own.
    """

    def __init__(self, detector: DriftDetector) -> None:
        self._detector = detector
        self.numbers: int = 0
        self.drifted: bool = False

    def take(self, value: float) -> bool:
        """A number has come; whether it shows a drift."""
        self.numbers += 1
        return self._detector.update(value)

    def answered(self) -> bool:
        """Whether a drift was seen since this was last asked."""
        drifted, self.drifted = self.drifted, False
        return drifted

    def snapshot(self) -> Any:
        """The state, as plain values."""
        return [self._detector.snapshot(), self.numbers, self.drifted]

    def restore(self, state: Any) -> None:
        """Go on from a state that `snapshot` gave."""
        detector, self.numbers, self.drifted = state
        self._detector.restore(detector)


def number(value: Any, row: int) -> float | None:
    """A finite number, or None for one that is missing (None, NaN).

    Raises:
        DistributionError: it is no number, or infinite.
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return None
    try:
        plain = float(value)
    except (TypeError, ValueError) as error:
        raise DistributionError(f"row {row} has {value!r}, which is no number: {error}") from error
    if not np.isfinite(plain):
        raise DistributionError(f"row {row} has {plain}: a drift is seen in finite numbers only")
    return plain
