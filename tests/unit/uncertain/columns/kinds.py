"""Strategies for columns of distributions of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

from rxml.uncertain import (
    Alternatives,
    Bernoulli,
    Beta,
    Categorical,
    Draws,
    Interval,
    Mixture,
    Normal,
    Quantiles,
    Worlds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy
    from numpy.typing import NDArray

    from rxml.uncertain import Distribution, Rows

VALUES = st.floats(-50, 50, width=16)
VARIANCES = st.sampled_from([0.0, 1e-6, 0.25, 1.0, 9.0, 400.0])
TAUS = [0.05, 0.25, 0.5, 0.75, 0.95]


def _array(strategy: SearchStrategy[float], *shape: int) -> SearchStrategy[NDArray[np.float64]]:
    count = int(np.prod(shape))
    return st.lists(strategy, min_size=count, max_size=count).map(
        lambda values: np.array(values, np.float64).reshape(shape)
    )


@st.composite
def normals(draw: Any, n: int) -> Normal:
    return Normal(draw(_array(VALUES, n)), draw(_array(VARIANCES, n)))


@st.composite
def betas(draw: Any, n: int) -> Beta:
    weights = st.sampled_from([0.5, 1.0, 3.0, 40.0])
    return Beta(draw(_array(weights, n)), draw(_array(weights, n)))


@st.composite
def quantiles(draw: Any, n: int) -> Quantiles:
    return Quantiles(TAUS, draw(_array(VALUES, n, len(TAUS))))


@st.composite
def mixtures(draw: Any, n: int) -> Mixture:
    logw = draw(_array(st.sampled_from([0.0, -1.0, -700.0, 3.0]), n, 3))
    return Mixture(logw, draw(_array(VALUES, n, 3)), draw(_array(VARIANCES, n, 3)))


@st.composite
def worlds(draw: Any, n: int) -> Worlds:
    logw = draw(st.none() | _array(st.sampled_from([0.0, -2.0, -30.0]), 8))
    return Worlds(draw(_array(VALUES, 8, n)), logw, Draws(3, 8).key)


@st.composite
def alternatives(draw: Any, n: int) -> Alternatives:
    shares = draw(_array(st.sampled_from([0.1, 0.25, 0.3]), n, 3))
    return Alternatives(draw(_array(VALUES, n, 3)), shares)


@st.composite
def intervals(draw: Any, n: int) -> Interval:
    lo, width = draw(_array(VALUES, n)), draw(_array(st.floats(0, 9, width=16), n))
    sort = draw(st.sampled_from(["bound", "central", "conformal"]))
    return Interval(lo, lo + width, level=1.0 if sort == "bound" else 0.9, sort=sort)


@st.composite
def categoricals(draw: Any, n: int) -> Categorical:
    counts = draw(_array(st.sampled_from([0.5, 1.0, 30.0]), n, 3))
    if draw(st.booleans()):
        return Categorical.of_counts(counts, ["a", "b", "c"])
    return Categorical.of_logits(np.log(counts) * 100, ["a", "b", "c"])


@st.composite
def bernoullis(draw: Any, n: int) -> Bernoulli:
    if draw(st.booleans()):
        return Bernoulli(draw(_array(st.floats(0, 1, width=16), n)))
    event: Bernoulli = draw(worlds(n)) > draw(VALUES)
    return event


NUMBERS: dict[str, Any] = {
    "normal": normals,
    "beta": betas,
    "quantiles": quantiles,
    "mixture": mixtures,
    "worlds": worlds,
    "alternatives": alternatives,
}
EVERY: dict[str, Any] = {
    **NUMBERS,
    "interval": intervals,
    "categorical": categoricals,
    "bernoulli": bernoullis,
}


def columns(kind: str) -> SearchStrategy[Rows]:
    """Columns of one kind, of 1 to 4 rows."""
    return st.integers(1, 4).flatmap(EVERY[kind])


def distributions(kind: str) -> SearchStrategy[Distribution]:
    """Columns of one kind of numbers, of 1 to 4 rows."""
    return st.integers(1, 4).flatmap(NUMBERS[kind])


def any_function(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A lambda whose types are not asked for."""
    return f
