"""Shares and quantiles of weighted values: rows beside one another, points broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxml.uncertain.checks import summed

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats


def weighted_share(values: Floats, weights: Floats, x: Floats, relation: np.ufunc) -> Floats:
    """How much weight of each row has `value relation x`, shape that of x broadcast against the rows.

    Args:
        values: shape (W, N) or (W,).
        weights: adding up to 1, shape (W,) or (W, N).
        x: broadcast against (N,).
        relation: such as np.less_equal.
    """
    shape = np.broadcast_shapes(x.shape, values.shape[1:])
    points = np.broadcast_to(x, shape)
    extra = (1,) * (len(shape) - values.ndim + 1)
    rows = values.reshape(len(values), *extra, *values.shape[1:])
    across = weights.reshape(
        len(weights), *(extra if weights.ndim > 1 else (1,) * len(shape)), *weights.shape[1:]
    )
    inside = relation(rows, points)
    share = summed(np.where(inside, across, 0.0), axis=0)
    return np.where(inside.all(axis=0), 1.0, np.minimum(share, 1.0))


def weighted_quantile(values: Floats, weights: Floats, q: Floats) -> Floats:
    """The least value of each row with at least the weight q at or below it, shape that of q broadcast against the rows.

    Args:
        values: shape (W, N) or (W,).
        weights: adding up to 1, shape (W,) or (W, N).
        q: within [0, 1], broadcast against (N,).
    """
    columns = values if values.ndim > 1 else values[:, None]
    shape = np.broadcast_shapes(q.shape, values.shape[1:])
    if 0 in shape or not len(values):
        return np.full(shape, np.nan)
    order = np.argsort(columns, axis=0, kind="stable")
    ordered = np.take_along_axis(columns, order, axis=0)
    across = np.broadcast_to(weights if weights.ndim > 1 else weights[:, None], columns.shape)
    heights = np.cumsum(np.take_along_axis(across, order, axis=0), axis=0)
    levels = np.broadcast_to(q, shape).reshape(-1, columns.shape[1])
    slack = 1e-12  # sums of weights round; a quantile must not slip to the next value for that
    place = np.stack([((heights < level - slack) | (heights <= 0)).sum(axis=0) for level in levels])
    found = np.take_along_axis(ordered, np.minimum(place, len(values) - 1), axis=0)
    found = np.where(np.isnan(heights[-1]), np.nan, found)  # no weight at all
    return found.reshape(shape)
