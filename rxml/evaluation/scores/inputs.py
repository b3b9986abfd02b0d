"""What scores are given, as float64, and which rows cannot be scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import Floats, require

quiet: Final = np.errstate(over="ignore", under="ignore")
"""What is too large for float64 is infinite, what is too small 0: both are right."""

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Mask

__all__ = ["Floats", "classes", "floats", "probabilities", "quiet", "refuse", "spreads"]


def floats(values: ArrayLike) -> Floats:
    """As float64; None is NaN."""
    return np.asarray(values, dtype=np.float64)


def refuse(wanted: str, wrong: Mask, values: Floats) -> None:
    """Tell which rows are wrong, if any.

    Args:
        wanted: as "a level is within [0, 1]".
        wrong: rows first.
        values: what came, rows first.

    Raises:
        DistributionError: some are.
    """
    require(~wrong.any(axis=tuple(range(1, wrong.ndim))), wanted, values)


def probabilities(name: str, values: ArrayLike) -> Floats:
    """As float64 in [0, 1], or NaN where there is none.

    Raises:
        DistributionError: some are outside.
    """
    p = floats(values)
    refuse(f"{name} is within [0, 1]", (p < 0) | (p > 1), p)
    return p


def spreads(name: str, values: ArrayLike) -> Floats:
    """As float64 of at least 0, or NaN where there is none.

    Raises:
        DistributionError: some are negative.
    """
    spread = floats(values)
    refuse(f"{name} is >= 0", spread < 0, spread)
    return spread


def classes(obs: ArrayLike, prob: ArrayLike) -> tuple[NDArray[np.intp], Floats]:
    """Places of classes (N,) and their probabilities (N, K).

    Raises:
        ValueError: there is no row of probabilities for each observation.
        DistributionError: a probability is outside [0, 1], or an observation is not one of the classes.
    """
    p, seen = probabilities("prob", prob), floats(obs)
    if p.ndim != 2 or seen.shape != p.shape[:1]:
        raise ValueError(
            f"prob wants a row of K probabilities for each observation, got {p.shape} for {seen.shape}"
        )
    last = p.shape[1] - 1
    one_of = (seen >= 0) & (seen <= last) & (seen == np.floor(seen))
    refuse(f"obs is the place of a class, a whole number of 0..{last}", ~one_of, seen)
    return seen.astype(np.intp), p
