"""Quantiles: what levels can be, and how they are found of what is known by its distribution function only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats

STEPS: Final = 100
"""Halvings: what is left of a bracket is below 1e-30 of it, or its ends are neighbours among floats."""


def levels(name: str, q: ArrayLike) -> Floats:
    """Probabilities for which quantiles, or intervals, are asked.

    Raises:
        ValueError: one is not within [0, 1].
    """
    asked = np.asarray(q, np.float64)
    if not np.all((asked >= 0) & (asked <= 1)):
        raise ValueError(f"{name} is {asked.tolist()}: give probabilities within [0, 1]")
    return asked


def among(below: Callable[[Floats], Floats], candidates: Floats, wanted: Floats) -> Floats:
    """The smallest candidate x with below(x) >= wanted; the last where there is none.

    Args:
        below: grows with x; takes and gives the shape of `wanted`.
        candidates: in rising order along the last axis; its other axes are the last ones of `wanted`.
        wanted: any shape that ends in that of the windows.
    """
    low = np.full(wanted.shape, -1, np.intp)
    high = np.full(wanted.shape, candidates.shape[-1] - 1, np.intp)
    table = np.broadcast_to(candidates, (*wanted.shape, candidates.shape[-1]))
    while np.any(high - low > 1):
        middle = np.maximum((low + high) // 2, 0)
        enough = below(_at(table, middle)) >= wanted
        open_ = high - low > 1
        high = np.where(open_ & enough, middle, high)
        low = np.where(open_ & ~enough, middle, low)
    return _at(table, high)


def _at(table: Floats, places: NDArray[np.intp]) -> Floats:
    return np.take_along_axis(table, places[..., np.newaxis], axis=-1)[..., 0]


def between(below: Callable[[Floats], Floats], low: Floats, high: Floats, wanted: Floats) -> Floats:
    """The smallest float x of a bracket with below(x) >= wanted, by bisection; as near as `STEPS` come.

    Args:
        below: grows with x; takes and gives the shape of `wanted`.
        low: where it is not enough, of the shape of `wanted`.
        high: where it is.
        wanted: any shape.
    """
    for _ in range(STEPS):
        with np.errstate(under="ignore"):
            middle = low / 2 + high / 2  # high - low may be no number
        if np.all((middle <= low) | (middle >= high)):
            break
        enough = below(middle) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(high)
