"""SplitConformal: the finite-sample quantile of recent scores, by key or of all keys together."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import (
    Unbounded,
    require_count,
    require_unbounded,
)
from rxml.uncertain.calibration.keyed import SteppedCalibrator, keys_of
from rxml.uncertain.calibration.windows import ScoreWindows

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]

_ROUNDED: Final = 1e-9
"""1 / (1 - level) that is a whole number but for rounding is that number."""


class SplitConformal(SteppedCalibrator):
    """The radius is the ceil((n + 1) level)-th smallest of the newest n scores, and infinite if that is above n.

    Coverage is within [level, level + 1 / (n + 1)] if scores are exchangeable (Vovk, Gammerman, Shafer 2005; Lei et al.
    2018). By key (Mondrian) it holds for each key; one with fewer than 1 / (1 - level) scores of its own (or
    one fewer, if the window holds no more) has the radius of all keys together. Issued is the radius alone.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        window: newest scores that count, for each key and for all together, >= 1.
        pooled: all keys share one radius.
        on_unbounded: what is issued where scores are too few; see `Unbounded`.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range; or a window below 1 / (1 - level) - 1, of which nothing is ever bounded.
    """

    window: int
    pooled: bool
    on_unbounded: Unbounded

    def __init__(
        self,
        level: float = 0.9,
        *,
        window: int = 500,
        pooled: bool = False,
        on_unbounded: Unbounded = "inf",
        keys: int = 1,
    ) -> None:
        self.window = require_count("window", window)
        self.pooled = pooled
        self.on_unbounded = require_unbounded(on_unbounded)
        self._all = ScoreWindows(1, self.window)
        size = 1 if pooled else self.window
        self._own = ScoreWindows(keys_of(keys), size)
        super().__init__(level, 1, {"own": self._own})
        enough = ceil(1.0 / self.target - _ROUNDED)
        least = enough - 1
        # in a window of the fewest scores that bound anything a key never has more of its own
        self._enough = least if self.window == least else enough
        if self.window < least and on_unbounded != "max":
            text = f"at level {level} so few scores never bound anything, give at least {least}"
            raise ValueError(f"window is {window}: {text}")

    @property
    @override
    def nbytes(self) -> int:
        return super().nbytes + self._all.nbytes

    @override
    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "all": self._all.snapshot()}

    @override
    def restore(self, state: dict[str, Any]) -> None:
        own = dict(state)
        if "all" not in own:
            raise ValueError(f"a state of SplitConformal has own, all; got {', '.join(own)}")
        shared = own.pop("all")
        super().restore(own)
        self._all.restore(shared)

    @override
    def issue_one(self, slot: int) -> tuple[float]:
        pooled = self.pooled or self._own["count"].item(slot) < self._enough
        scores, place = (self._all, 0) if pooled else (self._own, slot)
        return (scores.radius_one(place, self.target, self.on_unbounded),)

    @override
    def update_one(self, slot: int, score: float, radius: float) -> None:
        self._all.put_one(0, score + 0.0)
        if not self.pooled:
            self._own.put_one(slot, score + 0.0)

    @override
    def _issued_all(self, slots: Slots) -> Floats:
        shared = self._all.radius_one(0, self.target, self.on_unbounded)
        if self.pooled:
            return np.full((len(slots), 1), shared)
        own = self._own.radii(slots, self.target, self.on_unbounded)
        pooled = self._own["count"][slots] < self._enough
        return np.where(pooled, shared, own)[:, None]

    @override
    def _learn(self, slots: Slots, scores: Floats, issued: Floats) -> None:
        if self._is_narrow(slots):
            super()._learn(slots, scores, issued)
            return
        self._all.put_many(0, scores)
        if not self.pooled:
            super()._learn(slots, scores, issued)

    @override
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        self._own.put(rows, scores)
