"""QuantileTracker: the radius itself follows what was missed; no scores are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_positive
from rxml.uncertain.calibration.keyed import KeyedCalibrator, keys_of
from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]
    Unit: TypeAlias = Literal["range", "score"]


class QuantileTracker(KeyedCalibrator):
    """The radius moves by eta (missed - target), eta being `rate` times the range of recent scores.

    Angelopoulos, Candes, Tibshirani, "Conformal PID Control for Time Series Prediction", NeurIPS 2023, the P part. A
    radius may become negative: then the set is empty. Before the first label of a key its radius is infinite;
    that label's score is where it begins. Issued is the radius alone.

    With `unit="score"`, scores in [low, high] and labels that come before the next prediction, |mean(missed) -
    target| <= (high - low + rate) / (rate T) after T labels, whatever the sequence.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        rate: the step, > 0, in ranges of recent scores, or with `unit="score"` in units of the score.
        unit: "range" or "score".
        memory: labels after which a range that nothing upholds has shrunk to a third, >= 1.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    rate: float
    unit: Unit
    memory: float

    def __init__(
        self,
        level: float = 0.9,
        *,
        rate: float = 0.05,
        unit: Unit = "range",
        memory: float = 200.0,
        keys: int = 1,
    ) -> None:
        if unit not in {"range", "score"}:
            raise ValueError(f'unit is {unit!r}: give "range" or "score"')
        self.rate = require_positive("rate", rate)
        self.unit = unit
        self.memory = require_memory(memory)
        blank = RANGE if unit == "range" else {}
        self._state = Table(keys_of(keys), {"radius": np.inf, **blank})
        super().__init__(level, 1, {"state": self._state}, finite=True)

    @override
    def _issued(self, slots: Slots) -> Floats:
        radius: Floats = self._state["radius"][slots]
        return radius[:, None]

    @override
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        moved = (scores > issued[:, 0]) - self.target
        if self.unit == "score":
            moved *= self.rate
        else:
            moved *= self.rate * widened(self._state, rows, scores, self.memory)
        now = self._state["radius"][rows]
        self._state["radius"][rows] = np.where(now == np.inf, scores, now) + moved


RANGE: Final = {"low": np.nan, "high": np.nan}
"""Columns of a table for `widened`: before the first score there is no range."""


def widened(state: Table, rows: Rows, scores: Floats, memory: float) -> Floats:
    """The range of recent scores of each of these rows, once this one is among them: from `low` to `high`.

    Both ends draw nearer at each label, so that the range is a third after `memory` labels unless scores uphold it.
    """
    low, high = state["low"][rows], state["high"][rows]
    fade = (high - low) * (0.5 / memory)
    low, high = np.fmin(scores, low + fade), np.fmax(scores, high - fade)
    state["low"][rows], state["high"][rows] = low, high
    span: Floats = high - low
    return span


def require_memory(memory: float) -> float:
    """Labels after which an extreme score is forgotten.

    Raises:
        ValueError: below 1, or infinite.
    """
    if not 1 <= memory < np.inf:
        raise ValueError(f"memory is {memory!r}: give a finite number of labels, at least 1")
    return float(memory)
