"""QuantileTracker: the radius itself follows what was missed; no scores are kept."""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_positive
from rxml.uncertain.calibration.keyed import SteppedCalibrator, keys_of
from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]
    Unit: TypeAlias = Literal["range", "score"]


class QuantileTracker(SteppedCalibrator):
    """The radius moves by eta (missed - target), eta being `rate` times the range of recent scores.

    Angelopoulos, Candes, Tibshirani, "Conformal PID Control for Time Series Prediction", NeurIPS 2023, the P part. A
    radius may become negative: then the set is empty. Before the first label of a key its radius is infinite;
    that label's score is where it begins. Issued is the radius alone.

    With `unit="score"`, scores in [low, high] and labels that come before the next prediction, |mean(missed) -
    target| <= (high - low + rate) / (rate T) after T labels, whatever the sequence.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        rate: the step, > 0, in ranges of recent scores, or with `unit="score"` in units of the score.
            In ranges it is larger for the first 1 / rate**2 labels of a key, for which it is 1 / sqrt(labels).
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
        memory: float = 100.0,
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
    def issue_one(self, slot: int) -> tuple[float]:
        return (self._state.view("radius")[slot],)

    @override
    def update_one(self, slot: int, score: float, radius: float) -> None:
        score += 0.0
        step = self.rate
        if self.unit == "range":
            step = stepped_one(self._state, slot, score, self.rate, self.memory)
        now = self._state.view("radius")
        before = score if now[slot] == inf else now[slot]
        now[slot] = before + ((score > radius) - self.target) * step

    @override
    def _issued_all(self, slots: Slots) -> Floats:
        radius: Floats = self._state["radius"][slots]
        return radius[:, None]

    @override
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        moved = (scores > issued[:, 0]) - self.target
        if self.unit == "score":
            moved *= self.rate
        else:
            moved *= stepped(self._state, rows, scores, self.rate, self.memory)
        now = self._state["radius"][rows]
        self._state["radius"][rows] = np.where(now == np.inf, scores, now) + moved


RANGE: Final = {"low": np.nan, "high": np.nan, "labels": 0.0}
"""Columns of a table for `stepped`: before the first score there is no range."""


def stepped(state: Table, rows: Rows, scores: Floats, rate: float, memory: float) -> Floats:
    """The step of each of these rows, once this score is among theirs: a share of the range from `low` to `high`.

    Both ends draw nearer at each label, so that the range is a third after `memory` labels unless scores uphold it.
    The share is 1 / sqrt(labels) until that is below `rate`: a first score that is far off is soon left behind
    (decaying steps: Angelopoulos, Barber, Bates, ICML 2024).
    """
    low, high = state["low"][rows], state["high"][rows]
    fade = (high - low) * (0.5 / memory)
    low, high = np.fmin(scores, low + fade), np.fmax(scores, high - fade)
    labels = state["labels"][rows] + 1.0
    state["low"][rows], state["high"][rows], state["labels"][rows] = low, high, labels
    step: Floats = (high - low) * np.maximum(rate, 1.0 / np.sqrt(labels))
    return step


def stepped_one(state: Table, slot: int, score: float, rate: float, memory: float) -> float:
    """The same for one key, with the same numbers."""
    lows, highs, labels = state.view("low"), state.view("high"), state.view("labels")
    fade = (highs[slot] - lows[slot]) * (0.5 / memory)
    low, high = lows[slot] + fade, highs[slot] - fade
    # before the first score these are NaN, which is neither below nor above it
    lows[slot] = min(score, low)
    highs[slot] = max(score, high)
    labels[slot] += 1.0
    return (highs[slot] - lows[slot]) * max(rate, 1.0 / sqrt(labels[slot]))


def require_memory(memory: float) -> float:
    """Labels after which an extreme score is forgotten.

    Raises:
        ValueError: below 1, or infinite.
    """
    if not 1 <= memory < np.inf:
        raise ValueError(f"memory is {memory!r}: give a finite number of labels, at least 1")
    return float(memory)
