"""Conformal scores of numbers, and the intervals of all numbers whose score is within a radius."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.uncertain.calibration.table import checked_numbers, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IntervalScore:
    """How far outside of what was predicted a number lies; the interval is what lies no further than the radius.

    A score has one side, max(lo - y, y - hi) / scale, or two, which are calibrated apart, each at half of what may be
    missed: (lo - y) / scale and (y - hi) / scale. A point prediction has lo = hi.

    Attributes:
        name: as users write it.
        parts: what a prediction has to give, each a column: of these is `parts` in all methods, (n, len(parts)).
        sides: 1 or 2.
    """

    name: str
    parts: tuple[str, ...]
    sides: int = 1

    def of(self, parts: ArrayLike, y: ArrayLike) -> Floats:
        """The scores (n, sides) of labels y (n,).

        Raises:
            DistributionError: labels or parts that are not finite, or a negative scale; it names the rows.
        """
        low, high, scale = self._frame(parts)
        labels = checked_numbers("labels", y, (len(low),), finite=True)
        with np.errstate(over="ignore"):  # what is further than any float is infinitely far
            under, over = low - labels, labels - high
        below, above = _scaled(under, scale), _scaled(over, scale)
        if self.sides == 1:
            return np.maximum(below, above)[:, None]
        return np.stack([below, above], axis=1)

    def bounds(self, parts: ArrayLike, radius: ArrayLike) -> tuple[Floats, Floats]:
        """The lower and upper ends, (n,) each, for radii (n, sides).

        Where a negative radius leaves nothing, both ends are the point in the middle: it is no narrower than what
        was meant, and what counts as missed is decided by the score, not by these ends.

        Raises:
            DistributionError: parts that are not finite, or radii that are NaN; it names the rows.
        """
        low, high, scale = self._frame(parts)
        radii = checked_numbers("radii", radius, (len(low), self.sides))
        with np.errstate(over="ignore"):
            lower = low - _stretched(radii[:, 0], scale)
            upper = high + _stretched(radii[:, -1], scale)
        # a radius of -inf at one end leaves nothing however far the other end is
        crossed = (lower > upper) | np.isposinf(lower) | np.isneginf(upper)
        if not crossed.any():
            return lower, upper
        ends = np.where(np.isfinite(lower) & np.isfinite(upper), (lower, upper), (low, high))
        middle = ends[0] / 2 + ends[1] / 2
        return np.where(crossed, middle, lower), np.where(crossed, middle, upper)

    def _frame(self, parts: ArrayLike) -> tuple[Floats, Floats, Floats | None]:
        given = np.asarray(parts, np.float64)
        columns = checked_numbers("parts", given, (len(given), len(self.parts)), finite=True)
        named = dict(zip(self.parts, columns.T.copy(), strict=True))
        low = named["lo"] if "lo" in named else named["mean"]
        scale = named.get("sd")
        if scale is not None:
            refuse("sd", scale < 0, "negative")
        return low, named.get("hi", low), scale


INTERVAL_SCORES: Final = {
    score.name: score
    for score in (
        IntervalScore("abs", ("mean",)),
        IntervalScore("norm", ("mean", "sd")),
        IntervalScore("cqr", ("lo", "hi")),
        IntervalScore("abs_sides", ("mean",), 2),
        IntervalScore("norm_sides", ("mean", "sd"), 2),
        IntervalScore("cqr_sides", ("lo", "hi"), 2),
    )
}
"""|y - mean|; |y - mean| / sd (Lei et al., JASA 2018); max(lo - y, y - hi) (Romano, Patterson, Candes, NeurIPS 2019);
and each with its two sides apart."""


def side_slots(slots: ArrayLike, sides: int) -> NDArray[np.intp]:
    """A slot for each side of each key, (n * sides,): those of a row stand together."""
    places = np.asarray(slots, np.intp)
    return places if sides == 1 else (places[:, None] * sides + np.arange(sides)).reshape(-1)


def side_level(level: float, sides: int) -> float:
    """The level at which each side is calibrated, so that all together miss 1 - level at most."""
    return level if sides == 1 else 1.0 - (1.0 - level) / sides


def _scaled(distance: Floats, scale: Floats | None) -> Floats:
    """Divided; at a scale of 0 whatever is not exactly right is infinitely far."""
    if scale is None:
        return distance
    exact = scale == 0
    with np.errstate(over="ignore", under="ignore"):
        quotient = distance / np.where(exact, 1.0, scale)
    off = np.where(distance == 0, 0.0, np.copysign(np.inf, distance))
    return np.where(exact, off, quotient)


def _stretched(radius: Floats, scale: Floats | None) -> Floats:
    """Multiplied, where infinity times nothing is infinity: such a radius holds everything."""
    if scale is None:
        return radius
    endless = np.isinf(radius)
    with np.errstate(over="ignore", under="ignore"):
        product = np.where(endless, 0.0, radius) * scale
    return np.where(endless, radius, product)
