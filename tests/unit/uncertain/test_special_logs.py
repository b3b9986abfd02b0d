"""Sums and shares in logarithms: against scipy, with nothing and everything among them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rxml.uncertain import special

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

scipy_special: Any = import_module("scipy.special")

rows = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 12)),
    elements=st.floats(-745.0, 745.0) | st.sampled_from([-np.inf, 0.0, 1e300]),
)


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def close(ours: NDArray[np.float64], theirs: NDArray[np.float64], rtol: float) -> None:
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-14)


@given(a=rows)
def test_logsumexp_is_that_of_scipy(a: NDArray[np.float64]) -> None:
    for axis in (0, 1, -1, None):
        with np.errstate(all="ignore"):
            theirs = scipy_special.logsumexp(a, axis=axis)
        close(special.logsumexp(a, axis), theirs, rtol=1e-14)


def test_logsumexp_keeps_what_is_far_smaller_than_one() -> None:
    np.testing.assert_allclose(special.logsumexp([0.0, -40.0]), np.exp(-40.0), rtol=1e-15)
    np.testing.assert_allclose(special.log_softmax([0.0, -40.0])[0], -np.exp(-40.0), rtol=1e-15)


def test_logsumexp_of_nothing_and_of_infinities() -> None:
    assert special.logsumexp([]) == -np.inf
    assert special.logsumexp(np.zeros((3, 0)), axis=1).tolist() == [-np.inf] * 3
    assert special.logsumexp(np.zeros((3, 0)), axis=0).shape == (0,)
    assert special.logsumexp([-np.inf, -np.inf]) == -np.inf
    assert special.logsumexp([np.inf, 1.0]) == np.inf
    assert np.isnan(special.logsumexp([np.nan, 1.0]))
    assert isinstance(special.logsumexp([1.0, 2.0]), np.float64)
    assert special.logsumexp(3.0) == 3.0


def test_axes_that_were_summed_along_can_be_kept() -> None:
    a = np.zeros((2, 3))
    assert special.logsumexp(a, axis=1, keepdims=True).shape == (2, 1)
    assert special.logsumexp(a, keepdims=True).shape == (1, 1)


@given(a=rows)
def test_shares_are_those_of_scipy(a: NDArray[np.float64]) -> None:
    for axis in (0, -1):
        with np.errstate(all="ignore"):
            shares = scipy_special.softmax(a, axis=axis)
            logs = scipy_special.log_softmax(a, axis=axis)
        some = np.isfinite(a.max(axis=axis, keepdims=True)) & np.ones(a.shape, bool)
        close(special.softmax(a, axis)[some], shares[some], rtol=1e-13)
        close(special.log_softmax(a, axis)[some], logs[some], rtol=1e-13)


def test_the_order_of_a_sum_depends_on_its_length_alone() -> None:
    a = np.random.default_rng(5).normal(size=(1000, 13))
    for function in (special.logsumexp, special.softmax, special.log_softmax):
        whole = function(a, axis=-1)
        np.testing.assert_array_equal(whole[:1], function(a[:1], axis=-1))
        np.testing.assert_array_equal(whole.T, function(a.T, axis=0))


@given(x=st.floats(max_value=0.0, allow_nan=False))
def test_log1mexp_leaves_the_rest_of_the_probability(x: float) -> None:
    found = special.log1mexp(x)
    if x < -1e-5:
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                found, np.log1p(-np.exp(np.longdouble(x))), rtol=1e-13, atol=1e-300
            )
    else:
        with np.errstate(all="ignore"):
            series = np.log(np.longdouble(-x)) + np.longdouble(x) / 2
        np.testing.assert_allclose(found, series, rtol=1e-11)


@given(
    x=st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1e6),
    y=st.sampled_from([0.0, 1.0, np.inf]) | st.floats(0.0, 1e6),
)
def test_xlogy_is_that_of_scipy(x: float, y: float) -> None:
    with np.errstate(all="ignore"):
        theirs = scipy_special.xlogy(x, y)
    close(special.xlogy(x, y), theirs, rtol=1e-15)


def test_xlogy_does_not_hide_what_is_no_number() -> None:
    assert np.isnan(special.xlogy(0.0, np.nan))
