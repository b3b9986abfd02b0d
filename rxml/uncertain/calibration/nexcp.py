"""NexCP: split conformal whose scores count the less, the older they are."""

from __future__ import annotations

from math import inf
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
from rxml.uncertain.calibration.windows import ScoreWindows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]


class NexCP(SteppedCalibrator):
    """The radius is the smallest score up to which scores weigh `level` of the whole; the case to come weighs 1.

    A score that is i labels old weighs rho^i, the newest rho. Barber, Candes, Ramdas, Tibshirani, "Conformal Prediction
    Beyond Exchangeability", Annals of Statistics 2023: coverage falls short of the level by no more than the sum of
    normalised weights times how far each case differs from exchangeable. With rho = 1 it is `SplitConformal` by key.

    Issued is the radius alone. It costs a sort of the window for each row that is issued.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        rho: in (0, 1]; scores count for about 1 / (1 - rho) labels. With 1 / (1 - rho) below 1 / (1 - level)
            nothing is ever bounded.
        window: scores that are remembered for a key, >= 1.
        on_unbounded: what is issued where scores weigh too little; see `Unbounded`.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    rho: float
    window: int
    on_unbounded: Unbounded

    def __init__(
        self,
        level: float = 0.9,
        *,
        rho: float = 0.99,
        window: int = 500,
        on_unbounded: Unbounded = "inf",
        keys: int = 1,
    ) -> None:
        self.rho = require_positive("rho", rho, 1.0)
        self.window = require_count("window", window)
        self.on_unbounded = require_unbounded(on_unbounded)
        self._scores = ScoreWindows(keys_of(keys), self.window)
        with np.errstate(under="ignore"):  # what is that old weighs nothing
            self._weights = self.rho ** np.arange(1.0, self.window + 1)
        super().__init__(level, 1, {"scores": self._scores})

    @override
    def issue_one(self, slot: int) -> tuple[float]:
        return (float(self._issued_all(np.array([slot]))[0, 0]),)

    @override
    def update_one(self, slot: int, score: float, radius: float) -> None:
        self._scores.put_one(slot, score + 0.0)

    @override
    def _issued_all(self, slots: Slots) -> Floats:
        arrived, count = self._scores["arrived"][slots], self._scores["count"][slots]
        order = np.argsort(arrived, axis=1, kind="stable")
        weights = np.take_along_axis(self._aged(slots), order, axis=1)
        up_to = np.cumsum(weights, axis=1)
        wanted = self.level * (up_to[:, -1] + 1.0) * (1.0 - 1e-12)
        place = np.count_nonzero(up_to < wanted[:, None], axis=1)
        bounded = place < count
        most = np.maximum(count, 1) - 1
        which = np.take_along_axis(order, np.minimum(place, most)[:, None], axis=1)
        radius = np.take_along_axis(arrived, which, axis=1)[:, 0]
        if self.on_unbounded != "max":
            radius = np.where(bounded, radius, inf)
        if not isinstance(self.on_unbounded, str):
            radius = np.minimum(radius, self.on_unbounded)
        return radius[:, None]

    @override
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        self._scores.put(rows, scores)

    def _aged(self, slots: Slots) -> Floats:
        """The weight of each place of these keys' windows; 0 where there is no score yet."""
        newest = self._scores["next"][slots] - 1
        age = (newest[:, None] - np.arange(self.window)) % self.window
        held = age < self._scores["count"][slots][:, None]
        return np.where(held, self._weights[age], 0.0)
