"""Sums, shares and odds in logarithms: what neither overflows nor loses its digits."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, cast

import numpy as np

from rxml.uncertain.special.elementwise import Floats, elementwise

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def logsumexp(a: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Floats:
    """log(sum(exp(a))) along the axis, or of all; of nothing -inf.

    Args:
        a: logarithms, of any shape; -inf counts as nothing.
        axis: the axis that is summed along; None for all values.
        keepdims: keep the axis, with length 1.
    """
    values = np.asarray(a, np.float64)
    if axis is None:
        axes, rows = tuple(range(values.ndim)), values.reshape(-1)
    else:
        axes, rows = (axis,), _last(values, axis)
    total = _logsumexp(rows)
    return np.expand_dims(total, axes) if keepdims else total[()]


def log_softmax(a: ArrayLike, axis: int = -1) -> Floats:
    """The logarithms less their logsumexp along the axis, so that their exponentials sum to 1; nan where all are -inf."""
    values = np.asarray(a, np.float64)
    moved = _last(values, axis)
    with np.errstate(all="ignore"):
        top, others = _top_and_others(moved)
        out = (moved - top[..., None]) - np.log1p(others)[..., None]
    return np.moveaxis(out, -1, axis)


def softmax(a: ArrayLike, axis: int = -1) -> Floats:
    """exp(a) as shares of their sum along the axis; nan where all are -inf."""
    values = np.asarray(a, np.float64)
    moved = _last(values, axis)
    with np.errstate(all="ignore"):
        top = moved.max(axis=-1, keepdims=True, initial=-np.inf)
        weights = np.exp(moved - top)
        out = weights / weights.sum(axis=-1, keepdims=True)
    return np.moveaxis(out, -1, axis)


def expit(x: ArrayLike) -> Floats:
    """1 / (1 + exp(-x)), the inverse of `logit`."""
    return elementwise(_expit, x)


def logit(p: ArrayLike) -> Floats:
    """log(p / (1 - p)), with full relative accuracy also about 1/2; nan outside [0, 1]."""
    return elementwise(_logit, p)


def log1mexp(x: ArrayLike) -> Floats:
    """log(1 - exp(x)) for x <= 0: the log probability that is left (Maechler 2012)."""
    return elementwise(_log1mexp, x)


def xlogy(x: ArrayLike, y: ArrayLike) -> Floats:
    """X log(y), and 0 where x is 0, whatever y is (but for nan)."""
    return elementwise(_xlogy, x, y)


def _last(values: Floats, axis: int) -> Floats:
    # a copy in order of rows: numpy sums a row in an order that then depends on nothing but its length
    return np.ascontiguousarray(np.moveaxis(values, axis, -1))


def _logsumexp(rows: Floats) -> Floats:
    with np.errstate(all="ignore"):
        top, others = _top_and_others(rows)
        return np.where(np.isfinite(top), np.log1p(others) + top, top)


def _top_and_others(rows: Floats) -> tuple[Floats, Floats]:
    """The largest of each row, and the sum of exp(the others less it): apart, so that 1 + 1e-17 keeps its tail."""
    if rows.shape[-1] == 0:
        return np.full(rows.shape[:-1], -np.inf), np.zeros(rows.shape[:-1])
    place = rows.argmax(axis=-1, keepdims=True)
    top = np.take_along_axis(rows, place, -1)
    weights = np.exp(rows - top)
    np.put_along_axis(weights, place, 0.0, -1)
    return top[..., 0], cast("Floats", weights.sum(axis=-1))


def _expit(x: Floats) -> Floats:
    small = np.exp(-np.abs(x))
    return np.where(x < 0.0, small, 1.0) / (1.0 + small)


def _logit(p: Floats) -> Floats:
    central = np.abs(p - 0.5) < 0.25
    return np.where(central, np.log1p((2.0 * p - 1.0) / (1.0 - p)), np.log(p) - np.log1p(-p))


def _log1mexp(x: Floats) -> Floats:
    return np.where(x > -log(2.0), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def _xlogy(x: Floats, y: Floats) -> Floats:
    return np.where((x == 0.0) & ~np.isnan(y), 0.0, x * np.log(y))
