"""PIDTracker: the quantile tracker with an integrator, and a forecast of scores."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import (
    Unbounded,
    require_positive,
    require_unbounded,
)
from rxml.uncertain.calibration.keyed import SteppedCalibrator, keys_of
from rxml.uncertain.calibration.quantile_tracker import (
    RANGE,
    require_memory,
    stepped,
    stepped_one,
)
from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]


class PIDTracker(SteppedCalibrator):
    """The radius is forecast + tracked quantile + r(sum of (missed - target)), with tan for r, which saturates.

    Angelopoulos, Candes, Tibshirani, "Conformal PID Control for Time Series Prediction", NeurIPS 2023:
    r(x) = K tan(x log(t + 1) / (saturation (t + 1))), +-inf from pi / 2 on, after t labels; K is `integral` times the
    range of recent scores. The P part is `QuantileTracker`'s. The forecast, their D part, is an exponentially
    weighted mean of scores; without one it is 0. Issued is the radius alone.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        rate: the step of the tracked quantile, > 0, in ranges of recent scores; larger at first, as `QuantileTracker`'s.
        integral: K, > 0, in ranges of recent scores.
        saturation: their C_sat, > 0: the smaller, the fewer misses in a row saturate.
        scorecaster: weight in (0, 1] of the newest score in the forecast, or None for no forecast.
        memory: labels after which a range that nothing upholds has shrunk to a third, >= 1.
        on_unbounded: what is issued once r is saturated; "max" is the largest of recent scores. See `Unbounded`.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    rate: float
    integral: float
    saturation: float
    scorecaster: float | None
    memory: float
    on_unbounded: Unbounded

    def __init__(
        self,
        level: float = 0.9,
        *,
        rate: float = 0.05,
        integral: float = 1.0,
        saturation: float = 5.0,
        scorecaster: float | None = None,
        memory: float = 100.0,
        on_unbounded: Unbounded = "inf",
        keys: int = 1,
    ) -> None:
        self.rate = require_positive("rate", rate)
        self.integral = require_positive("integral", integral)
        self.saturation = require_positive("saturation", saturation)
        self.scorecaster = scorecaster
        if scorecaster is not None:
            require_positive("scorecaster", scorecaster, 1.0)
        self.memory = require_memory(memory)
        self.on_unbounded = require_unbounded(on_unbounded)
        blank = {"tracked": np.inf, "forecast": 0.0, "excess": 0.0, **RANGE}
        self._state = Table(keys_of(keys), blank)
        super().__init__(level, 1, {"state": self._state}, finite=True)

    @override
    def issue_one(self, slot: int) -> tuple[float]:
        return (float(self._issued_all(np.array([slot]))[0, 0]),)

    @override
    def update_one(self, slot: int, score: float, radius: float) -> None:
        score += 0.0
        state = self._state
        tracked, forecast = state.view("tracked"), state.view("forecast")
        begun = state.view("labels")[slot] > 0
        step = stepped_one(state, slot, score, self.rate, self.memory)
        if self.scorecaster is not None:
            before = forecast[slot]
            forecast[slot] = before + self.scorecaster * (score - before) if begun else score
        moved = (score > radius) - self.target
        tracked[slot] = (tracked[slot] if begun else score - forecast[slot]) + step * moved
        state.view("excess")[slot] += moved

    @override
    def _issued_all(self, slots: Slots) -> Floats:
        state = self._state
        begun = state["labels"][slots] > 0
        low = np.where(begun, state["low"][slots], -np.inf)
        high = np.where(begun, state["high"][slots], np.inf)
        integrated = self._integrated(slots, np.where(begun, high, 0.0) - np.where(begun, low, 0.0))
        radius = state["forecast"][slots] + np.where(begun, state["tracked"][slots], np.inf)
        radius = np.where(np.isinf(integrated), integrated, radius + integrated)
        if self.on_unbounded == "max":
            radius = np.where(np.isinf(radius), np.clip(radius, low, high), radius)
        elif self.on_unbounded != "inf":
            radius = np.minimum(radius, self.on_unbounded)
        return radius[:, None]

    @override
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        state = self._state
        moved = (scores > issued[:, 0]) - self.target
        begun = state["labels"][rows] > 0
        step = stepped(state, rows, scores, self.rate, self.memory)
        self._forecast(rows, scores, begun)
        begin = scores - state["forecast"][rows]
        tracked = np.where(begun, state["tracked"][rows], begin)
        state["tracked"][rows] = tracked + step * moved
        state["excess"][rows] += moved

    def _forecast(self, rows: Rows, scores: Floats, begun: NDArray[np.bool_]) -> None:
        if self.scorecaster is not None:
            before = self._state["forecast"][rows]
            blended = before + self.scorecaster * (scores - before)
            self._state["forecast"][rows] = np.where(begun, blended, scores)

    def _integrated(self, slots: Slots, span: Floats) -> Floats:
        following = self._state["labels"][slots] + 1.0
        angle = self._state["excess"][slots] * np.log(following) / (self.saturation * following)
        saturated = np.abs(angle) >= pi / 2
        within = self.integral * span * np.tan(np.where(saturated, 0.0, angle))
        return np.where(saturated, np.copysign(np.inf, angle), within)
