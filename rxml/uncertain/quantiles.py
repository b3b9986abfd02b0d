"""Quantiles: a distribution a row known by some of its quantiles, the same ones for all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.arithmetic import Arithmetic
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.bounding import INCREASING
from rxml.uncertain.checks import (
    QUIET,
    Floats,
    Numbers,
    floats,
    points,
    probabilities,
    read_only,
    require,
    summed,
)
from rxml.uncertain.distribution import Distribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from rxml.uncertain.arithmetic import Operand


class Quantiles(Distribution):
    """Values at given probabilities, straight lines in between, and nothing said beyond the first and the last.

    Values that cross are put in order, which never makes them worse (Chernozhukov, Fernandez-Val and Galichon, 2010).
    Moments are those of the straight lines, with what is beyond the ends put at the ends.

    Args:
        taus: probabilities, increasing, within (0, 1), shape (Q,), Q >= 2.
        values: shape (N, Q), or (Q,) for a scalar.

    Raises:
        DistributionError: the taus are not such, or naming the rows with a value that is not finite.
    """

    __slots__ = ("_taus", "_values")

    kind: str = "quantiles"
    axes: ClassVar[Mapping[str, int | None]] = {"taus": None, "values": 0}

    _taus: Floats
    _values: Floats

    def __init__(self, taus: ArrayLike, values: ArrayLike) -> None:
        self._taus, given = floats("taus", taus), floats("values", values)
        if given.ndim not in {1, 2} or given.shape[-1:] != self._taus.shape:
            raise DistributionError(
                f"values have shape (N, {self._taus.shape[0]}), one a tau; got {given.shape}"
            )
        steps = np.diff(np.concatenate([[0.0], self._taus, [1.0]]))
        if len(self._taus) < 2 or not (steps > 0).all():
            raise DistributionError(
                f"taus are two or more, increase, and are within (0, 1); got {self._taus.tolist()}"
            )
        require(np.isfinite(given).all(axis=-1), "values are finite", given)
        self._values = read_only(np.sort(given, axis=-1))

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._values.shape[:-1]

    @property
    def taus(self) -> Floats:
        """The probabilities, shape (Q,)."""
        return self._taus

    @property
    def values(self) -> Floats:
        """The quantiles, shape (N, Q), increasing along each row."""
        return self._values

    @override
    def mean(self) -> Floats:
        low, high = self._pieces
        return summed(self._masses * (low + high) / 2)

    @override
    @QUIET
    def var(self) -> Floats:
        low, high = (piece - self.mean()[..., None] for piece in self._pieces)
        return summed(self._masses * (low * low + low * high + high * high) / 3)

    @property
    def _masses(self) -> Floats:
        return np.diff(np.concatenate([[0.0], self._taus, [1.0]]))

    @property
    def _pieces(self) -> tuple[Floats, Floats]:
        ends = np.concatenate(
            [self._values[..., :1], self._values, self._values[..., -1:]], axis=-1
        )
        return ends[..., :-1], ends[..., 1:]

    @override
    def cdf(self, x: Numbers) -> Floats:
        """P(X <= x); beyond the ends it is the nearest tau, a bound: see `known`."""
        return self._heights(np.asarray(x, np.float64), right=True)

    @override
    def below(self, x: Numbers) -> Floats:
        return self._heights(np.asarray(x, np.float64), right=False)

    def known(self, x: Numbers) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Whether x lies between the first and the last quantile, or is infinite, so that cdf(x) is no mere bound."""
        at = np.asarray(x, np.float64)
        inner = (at >= self._values[..., 0]) & (at <= self._values[..., -1])
        return np.asarray(inner | np.isinf(at))

    def _heights(self, x: Floats, *, right: bool) -> Floats:
        shape = np.broadcast_shapes(x.shape, self.shape)
        at = np.broadcast_to(x, shape)[..., None]
        reached = (self._values <= at if right else self._values < at).sum(axis=-1)
        left, last = np.clip(reached - 1, 0, None), len(self._taus) - 1
        rows = np.broadcast_to(self._values, (*shape, last + 1))
        low, high = (_at(rows, np.minimum(place, last)) for place in (left, left + 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(high > low, (at[..., 0] - low) / (high - low), 0.0)
        inner = self._taus[left] + part * (
            self._taus[np.minimum(left + 1, last)] - self._taus[left]
        )
        heights: Floats = np.where(reached > last, self._taus[last], inner)
        heights = np.where(reached == 0, self._taus[0], heights)
        return np.where(np.isinf(at[..., 0]), at[..., 0] > 0, heights)

    @override
    def compared(self, relation: str, other: Operand) -> Bernoulli:
        """Beyond the ends only bounds of the probability are known."""
        if isinstance(other, Arithmetic):
            return super().compared(relation, other)
        at = points(other)
        known, first, last = self.known(at), self._taus[0], self._taus[-1]
        p = np.clip(self.relations(relation, at), 0.0, 1.0)
        if relation in {"==", "!="}:
            return Bernoulli(p)
        above = at > self._values[..., -1]
        low = np.where(above, last, 0.0) if relation[0] == "<" else np.where(above, 0.0, 1 - first)
        high = np.where(above, 1.0, first) if relation[0] == "<" else np.where(above, 1 - last, 1.0)
        return Bernoulli.between(np.where(known, p, low), np.where(known, p, high))

    @override
    def ppf(self, q: Numbers) -> Floats:
        levels = probabilities(q)
        shape = np.broadcast_shapes(levels.shape, self.shape)
        place = np.clip(
            np.searchsorted(self._taus, levels, side="left") - 1, 0, len(self._taus) - 2
        )
        part = np.clip((levels - self._taus[place]) / np.diff(self._taus)[place], 0.0, 1.0)
        rows = np.broadcast_to(self._values, (*shape, len(self._taus)))
        low, high = (_at(rows, np.broadcast_to(p, shape)) for p in (place, place + 1))
        return low + part * (high - low)

    @override
    def affine(self, scale: Numbers, shift: Numbers) -> Quantiles:
        """Exact; where a factor is negative, quantiles change sides, so all rows must have factors of one sign.

        Raises:
            DistributionError: some factors are negative and others are not, and the taus are not symmetric.
        """
        a, b = (np.asarray(v, np.float64)[..., None] for v in (scale, shift))
        values = a * self._values + b
        if (a >= 0).all():
            return Quantiles(self._taus, values)
        mirrored = np.flip(1 - self._taus)
        if np.allclose(mirrored, self._taus, rtol=1e-12, atol=1e-15):
            return Quantiles(self._taus, values)  # sorting turns the rows round
        if (a <= 0).all():
            return Quantiles(mirrored, np.flip(values, axis=-1))
        raise DistributionError(
            "factors of both signs on quantiles whose taus are not symmetric about 1/2"
        )

    @override
    def divided(self, by: Numbers) -> Quantiles:
        turned = self.affine(np.sign(by), 0.0)
        return Quantiles(turned.taus, turned.values / np.abs(np.asarray(by, np.float64))[..., None])

    @override
    @QUIET
    def applied(self, f: np.ufunc) -> Any:
        """F of every quantile, exactly, where f increases."""
        if f.__name__ not in INCREASING:
            return super().applied(f)
        return Quantiles(self._taus, f(self._values))

    @property
    @override
    def _made_again(self) -> bool:
        return True  # at other taus


def _at(rows: Floats, place: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Floats:
    found: Floats = np.take_along_axis(rows, place[..., None], axis=-1)[..., 0]
    return found
