"""Intervals for what is estimated from rows: Student's, Wilson's, that of the delta method, and Kuiper's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.uncertain.special import ndtri, stdtrit
from rxml.uncertain.special.elementwise import horner

if TYPE_CHECKING:
    from rxml.evaluation.metrics.moments import Moments
    from rxml.uncertain.checks import Floats

Bounds: TypeAlias = "tuple[Floats, Floats]"

_TERMS: Final = np.arange(1, 101, dtype=np.float64)
_STEPS: Final = 60
_FEW: Final = 8  # degrees of freedom that are looked up one by one

_MANY: Final = 30.0
_FAR: Final = 3.3
# of ascending powers of z^2
_EXPANSION: Final = (
    np.array([-945.0, -1920.0, 1482.0, 776.0, 79.0]) / 92160,
    np.array([-15.0, 17.0, 19.0, 3.0]) / 384,
    np.array([3.0, 16.0, 5.0]) / 96,
    np.array([1.0, 1.0]) / 4,
)


def required_level(level: float) -> float:
    """The share of intervals that are to hold.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level wants a number between 0 and 1, got {level!r}")
    return level


def two_sided(level: float) -> float:
    """How many standard deviations on both sides have the level."""
    return _normal_quantile((1 + required_level(level)) / 2)


@lru_cache(maxsize=64)
def _normal_quantile(tail: float) -> float:
    return float(ndtri(tail))


def student(of: Moments, level: float) -> Bounds:
    """For a mean, by Student's t: all numbers where there is no more than one row.

    Holds for rows that are independent, and where they are many or nearly normal; `rows` less one degrees of freedom.
    """
    tail = (1 + required_level(level)) / 2
    free = np.maximum(of.rows - 1, 1e-9)
    known = ~np.isnan(of.var)
    times = np.full_like(of.mean, np.inf)
    times[known] = student_quantile(free[known], tail)
    error = np.sqrt(np.divide(of.var, of.rows, out=np.full_like(of.var, np.inf), where=known))
    away = np.where(known, times, 1.0) * error
    with np.errstate(invalid="ignore"):
        lower, upper = of.mean - away, of.mean + away
    endless = np.isinf(of.mean)
    lower[endless] = of.mean[endless]
    none = of.rows == 0
    return np.where(none, -np.inf, lower), np.where(none, np.inf, upper)


def student_quantile(free: Floats, tail: float) -> Floats:
    """As `stdtrit`, but where the degrees of freedom are many by the expansion of Fisher and Cornish (1960).

    It is told with every row, and the expansion is quicker a thousand times; both agree in 6 digits.
    """
    z = _normal_quantile(tail)
    if abs(z) > _FAR:
        return stdtrit(free, tail)
    times = z * horner([*_expansion(z * z), 1.0], 1 / np.maximum(free, _MANY))
    few = free < _MANY
    if few.any():
        # many slots have as many rows
        different, which = np.unique(free[few], return_inverse=True)
        times[few] = _student_quantiles(different, tail)[which]
    return times


def _student_quantiles(free: Floats, tail: float) -> Floats:
    """Remembered where there are few: each costs ten milliseconds and more, and is asked for with every report."""
    if len(free) > _FEW:
        return stdtrit(free, tail)
    return np.array([_student_quantile(each, tail) for each in free.tolist()])


@lru_cache(maxsize=1024)
def _student_quantile(free: float, tail: float) -> float:
    return float(stdtrit(np.array([free]), tail)[0])


def _expansion(square: float) -> list[float]:
    """By what the powers -4 to -1 of the degrees of freedom are multiplied, over z."""
    powers = [square**n for n in range(5)]
    return [float(np.dot(each, powers[: len(each)])) for each in _EXPANSION]


def wilson(share: Floats, rows: Floats, level: float) -> Bounds:
    """For a share of rows (Wilson, 1927), within [0, 1] also at 0, at 1 and for few rows.

    Args:
        share: observed, NaN without rows.
        rows: how many; where weights fade, how many equal ones.
        level: the share of intervals that are to hold.
    """
    z = two_sided(level)
    n = np.where(rows > 0, rows, np.nan)
    centre = share + z * z / (2 * n)
    away = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    total = 1 + z * z / n
    lower, upper = np.clip([(centre - away) / total, (centre + away) / total], 0.0, 1.0)
    # at the ends the formula gives them but for rounding
    lower, upper = np.where(share == 0, 0.0, lower), np.where(share == 1, 1.0, upper)
    return np.where(rows > 0, lower, 0.0), np.where(rows > 0, upper, 1.0)


def by_deviation(
    value: Floats, deviation: Floats, level: float, within: tuple[float, float]
) -> Bounds:
    """For what is nearly normal, cut to what it can be; all of that where it is not known."""
    away = two_sided(level) * deviation
    lower, upper = np.clip([value - away, value + away], *within)
    unknown = np.isnan(value + away)
    return np.where(unknown, within[0], lower), np.where(unknown, within[1], upper)


def multinomial_deviation(cells: Floats, gradient: Floats, rows: Floats) -> Floats:
    """Of a function of the shares of cells, by the delta method.

    Args:
        cells: the shares, (k, cells).
        gradient: of the function by them, (k, cells).
        rows: how many rows they are shares of, (k,).
    """
    mean = np.sum(cells * gradient, axis=1)
    square = np.sum(cells * (gradient - mean[:, None]) ** 2, axis=1)
    deviation: Floats = np.sqrt(
        np.divide(square, rows, out=np.full_like(rows, np.nan), where=rows > 0)
    )
    return deviation


def kuiper_tail(distance: Floats, rows: Floats) -> Floats:
    """The probability that Kuiper's V of uniform rows is at least so large (Stephens, 1970; good from 8 rows on)."""
    factor = _kuiper_factor(rows)
    x = (factor * distance)[..., None]
    square = (_TERMS * x) ** 2
    with np.errstate(under="ignore"):
        tail = 2 * np.sum((4 * square - 1) * np.exp(-2 * square), axis=-1)
    # the series does not converge where the probability is 1 but for 1e-10
    return np.where(x[..., 0] < 0.4, 1.0, np.clip(tail, 0.0, 1.0))


def kuiper_distance(level: float, rows: Floats) -> Floats:
    """How large Kuiper's V of uniform rows is at most, with the probability of the level."""
    tail = 1 - required_level(level)
    low, high = np.zeros_like(rows), np.full_like(rows, 4.0)
    unit = 1 / _kuiper_factor(rows)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        beyond = kuiper_tail(middle * unit, rows) > tail
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return high * unit


def _kuiper_factor(rows: Floats) -> Floats:
    root = np.sqrt(np.maximum(rows, 1.0))
    factor: Floats = root + 0.155 + 0.24 / root
    return factor
