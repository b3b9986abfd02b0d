"""The oracle: all worlds of a few rows, one by one, with their probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

CHANCES = (0.0, 1e-300, 1e-12, 0.25, 0.5, 1.0 - 1e-12, 1.0 - 2.0**-53, 1.0)
VALUES = (-3.0, -1.0, 0.0, 1.0, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Rows:
    """Rows with alternatives: p and v are (n, M)."""

    p: NDArray[np.float64]
    v: NDArray[np.float64]

    @property
    def n(self) -> int:
        return len(self.p)


@dataclass(frozen=True)
class World:
    """One world: which rows are there (indices in order), what they are worth, and how likely it is."""

    rows: list[int]
    values: NDArray[np.float64]
    chance: float


def worlds(rows: Rows) -> list[World]:
    """All worlds that can be; whether a row is absent is the last of its choices."""
    alternatives = rows.p.shape[1]
    absent = 1.0 - rows.p[:, 0] if alternatives == 1 else np.maximum(1.0 - rows.p.sum(axis=1), 0)
    weights = np.column_stack([rows.p, absent])
    choices = [np.flatnonzero(row).tolist() for row in weights]
    found: list[World] = []
    for choice in product(*choices):
        with np.errstate(under="ignore"):
            chance = float(np.prod(weights[range(rows.n), choice])) if choice else 1.0
        there = [i for i, c in enumerate(choice) if c < alternatives]
        values = np.array([rows.v[i, choice[i]] for i in there], np.float64)
        if chance > 0:
            found.append(World(there, values, chance))
    return found


def expected(weighted: Iterable[tuple[float, float]]) -> float:
    """The sum of values, each times its probability."""
    with np.errstate(under="ignore"):
        return float(np.sum([np.float64(chance) * value for chance, value in weighted]))


@st.composite
def single(draw: st.DrawFn, most: int = 8) -> Rows:
    """At most so many rows with one value each, some equal."""
    n = draw(st.integers(0, most))
    p = draw(st.lists(st.sampled_from(CHANCES), min_size=n, max_size=n))
    v = draw(st.lists(st.sampled_from(VALUES), min_size=n, max_size=n))
    return Rows(np.array(p).reshape(n, 1), np.array(v).reshape(n, 1))


@st.composite
def several(draw: st.DrawFn, most: int = 5) -> Rows:
    """At most so many rows with two values each."""
    n = draw(st.integers(0, most))
    splits = [(0.0, 0.0), (0.5, 0.5), (0.25, 0.5), (1.0, 0.0), (1e-300, 0.5), (0.1, 1e-12)]
    p = draw(st.lists(st.sampled_from(splits), min_size=n, max_size=n))
    pairs = st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES))
    v = draw(st.lists(pairs, min_size=n, max_size=n))
    return Rows(np.array(p).reshape(n, 2), np.array(v).reshape(n, 2))


def near(got: Any, wanted: Any, rtol: float = 1e-12, atol: float = 1e-307) -> None:
    """Equal up to both; what underflows in the comparison does not matter."""
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol)


def close(got: Any, wanted: Any, scale: float = 1.0) -> None:
    """Equal up to 1e-12, of `scale` and of the value."""
    near(got, wanted, atol=1e-12 * scale)


def close_tail(got: Any, wanted: Any) -> None:
    """Equal up to 1e-12 of the value, however small."""
    near(got, wanted)
