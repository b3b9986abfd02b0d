"""Shares and quantiles of weighted values: rows beside one another, points broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import summed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats

_SLACK: Final = 1e-12


def weighted_share(values: Floats, weights: Floats | None, x: Floats, relation: np.ufunc) -> Floats:
    """How much weight of each row has `value relation x`, shape that of x broadcast against the rows.

    Args:
        values: shape (W, N) or (W,).
        weights: adding up to 1, shape (W,) or (W, N); None for equal ones.
        x: broadcast against (N,).
        relation: such as np.less_equal.
    """
    shape = np.broadcast_shapes(x.shape, values.shape[1:])
    points = np.broadcast_to(x, shape)
    extra = (1,) * (len(shape) - values.ndim + 1)
    rows = values.reshape(len(values), *extra, *values.shape[1:])
    inside = relation(rows, points)
    if weights is None:
        return np.asarray(np.count_nonzero(inside, axis=0) / len(values))
    across = weights.reshape(
        len(weights), *(extra if weights.ndim > 1 else (1,) * len(shape)), *weights.shape[1:]
    )
    share = summed(np.where(inside, across, 0.0), axis=0)
    return np.where(inside.all(axis=0), 1.0, np.minimum(share, 1.0))


def weighted_quantile(values: Floats, weights: Floats | None, q: Floats) -> Floats:
    """The least value of each row with at least the weight q at or below it, shape that of q broadcast against the rows.

    Args:
        values: shape (W, N) or (W,).
        weights: adding up to 1, shape (W,) or (W, N); None for equal ones.
        q: within [0, 1], broadcast against (N,).
    """
    columns = values if values.ndim > 1 else values[:, None]
    shape = np.broadcast_shapes(q.shape, values.shape[1:])
    if 0 in shape or not len(values):
        return np.full(shape, np.nan)
    levels = np.broadcast_to(q, shape).reshape(-1, columns.shape[1])
    ordered, heights = _ordered(columns, weights)
    place = np.stack([_place(heights, level) for level in levels])
    found = np.take_along_axis(ordered, np.minimum(place, len(values) - 1), axis=0)
    found = np.where(np.isnan(heights[-1]), np.nan, found)  # no weight at all
    return found.reshape(shape)


def _ordered(columns: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Values in order, (W, N), and how much weight is at or below each, (W, N) or (W, 1)."""
    rows = np.ascontiguousarray(columns.T)
    if weights is None:
        equal = np.full(len(columns), 1 / len(columns))
        return np.sort(rows, axis=-1).T, np.cumsum(equal)[:, None]
    order = np.argsort(rows, axis=-1, kind="stable")
    across = np.broadcast_to(weights if weights.ndim > 1 else weights[:, None], columns.shape).T
    heights = np.cumsum(np.take_along_axis(across, order, axis=-1), axis=-1)
    return np.take_along_axis(rows, order, axis=-1).T, heights.T


def _place(heights: Floats, level: Floats) -> NDArray[np.intp]:
    # sums of weights round; a quantile must not slip to the next value for that
    place: NDArray[np.intp] = ((heights < level - _SLACK) | (heights <= 0)).sum(axis=0)
    return place
