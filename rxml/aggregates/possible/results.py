"""Results: what groups come to, as columns; a distribution over a support has its own in each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain import Alternatives
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.special import ndtr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.orders import OrderStatistic
    from rxml.uncertain.possible.pmf import Pmf
    from rxml.uncertain.possible.skewed import Skewed

_COARSE: Final = 256
_FINE: Final = 512
"""Values that a distribution that has no support of its own is cut to."""
_CELLS: Final = 1 << 16  # numbers at once
_REACH: Final = 10.0
_LEVELS: Final = np.sort(
    np.concatenate([np.linspace(0.0, 1.0, 384), ndtr(np.linspace(-8.0, 8.0, 128))])
)
_TINY: Final = 1e-300


class Known(NamedTuple):
    """A distribution over a support.

    Attributes:
        values: (S,).
        p: of each, (S,); what is missing is the probability that there is none.
        error: how far any cumulative probability may be off; 0 for an exact one.
    """

    values: Floats
    p: Floats
    error: float


def alternatives(results: Sequence[Known]) -> list[object]:
    """A column of them, and one of their errors."""
    most = max((len(each.p) for each in results), default=1)
    values, p = np.zeros((len(results), most)), np.zeros((len(results), most))
    for row, each in enumerate(results):
        size = len(each.p)
        values[row, :size], p[row, :size] = each.values, each.p
        values[row, size:] = each.values[-1] if size else 0.0
    return [Alternatives(values, p), np.array([each.error for each in results], np.float64)]


def sure(value: float) -> Known:
    """What is known."""
    return Known(np.array([value]), np.ones(1), 0.0)


def of_pmf(pmf: Pmf, error: float | None = None) -> Known:
    """One window's, over the values that can be."""
    can = np.flatnonzero(pmf.p > 0)
    kept = slice(int(can[0]), int(can[-1]) + 1) if len(can) else slice(0, 0)
    told = float(pmf.error) if error is None else error
    return Known(pmf.support[kept], np.minimum(pmf.p[kept], 1.0), told)


def of_skewed(skewed: Skewed) -> Known:
    """One window's, cut to equally likely values; of the same mean and variance."""
    levels = (np.arange(_FINE) + 0.5) / _FINE
    values = skewed.ppf(levels)
    spread = float(np.std(values))
    if spread > 0:
        values = skewed.mean() + (values - values.mean()) * (float(skewed.spread) / spread)
    error = min(1.0, float(skewed.error) + 0.5 / _FINE)
    return Known(values, np.full(_FINE, 1.0 / _FINE), error)


def of_order(stat: OrderStatistic) -> list[Known]:
    """Of each window: over the values that rows may have, if all are known, exactly; else cut to some hundred.

    What lies between two neighbouring points is put in their middle, so that no probability is off by more than its own.
    """
    if not np.any(stat.exists > 0):
        return [Known(np.zeros(1), np.zeros(1), 0.0)] * stat.exists.size
    noisy = stat.rows.s is not None and bool(np.any(stat.rows.s))
    grids = _points(stat) if noisy else _values(stat.rows)
    heights = _heights(stat, grids)
    p = np.maximum(np.diff(heights, axis=0, prepend=0.0), 0.0).T
    if noisy:
        before = np.concatenate([grids[:, :1], grids[:, :-1]], axis=1)
        grids = before + (grids - before) / 2
    return [
        _compact(x, each, float(there), noisy=noisy)
        for x, each, there in zip(grids, p, stat.exists.reshape(-1), strict=True)
    ]


def _heights(stat: OrderStatistic, x: Floats) -> Floats:
    """P(it exists and is <= x) for the points (G, S) of each window, (S, G); so many at a time as need not much room."""
    points = np.ascontiguousarray(x.T)
    at_once = max(1, _CELLS // max(1, stat.rows.p.size))
    starts = range(0, len(points), at_once)
    return np.concatenate([stat.up_to(points[at : at + at_once]) for at in starts])


def _compact(x: Floats, p: Floats, exists: float, *, noisy: bool) -> Known:
    can = p > 0
    kept = p[can]
    total = float(kept.sum())
    if exists == 1.0 and len(kept) == 1:
        kept = np.ones(1)
    elif total > 1.0:
        kept = kept / total
    error = float(p.max(initial=0.0)) if noisy else 0.0
    return Known(x[can], kept, error) if len(kept) else Known(np.zeros(1), np.zeros(1), 0.0)


def _values(rows: UncertainRows) -> Floats:
    """All values of each window, in rising order, (G, S); one that cannot be is the last one again."""
    flat = rows.v.reshape(len(rows.v), -1)
    there = rows.p.reshape(flat.shape) > 0
    highest = np.where(there, flat, -np.inf).max(axis=1, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, 0.0)
    return np.sort(np.where(there, flat, highest), axis=1)


def _points(stat: OrderStatistic) -> Floats:
    """Values of each window that are about equally far apart in probability, (G, S)."""
    rows = stat.rows
    flat, s = rows.v.reshape(len(rows.v), -1), np.zeros(0) if rows.s is None else rows.s
    there, reach = rows.p.reshape(flat.shape) > 0, _REACH * s.reshape(flat.shape)
    low = np.where(there, flat - reach, np.inf).min(axis=1)
    high = np.where(there, flat + reach, -np.inf).max(axis=1)
    low, high = (np.where(np.isfinite(end), end, 0.0) for end in (low, high))
    coarse = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, _COARSE)
    heights = _heights(stat, coarse).T
    fine: list[Floats] = [
        np.interp(_LEVELS * max(float(h[-1]), _TINY), np.maximum.accumulate(h), x)
        for h, x in zip(heights, coarse, strict=True)
    ]
    ends = np.stack([low, high], axis=1)
    with np.errstate(under="ignore"):  # below 0 there is the smallest of all
        known = np.where(s.reshape(flat.shape) == 0, np.nextafter(flat, -np.inf), flat)
    return np.sort(np.concatenate([np.stack(fine), ends, flat, known], axis=1), axis=1)


def rows_of(bounds: Floats, amounts: Floats) -> UncertainRows:
    """The rows of G windows of n each.

    Args:
        bounds: of presence, (G, n, 2).
        amounts: alternatives, (G, n, M, 3).

    Raises:
        DistributionError: of some rows only bounds of presence are known, or a variance is not finite.
    """
    p = known(bounds)[..., np.newaxis] * amounts[..., 0]
    var = amounts[..., 2] if np.any(amounts[..., 2]) else None
    return UncertainRows.of_alternatives(p, amounts[..., 1], var)


def known(bounds: Floats) -> Floats:
    """Probabilities of which nothing is left open, (G, n).

    Raises:
        DistributionError: only bounds are known.
    """
    if np.any(bounds[..., 0] != bounds[..., 1]):
        text = "only bounds are known of the presence of some rows"
        raise DistributionError(f"{text}: take dependence='unknown', or say what the dependence is")
    return bounds[..., 0]
