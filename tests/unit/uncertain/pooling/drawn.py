"""Estimates and losses as hypothesis draws them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import settings
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEW = settings(max_examples=15)

VALUES = st.floats(-1e6, 1e6)
VARIANCES = st.one_of(
    st.floats(1e-6, 1e6), st.sampled_from([1e-300, 5e-324, 1e300, np.inf]), st.just(1.0)
)


@st.composite
def estimates(draw: st.DrawFn, most: int = 6, variances: Any = VARIANCES) -> tuple[Floats, Floats]:
    """Values, of which some are absent, and variances, (N, K) each."""
    shape = draw(st.integers(0, 5)), draw(st.integers(1, most))
    y = draw(hnp.arrays(np.float64, shape, elements=VALUES | st.just(np.nan)))
    return y, draw(hnp.arrays(np.float64, shape, elements=variances))


def columns(result: Any) -> dict[str, NDArray[Any]]:
    """The arrays of a result by their names."""
    found = {each.name: getattr(result, each.name) for each in fields(result)}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def near(got: Any, want: Any, rtol: float = 1e-9, atol: float = 0.0, name: str = "") -> None:
    """Numbers are equal but for rounding; that of the comparison itself is its own affair."""
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(got, want, rtol, atol, err_msg=name)


def dot(one: Any, other: Any) -> float:
    """The sum of products, in which what is tiny may vanish."""
    with np.errstate(under="ignore"):
        return float(np.sum(np.multiply(one, other)))


def same(one: Any, other: Any) -> None:
    """Two results are equal to the last bit."""
    left, right = columns(one), columns(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def close(one: Any, other: Any, rtol: float = 1e-9, atol: float = 1e-9) -> None:
    """Two results are equal but for rounding."""
    left, right = columns(one), columns(other)
    for name, array in left.items():
        near(array, right[name], rtol, atol, name)


def rows_of(results: list[Any]) -> dict[str, NDArray[Any]]:
    """Results of single rows, one below the other."""
    parts = [columns(each) for each in results]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
