"""CalibratingProbability: what a model says of an event, mapped to what that has meant so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.errors import DistributionError, SchemaError
from rxml.learning.awaiting import Awaiting
from rxml.learning.parts import chances
from rxml.learning.widening import widened
from rxml.uncertain import Beta, Interval
from rxml.uncertain.calibration.probabilities import CALIBRATED, HistogramBinning, VennAbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.reading import Column
    from rxml.uncertain.calibration.labels import Id, Ledger
    from rxml.uncertain.calibration.probabilities import KeyedProbability

Floats: TypeAlias = NDArray[np.float64]


class CalibratingProbability(Awaiting):
    """Issues a probability for each prediction, and learns from whether the event came.

    Args:
        where: the key of an element, and its time if labels expire.
        calibrator: what maps probabilities; it is this run's own.
        prediction: the column of what the model says.
        ids: the id of an element.
        into: the name of the column of results.
        ledger: of the predictions that wait for their labels.
    """

    def __init__(
        self,
        where: Where,
        calibrator: KeyedProbability,
        *,
        prediction: Column,
        ids: Column,
        into: str,
        ledger: Callable[[int], Ledger],
    ) -> None:
        super().__init__(where, ids, ledger)
        self._calibrator = calibrator
        self._prediction = prediction
        self._into = into

    @property
    @override
    def kind(self) -> str:
        names = [type(each).__name__ for each in _layers(self._calibrator)]
        return f"calibrate_probability: {' of '.join(names)}"

    @override
    def facts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        p = chances(items, self._prediction)
        wrong = np.flatnonzero(~((p >= 0) & (p <= 1)))
        if len(wrong):
            raise DistributionError(
                f"row {wrong[0]} says {p[wrong[0]]}: a probability is within [0, 1]"
            )
        return p[:, None]

    @override
    def begin(self, capacity: int, fresh: NDArray[np.intp]) -> None:
        self._calibrator.grow(capacity)
        if len(fresh):
            self._calibrator.forget(fresh)

    @override
    def say(
        self, items: Sequence[Any], slots: NDArray[np.intp], facts: Floats
    ) -> tuple[Sequence[Any], Floats]:
        issued = self._calibrator.issue(slots, facts[:, 0])
        return widened(items, {self._into: self._result(issued)}), issued

    def _result(self, issued: Floats) -> Floats | Interval | Beta:
        match self._calibrator:
            case VennAbers():
                return Interval(issued[:, 1], issued[:, 2], level=1.0, sort="bound")
            case HistogramBinning():
                return Beta(issued[:, 1], issued[:, 2])
            case _:
                return issued[:, CALIBRATED].copy()

    @override
    def truths(self, values: Sequence[Any], width: int) -> Floats:
        for value in values:
            if not isinstance(value, int | float | np.number | np.bool_) or value not in (0, 1):
                raise SchemaError(
                    f"a label is to be True or 1 where the event came, else False or 0: got {value!r}"
                )
        return np.array(values, np.float64)

    @override
    def learn(self, slots: NDArray[np.intp], kept: Floats, truths: Floats) -> None:
        self._calibrator.update(slots, kept, truths)

    @override
    def saved(self) -> dict[str, Any]:
        return {"calibrator": self._calibrator.snapshot()}

    @override
    def resume(self, state: dict[str, Any]) -> None:
        self._calibrator.restore(state["calibrator"])


def _layers(calibrator: KeyedProbability) -> list[KeyedProbability]:
    inner: KeyedProbability | None = getattr(calibrator, "inner", None)
    return [calibrator] if inner is None else [calibrator, *_layers(inner)]
