"""UncertainRows: rows of windows that may be there or not, and what they may be worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.checks import floats, require, require_probabilities, require_sum
from rxml.uncertain.possible.shapes import places, windowed
from rxml.uncertain.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats, Mask


def presence(p: ArrayLike, mask: ArrayLike | None = None) -> Floats:
    """The probabilities that rows are there, checked; those that the mask leaves out are there with probability 0.

    Args:
        p: (n,) for one window, (G, n) for many.
        mask: which rows are meant, of the shape of p; None for all. The others may hold anything, as NaN.

    Raises:
        DistributionError: probabilities outside [0, 1]; the message names the rows, or the windows.
    """
    there = floats("presence", p)
    if there.ndim not in {1, 2}:
        raise DistributionError(f"presence has shape {there.shape}: want (n,) or (windows, n)")
    if mask is not None:
        there = np.where(_masked(mask, there.shape), there, 0.0)
    fine = (there >= 0) & (there <= 1)
    require(fine if fine.ndim == 1 else fine.all(axis=1), "presence is within [0, 1]", there)
    return there


def _masked(mask: ArrayLike, shape: tuple[int, ...]) -> Mask:
    which = np.asarray(mask)
    if which.dtype != np.bool_ or which.shape != shape:
        text = f"got a mask of {which.dtype}{list(which.shape)}"
        raise DistributionError(f"{text}: want bool{list(shape)}, one for each row")
    return which


def padded(codes: NDArray[np.intp], groups: int, *columns: Floats) -> tuple[Mask, list[Floats]]:
    """Rows of many windows, given one after the other, as arrays (G, n) in their order, and which cells are rows.

    Args:
        codes: the window of each row, (N,), within [0, groups).
        groups: how many windows.
        columns: of shape (N, ...).
    """
    lengths = np.bincount(codes, minlength=groups)
    order = np.argsort(codes, kind="stable")
    first = np.cumsum(lengths) - lengths
    place = np.empty(len(codes), np.intp)
    place[order] = places(len(codes)) - np.repeat(first, lengths)
    mask = places(int(lengths.max(initial=0))) < lengths[:, np.newaxis]
    tables = [np.zeros(mask.shape + column.shape[1:]) for column in columns]
    for table, column in zip(tables, columns, strict=True):
        table[codes, place] = column
    return mask, tables


@dataclass(frozen=True, slots=True, eq=False)
class UncertainRows:
    """Independent rows; each is at most one of its M alternatives, and else it is absent (x-tuples, BID blocks).

    Build it with `of`, `of_alternatives` or `ragged`.

    Attributes:
        p: the probability of each alternative, (n, M) or (G, n, M); a row adds up to at most 1.
        v: the value of each, or its mean, of the same shape; 0 where p is 0.
        s: the standard deviation of each value, a normal one, of the same shape; None if they are known.
    """

    p: Floats
    v: Floats
    s: Floats | None

    @staticmethod
    def of(
        p: ArrayLike, v: ArrayLike, var: ArrayLike | None = None, *, mask: ArrayLike | None = None
    ) -> UncertainRows:
        """Rows with one value each.

        Args:
            p: the probability that a row is there, (n,) for one window, (G, n) for many.
            v: its value, or the mean of it, of the same shape.
            var: the variance of its value, normally distributed, finite and at least 0; None if values are known.
            mask: which cells are rows; the others may hold anything. None for all.

        Raises:
            DistributionError: a probability outside [0, 1], a value that is NaN, a variance that is negative or
                not finite, or shapes that differ; the message names the rows, or the windows.
        """
        there = presence(p, mask)[..., np.newaxis]
        values, s = (_column(name, given, there) for name, given in (("values", v), ("var", var)))
        return _checked(there, values, s)

    @staticmethod
    def of_alternatives(
        p: ArrayLike, v: ArrayLike, var: ArrayLike | None = None, *, mask: ArrayLike | None = None
    ) -> UncertainRows:
        """Rows that have one of M values each, or are absent.

        Args:
            p: the probability of each alternative, (n, M) for one window, (G, n, M) for many; rows add up to at most 1, or
                by rounding to 1e-9 more, which is taken off.
            v: the values, or means of them, of the same shape.
            var: as in `of`, of the same shape.
            mask: which rows are meant, (n,) or (G, n); None for all.

        Raises:
            DistributionError: as `of`, or a row that adds up to more than 1.
        """
        each = floats("presence", p)
        if each.ndim not in {2, 3}:
            raise DistributionError(
                f"alternatives have shape {each.shape}: want (n, M) or (G, n, M)"
            )
        if mask is not None:
            each = np.where(_masked(mask, each.shape[:-1])[..., np.newaxis], each, 0.0)
        require_probabilities(windowed(each), "presence")
        require_sum(windowed(each), below=True)
        each = each / np.maximum(
            each.sum(axis=-1, keepdims=True), 1.0
        )  # what rounding left above 1
        values, s = (_column(name, given, each) for name, given in (("values", v), ("var", var)))
        return _checked(each, values, s)

    @staticmethod
    def ragged(
        codes: NDArray[np.intp],
        groups: int,
        p: ArrayLike,
        v: ArrayLike,
        var: ArrayLike | None = None,
    ) -> UncertainRows:
        """Rows of many windows, given one after the other.

        Args:
            codes: the window of each row, (N,), within [0, groups).
            groups: how many windows.
            p: as in `of`, (N,).
            v: as in `of`, (N,).
            var: as in `of`, (N,).

        Raises:
            DistributionError: as `of`.
        """
        columns = [floats("presence", p), floats("values", v)]
        columns += [] if var is None else [floats("var", var)]
        mask, tables = padded(codes, groups, *columns)
        return UncertainRows.of(*tables, mask=mask)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the windows: () or (G,)."""
        return self.p.shape[:-2]

    @property
    def presence(self) -> Floats:
        """The probability that a row is there, shape of the windows + (n,)."""
        if self.p.shape[-1] == 1:
            return self.p[..., 0]
        return _capped(self.p)

    @property
    def certain(self) -> Mask:
        """Which windows have nothing uncertain about who is there, shape of the windows."""
        return np.asarray(((self.p == 0) | (self.p == 1)).all(axis=(-2, -1)))

    def scaled(self) -> tuple[Floats, UncertainRows]:
        """A power of two for each window, shape of the windows, and the rows in this unit: values are within [-1, 1]."""
        size = np.abs(self.v) if self.s is None else np.maximum(np.abs(self.v), self.s)
        _, exponent = np.frexp(size.max(axis=(-2, -1), initial=0.0))
        exponent = np.clip(exponent, -1000, 1000)
        back = -exponent[..., np.newaxis, np.newaxis]
        with np.errstate(under="ignore"):
            s = None if self.s is None else np.ldexp(self.s, back)
            return np.ldexp(1.0, exponent), UncertainRows(self.p, np.ldexp(self.v, back), s)

    def above(self, x: Floats) -> Floats:
        """P(a row is there and its value > x), shape of x + (n,); x has that of the windows at its end."""
        return self._share(x, 1.0)

    def up_to(self, x: Floats) -> Floats:
        """P(a row is there and its value <= x), shape of x + (n,); x has that of the windows at its end."""
        return self._share(x, -1.0)

    @np.errstate(divide="ignore", under="ignore")
    def log_rest(self, share: Floats, other: Floats) -> Floats:
        """The logarithm of what P(a row is on one side of x) leaves of 1: a large share is rounded, but not what is left of it.

        Args:
            share: as `above`, or as `up_to`.
            other: that of the other side, of the same x.
        """
        near = share < 0.5
        few = np.log1p(-np.where(near, share, 0.0))
        return np.where(near, few, np.log(np.minimum(1.0 - self.presence + other, 1.0)))

    @np.errstate(under="ignore", over="ignore")
    def _share(self, x: Floats, sign: float) -> Floats:
        x = x[..., np.newaxis, np.newaxis]
        beyond = np.asarray(self.v > x if sign > 0 else self.v <= x, np.float64)
        if self.s is not None:
            spread = self.s > 0
            scale = np.where(spread, self.s, 1.0)
            away = np.where(spread, self.v, 0.0) - x  # known values may be infinite
            beyond = np.where(spread, ndtr(sign * away / scale), beyond)
        share = self.p * beyond
        return share[..., 0] if share.shape[-1] == 1 else _capped(share)


def _capped(p: Floats) -> Floats:
    return np.asarray(np.minimum(p.sum(axis=-1), 1.0))


def _column(name: str, given: ArrayLike | None, p: Floats) -> Floats | None:
    """Values beside alternatives, 0 where nothing is there."""
    if given is None:
        return None
    column = floats(name, given)
    column = column[..., np.newaxis] if column.ndim == p.ndim - 1 else column
    if column.shape != p.shape:
        raise DistributionError(f"{name} have shape {column.shape} beside presence {p.shape}")
    return np.where(p > 0, column, 0.0)


def _checked(p: Floats, v: Floats | None, var: Floats | None) -> UncertainRows:
    if v is None:
        raise DistributionError("values are None: give a number for each row")
    axes = (1,) if p.ndim == 2 else (1, 2)
    require((~np.isnan(v)).all(axis=axes), "a value is a number", v)
    if var is None:
        return UncertainRows(p, v, None)
    fine = (var >= 0) & np.isfinite(var)
    require(fine.all(axis=axes), "a variance is finite and >= 0", var)
    return UncertainRows(p, v, np.sqrt(var))
