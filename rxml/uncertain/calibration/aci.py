"""ACI: adaptive conformal inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import (
    Unbounded,
    require_count,
    require_positive,
    require_unbounded,
)
from rxml.uncertain.calibration.keyed import SteppedCalibrator, keys_of
from rxml.uncertain.calibration.table import Table
from rxml.uncertain.calibration.windows import ScoreWindows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]


class ACI(SteppedCalibrator):
    """The level is moved by what was missed: alpha += gamma (target - missed); the radius is the (1 - alpha) quantile.

    Gibbs, Candes, "Adaptive Conformal Inference Under Distribution Shift", NeurIPS 2021. alpha is not clipped, so
    with `on_unbounded="inf"` and labels that come before the next prediction, |mean(missed) - target| <=
    (max(target, 1 - target) + gamma) / (gamma T) after T labels, whatever the sequence. Issued are the radius and alpha.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        gamma: step, > 0: 0.005 for slow drift (the paper), 0.02 to 0.05 for quick.
        window: scores that are remembered for a key, >= 1.
        on_unbounded: what is issued where alpha is at or below 0, or scores are too few for it; see `Unbounded`.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    gamma: float
    window: int
    on_unbounded: Unbounded

    def __init__(
        self,
        level: float = 0.9,
        *,
        gamma: float = 0.005,
        window: int = 500,
        on_unbounded: Unbounded = "inf",
        keys: int = 1,
    ) -> None:
        self.gamma = require_positive("gamma", gamma)
        self.window = require_count("window", window)
        self.on_unbounded = require_unbounded(on_unbounded)
        self._scores = ScoreWindows(keys_of(keys), self.window)
        self._levels = Table(keys, {"alpha": 1.0 - level})
        super().__init__(level, 2, {"scores": self._scores, "levels": self._levels})

    @override
    def issue_one(self, slot: int) -> tuple[float, float]:
        alpha = self._levels.view("alpha")[slot]
        return self._scores.radius_one(slot, alpha, self.on_unbounded), alpha

    @override
    def update_one(self, slot: int, score: float, radius: float) -> None:
        self._levels.view("alpha")[slot] += self.gamma * (self.target - (score > radius))
        self._scores.put_one(slot, score + 0.0)

    @override
    def _issued_all(self, slots: Slots) -> Floats:
        alpha = self._levels["alpha"][slots]
        radius = self._scores.radii(slots, alpha, self.on_unbounded)
        return np.stack([radius, alpha], axis=1)

    @override
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        missed = scores > issued[:, 0]
        self._levels["alpha"][rows] += self.gamma * (self.target - missed)
        self._scores.put(rows, scores)
