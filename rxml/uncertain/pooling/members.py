"""What is pooled, as arrays: members of a row (sensors or models), who of them is awake, and their shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.checks import Floats, Mask, floats, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

LARGEST: Final = 1e150
"""The largest size of a value that is pooled: what is greater overflows when it is squared."""

Pair: TypeAlias = tuple[Floats, Floats]


def numbers(name: str, values: ArrayLike, axes: int) -> Floats:
    """Values in float64 and in the order of rows, in which a row is summed the same in any batch.

    Args:
        name: for messages.
        values: an array of `axes` axes.
        axes: how many axes it must have.

    Raises:
        DistributionError: they are no numbers, or have another number of axes.
    """
    array = np.ascontiguousarray(floats(name, values))
    if array.ndim != axes:
        wanted = "(" + "N, K, L"[: 3 * axes - 2] + ("," if axes == 1 else "") + ")"
        raise DistributionError(f"{name} has shape {array.shape}: want {wanted}")
    return array


def matched(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Values of just this shape, or such as broadcast to it.

    Raises:
        DistributionError: they do not.
    """
    array = floats(name, values)
    try:
        return np.ascontiguousarray(np.broadcast_to(array, shape))
    except ValueError:
        raise DistributionError(f"{name} has shape {array.shape}: want {shape}") from None


def mask(awake: ArrayLike | None, shape: tuple[int, ...]) -> Mask:
    """Who is awake, of the shape (N, K): everyone, if nothing is said.

    Raises:
        DistributionError: the mask has another shape.
    """
    if awake is None:
        return np.ones(shape, np.bool_)
    array = np.asarray(awake, np.bool_)
    try:
        return np.ascontiguousarray(np.broadcast_to(array, shape))
    except ValueError:
        raise DistributionError(f"awake has shape {array.shape}: want {shape}") from None


def estimates(y: ArrayLike, v: ArrayLike, awake: ArrayLike | None) -> tuple[Floats, Floats, Mask]:
    """Values, variances and who is awake, each (N, K); who sleeps has the value 0 and the variance inf.

    Args:
        y: (N, K) values; NaN is absent.
        v: (N, K), or what broadcasts to it: variances, from 0 to inf.
        awake: (N, K) mask, or None for all that have a value.

    Raises:
        DistributionError: a variance is negative or NaN, or a value too large to be squared; names the rows.
    """
    values = numbers("y", y, 2)
    variances = matched("v", v, values.shape)
    there = mask(awake, values.shape) & ~np.isnan(values)
    require((~there | (variances >= 0)).all(axis=1), "a variance is >= 0", variances)
    require(
        (~there | (np.abs(values) <= LARGEST)).all(axis=1),
        f"a value is within +-{LARGEST:g}",
        values,
    )
    return np.where(there, values, 0.0), np.where(there, variances, np.inf), there


def simplex(weights: ArrayLike | None, there: Mask) -> Floats:
    """Convex weights (N, K) over those who are awake; rows in which no one is (or weighs anything) are 0.

    Args:
        weights: (K,) or (N, K), >= 0; they need not sum to one. None: all weigh the same.
        there: (N, K) who is awake.

    Raises:
        DistributionError: a weight is negative, infinite or NaN; names the rows.
    """
    given = raw(weights, there)
    top = given.max(axis=1, initial=0.0, keepdims=True)
    with np.errstate(under="ignore"):
        scaled = given / np.where(top > 0, top, 1.0)
        total = scaled.sum(axis=1, keepdims=True)
        convex: Floats = scaled / np.where(total > 0, total, 1.0)
    return convex


def raw(weights: ArrayLike | None, there: Mask) -> Floats:
    """Weights (N, K) as they are given, 0 for those who sleep.

    Raises:
        DistributionError: a weight is negative, infinite or NaN; names the rows.
    """
    given = matched("weights", 1.0 if weights is None else weights, there.shape)
    fine = (given >= 0) & (given < np.inf)
    require((fine | ~there).all(axis=1), "a weight is >= 0 and finite", given)
    return np.where(there, given, 0.0)


def ratios(v: Floats) -> Pair:
    """Precisions in units of the greatest of their row, which neither overflow nor divide by 0.

    A fact (v = 0) has 1 and all others 0 beside it; where all are vacuous, all have 1.

    Returns:
        (N, K) numbers from 0 to 1, and (N, 1) the least variance, whose precision is the unit.
    """
    least = v.min(axis=1, initial=np.inf, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore", under="ignore", over="ignore"):
        return np.where(v == least, 1.0, least / v), least


def require_agreement(y: Floats, v: Floats) -> None:
    """Refuse rows in which facts, of variance 0, contradict each other.

    Raises:
        DistributionError: naming the rows.
    """
    fact = v == 0
    high = np.where(fact, y, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(fact, y, np.inf).min(axis=1, initial=np.inf)
    require(high <= low, "facts, which have variance 0, must not contradict each other", y)


def require_choice(name: str, value: str, choices: Sequence[str]) -> str:
    """The value, if it is one of the choices.

    Raises:
        ValueError: it is none of them.
    """
    if value in choices:
        return value
    raise ValueError(f"{name} must be one of {', '.join(choices)}; got {value!r}")


def require_level(level: float) -> float:
    """The level of an interval, if it is a probability between 0 and 1.

    Raises:
        ValueError: it is not.
    """
    if 0 < level < 1:
        return float(level)
    raise ValueError(f"level must be between 0 and 1, got {level!r}")
