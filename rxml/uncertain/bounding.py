"""Bounding: what is computed with ends and levels of intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.checks import require

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats, Mask

    Pair: TypeAlias = tuple[Floats, Floats]

INCREASING: Final = frozenset({
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "tanh", "arctan", "sinh", "arcsinh",
})  # fmt: skip


def both(one: Floats, other: Floats) -> Floats:
    """The level that two have together at least (Bonferroni)."""
    return 1 - ((1 - one) + (1 - other))


def above_zero(level: Floats) -> Floats:
    """The level, which some rows must not have lost.

    Raises:
        DistributionError: naming the rows that have.
    """
    require(level > 0, "levels of dependent intervals miss less than 1 together", level)
    return level


def times(one: Floats, other: Floats) -> Floats:
    """The product, where nothing times infinity is nothing."""
    with np.errstate(invalid="ignore"):
        return np.where((one == 0) | (other == 0), 0.0, one * other)


def signs(x: Pair, y: Pair, misses: Pair, relation: str) -> Bernoulli:
    """Bounds of the probability of X relation Y.

    Args:
        x: lower and upper ends of X.
        y: those of Y, which may be one number.
        misses: the probability at most that it is otherwise than within the ends: on any side, and on one.
        relation: such as ">".
    """
    if relation in {"==", "!="}:
        one = (x[0] == x[1]) & (y[0] == y[1]) & (x[0] == y[0])
        event = _between(one, (x[0] > y[1]) | (x[1] < y[0]), misses)
        return event if relation == "==" else ~event
    (low, high), (least, most) = (x, y) if relation[0] == ">" else (y, x)
    surely, never = (low >= most, high < least) if "=" in relation else (low > most, high <= least)
    return _between(surely, never, (misses[1], misses[1]))


def _between(surely: Mask, never: Mask, misses: Pair) -> Bernoulli:
    low, high = np.where(surely, 1 - misses[0], 0.0), np.where(never, misses[1], 1.0)
    return Bernoulli.between(low, high)
