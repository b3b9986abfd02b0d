"""Pmf: the distribution of a count, or of a sum on a lattice, for one window or for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import points
from rxml.uncertain.possible.convolution import convolved, stacked
from rxml.uncertain.possible.search import levels
from rxml.uncertain.possible.shapes import places, windowed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats

_SLACK: Final = 1e-9  # of a step: how far a value may be from the lattice and still be on it
_ROUNDED: Final = 2.0**-51  # of a value: what dividing it by the step may be off
_WIDTHS: Final = np.geomspace(1.0, 128.0, 22)
_ENDS: Final = np.errstate(under="ignore", over="ignore", invalid="ignore")
"""Of values so small or so large, or infinite, that what is made of them is no number any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Pmf:
    """Probabilities of the values `(start + k) * step`, k = 0, 1, ..., S - 1.

    What methods take is broadcast against the shape of the windows: for one window it may have any shape, for G of
    them it is a scalar or (G,).

    Attributes:
        start: int64, shape of the windows: () for one, (G,) for many.
        p: that shape + (S,); at least 0, each window adds up to 1.
        error: that shape; a bound on how far any value of `cdf` may be off, 0 where it is exact up to rounding; where values
            were moved (`shift`), of those that they were moved to: see `bound`.
        step: the distance of neighbouring values, above 0.
        shift: that shape; how far the values may be from those that are meant, in their unit: a bound on the
            quadratic mean (Wasserstein-2) of what they were moved to get onto the lattice, 0 if they were not.
    """

    start: NDArray[np.int64]
    p: Floats
    error: Floats
    step: float = 1.0
    shift: Floats | float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the windows: () or (G,)."""
        return self.p.shape[:-1]

    @property
    @_ENDS
    def support(self) -> Floats:
        """The values, shape of the windows + (S,)."""
        whole = self.start[..., np.newaxis] + places(self.p.shape[-1])
        return np.asarray(whole * self.step, np.float64)

    @_ENDS
    def mean(self) -> Floats:
        """The expected value of each window."""
        ends, _ = self._centred()
        return np.asarray((self.start + ends[0] + ends[1]) * self.step)

    @_ENDS
    def var(self) -> Floats:
        """The variance of each window."""
        _, squares = self._centred()
        return np.asarray(squares * self.step * self.step)

    @_ENDS
    def std(self) -> Floats:
        """The standard deviation of each window."""
        _, squares = self._centred()
        return np.asarray(np.sqrt(squares) * self.step)

    def _centred(self) -> tuple[tuple[NDArray[np.intp], Floats], Floats]:
        """The place of the mode and the mean's distance from it, then the variance, both in steps."""
        mode = np.argmax(self.p, axis=-1)
        with np.errstate(under="ignore"):
            away = places(self.p.shape[-1]) - mode[..., np.newaxis]
            mean = np.sum(self.p * away, axis=-1)
            squares = np.sum(self.p * (away - mean[..., np.newaxis]) ** 2, axis=-1)
        return (mode, mean), squares

    def cdf(self, x: ArrayLike) -> Floats:
        """P(X <= x); the left tail keeps its relative accuracy.

        Raises:
            DistributionError: x is NaN.
        """
        found = self._looked_up(np.cumsum(self.p, axis=-1), x, 0.0, 1.0, behind=False)
        return np.where(self._places(x) >= self._last(), 1.0, found)

    def sf(self, x: ArrayLike) -> Floats:
        """P(X > x), added up from the right end, so that the right tail keeps its relative accuracy.

        Raises:
            DistributionError: x is NaN.
        """
        above = np.cumsum(self.p[..., ::-1], axis=-1)[..., ::-1]
        return self._looked_up(above, x, 1.0, 0.0, behind=True)

    def at_least(self, k: ArrayLike) -> Floats:
        """P(X >= k), with the relative accuracy of `sf`.

        Args:
            k: values of the lattice.
        """
        return self.sf(np.asarray(k, np.float64) - self.step / 2)

    def _looked_up(
        self, table: Floats, x: ArrayLike, below: float, above: float, *, behind: bool
    ) -> Floats:
        size = self.p.shape[-1]
        place = self._places(x) + behind
        inner = np.clip(place, 0, size - 1).astype(np.intp)
        offset = places(self.start.size).reshape(self.shape) * size
        found = np.minimum(table.reshape(-1)[offset + inner], 1.0)
        found = np.where(place < 0 + behind, below, found)
        return np.asarray(np.where(place >= size, above, found))

    @_ENDS
    def _places(self, x: ArrayLike) -> Floats:
        """The last place of the support that is not above x."""
        steps = points(x) / self.step
        near = np.rint(steps)
        slack = np.maximum(_SLACK, _ROUNDED * np.abs(near))
        whole = np.where(np.abs(steps - near) <= slack, near, np.floor(steps))
        if self.step == 1.0:
            whole = np.floor(steps)
        return np.asarray(whole - self.start, np.float64)

    def ppf(self, q: ArrayLike) -> Floats:
        """The smallest value x that can occur and has P(X <= x) >= q.

        Args:
            q: within [0, 1].

        Raises:
            ValueError: it is not.
        """
        wanted = levels("q", q)
        below = np.cumsum(self.p, axis=-1) < wanted[..., np.newaxis]
        return self._values(np.count_nonzero(below, axis=-1))

    def isf(self, q: ArrayLike) -> Floats:
        """The smallest value x that can occur and has P(X > x) <= q, right also for a tiny q.

        Args:
            q: within [0, 1].

        Raises:
            ValueError: it is not.
        """
        wanted = levels("q", q)
        over = np.cumsum(self.p[..., ::-1], axis=-1)[..., :-1] > wanted[..., np.newaxis]
        kept = np.count_nonzero(~over, axis=-1)
        return self._values(self.p.shape[-1] - 1 - kept)

    @_ENDS
    def _values(self, places: NDArray[np.intp]) -> Floats:
        """The values at places, or at the nearest ones that can occur."""
        first = np.argmax(self.p > 0, axis=-1)
        kept = np.clip(places, first, self._last())
        return np.asarray((self.start + kept) * self.step, np.float64)

    def _last(self) -> NDArray[np.intp]:
        """The place of the largest value that can occur."""
        return np.asarray(self.p.shape[-1] - 1 - np.argmax(self.p[..., ::-1] > 0, axis=-1))

    def interval(self, level: ArrayLike) -> tuple[Floats, Floats]:
        """The central interval: at most (1 - level) / 2 is below it and above it, so it holds `level` or more.

        Args:
            level: within [0, 1].

        Raises:
            ValueError: it is not.
        """
        outside = (1.0 - levels("level", level)) / 2
        return self.ppf(outside), self.isf(outside)

    def bound(self, moved: ArrayLike = 0.0) -> Floats:
        """How far any value of `cdf` may be off, also for the sake of what values were moved; shape of the windows.

        If the mean is kept, and the mean square of what is moved is m^2, no more than m^2 / (m^2 + h^2) are moved by h or more to
        one side (Cantelli 1910), so that `cdf` is off by no more than that and what is within some interval of the width h.

        Args:
            moved: by how much more than `shift` the values are moved, in the quadratic mean, about a mean that is kept.
        """
        steps = np.broadcast_to((self.shift + np.asarray(moved)) / self.step, self.shape).reshape(
            -1
        )
        off = [_displaced(p, m) for p, m in zip(windowed(self.p), steps.tolist(), strict=True)]
        return np.asarray(np.minimum(self.error + np.array(off).reshape(self.shape), 1.0))

    def plus(self, other: Pmf) -> Pmf:
        """The distribution of the sum with another independent one, window by window: of two parts the whole.

        Args:
            other: of as many windows, and of the same step.

        Raises:
            ValueError: it is not.
        """
        if self.shape != other.shape or self.step != other.step:
            mine, its = (f"windows {x.shape} with step {x.step:g}" for x in (self, other))
            raise ValueError(f"sums are of like windows on one lattice: want {mine}, got {its}")
        pairs = zip(_parts(self), _parts(other), strict=True)
        start, p = stacked([convolved(left, right) for left, right in pairs])
        shift = np.hypot(self.shift, other.shift)
        error = np.minimum(self.error + other.error, 1.0)
        shaped = p.reshape(*self.shape, p.shape[-1])
        return Pmf(start.reshape(self.shape), shaped, error, self.step, shift)

    def __getitem__(self, window: int | slice | NDArray[np.intp]) -> Pmf:
        """Some of many windows, or one of them."""
        shift = np.broadcast_to(np.asarray(self.shift), self.shape)[window]
        error = np.asarray(self.error[window])
        return Pmf(np.asarray(self.start[window]), self.p[window], error, self.step, shift)


def _displaced(p: Floats, moved: float) -> float:
    """How far sums of p may be off, if its values were moved by so many steps in the quadratic mean, and not on average."""
    if moved == 0.0:
        return 0.0
    below, best = np.append(0.0, np.cumsum(p)), 1.0
    for width in np.unique(np.ceil(moved * _WIDTHS)).tolist():
        if width < len(below):
            inside = float((below[int(width) :] - below[: -int(width)]).max())
            best = min(best, inside + moved * moved / (moved * moved + width * width))
    return best


def _parts(pmf: Pmf) -> list[tuple[int, Floats]]:
    rows = windowed(pmf.p)
    return list(zip(pmf.start.reshape(-1).tolist(), rows, strict=True))
