"""Gamma, beta, their incomplete functions and quantiles: against scipy, identities, and at the ends."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain import special

if TYPE_CHECKING:
    from collections.abc import Iterator

scipy_special: Any = import_module("scipy.special")

shapes = st.floats(0.5, 100.0) | st.sampled_from([0.5, 1.0, 2.0]) | st.floats(100.0, 1e5)
small = st.floats(1e-3, 0.5)
shares = st.floats(1e-12, 1.0 - 1e-12)
probabilities = st.floats(1e-30, 1.0 - 1e-12)


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def same(ours: object, theirs: object, rtol: float) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=rtol, atol=1e-290)


@given(x=st.floats(1e-300, 1e300) | st.floats(1e-3, 30.0))
def test_gammaln_and_digamma_are_those_of_scipy(x: float) -> None:
    # scipy's gammaln has an absolute error about its zeros
    np.testing.assert_allclose(special.gammaln(x), scipy_special.gammaln(x), rtol=1e-14, atol=1e-15)
    same(special.digamma(x), scipy_special.digamma(x), 2e-14)


@given(h=st.floats(1e-300, 1e-9))
def test_about_its_zeros_gammaln_keeps_its_digits(h: float) -> None:
    at1, at2 = 1.0 + max(h, 1e-14), 2.0 + max(h, 1e-14)
    same(special.gammaln(at1), -np.euler_gamma * (at1 - 1.0), 2e-9)
    same(special.gammaln(at2), (1.0 - np.euler_gamma) * (at2 - 2.0), 2e-9)
    assert special.gammaln([1.0, 2.0]).tolist() == [0.0, 0.0]


@given(a=st.floats(1e-3, 100.0), b=st.floats(1e-3, 100.0))
def test_betaln_is_that_of_scipy(a: float, b: float) -> None:
    np.testing.assert_allclose(
        special.betaln(a, b), scipy_special.betaln(a, b), rtol=1e-12, atol=1e-12
    )
    assert special.betaln(a, b) == special.betaln(b, a)


def test_betaln_does_not_cancel() -> None:
    # digits from mpmath
    same(special.betaln(2.5, 1e15), -86.06225811680379, 1e-15)
    same(special.betaln(1e10, 1e10), -13862943621.446320, 1e-14)


@given(a=shapes, b=shapes, x=shares)
def test_betainc_is_that_of_scipy(a: float, b: float, x: float) -> None:
    # scipy takes an arcsine for a = b = 1/2, which loses digits near 1
    rtol = 1e-10 if a == b == 0.5 else 2e-12
    same(special.betainc(a, b, x), scipy_special.betainc(a, b, x), rtol)
    same(special.betaincc(a, b, x), scipy_special.betaincc(a, b, x), rtol)


@given(a=st.floats(0.5, 50.0), b=st.floats(0.5, 50.0), x=shares)
def test_logarithms_of_betainc_are_those_of_its_values(a: float, b: float, x: float) -> None:
    for log_tail, tail in (
        (special.log_betainc, special.betainc),
        (special.log_betaincc, special.betaincc),
    ):
        if tail(a, b, x) > 1e-290:
            np.testing.assert_allclose(log_tail(a, b, x), np.log(tail(a, b, x)), atol=1e-12)


def test_logarithms_of_betainc_go_on_where_it_is_no_number() -> None:
    # x^a: the distribution of Beta(a, 1)
    same(special.log_betainc(1e4, 1.0, 0.5), 1e4 * np.log(0.5), 1e-13)
    same(special.log_betaincc(1.0, 1e4, 0.5), 1e4 * np.log(0.5), 1e-13)
    assert special.log_betainc(2.0, 3.0, [0.0, 1.0]).tolist() == [-np.inf, 0.0]
    assert special.log_betaincc(2.0, 3.0, [0.0, 1.0]).tolist() == [0.0, -np.inf]


@given(a=small, b=small, x=shares)
def test_betainc_of_small_parameters_is_that_of_scipy(a: float, b: float, x: float) -> None:
    same(special.betainc(a, b, x), scipy_special.betainc(a, b, x), 1e-12)


@given(a=shapes, p=probabilities, b=shapes)
def test_betaincinv_is_the_inverse(a: float, p: float, b: float) -> None:
    x = special.betaincinv(a, b, p)
    # as far as a unit in the last place of x allows
    sway = abs(float(special.betainc(a, b, np.nextafter(x, 1.0))) - float(special.betainc(a, b, x)))
    assert abs(float(special.betainc(a, b, x)) - p) <= 3e-12 * p + 2.0 * sway


@given(a=st.floats(0.5, 300.0), b=st.floats(0.5, 300.0), p=probabilities)
def test_betaincinv_is_that_of_scipy(a: float, b: float, p: float) -> None:
    # scipy stops a little before all digits
    same(special.betaincinv(a, b, p), scipy_special.betaincinv(a, b, p), 1e-9)


@given(a=st.floats(0.1, 100.0), x=st.floats(1e-290, 300.0) | st.floats(1e-200, 1e-5))
def test_gammainc_is_that_of_scipy(a: float, x: float) -> None:
    same(special.gammainc(a, x), scipy_special.gammainc(a, x), 1e-12)
    same(special.gammaincc(a, x), scipy_special.gammaincc(a, x), 1e-12)
    same(special.chdtrc(2 * a, 2 * x), special.gammaincc(a, x), 1e-15)
    same(special.chdtr(2 * a, 2 * x), special.gammainc(a, x), 1e-15)


@given(df=st.floats(0.5, 1e6), t=st.floats(-40.0, 40.0) | st.floats(-1e6, 1e6))
def test_stdtr_is_that_of_scipy(df: float, t: float) -> None:
    same(special.stdtr(df, t), scipy_special.stdtr(df, t), 3e-11)
    assert special.stdtr(df, abs(t)) == 1.0 - special.stdtr(df, -abs(t))


@given(df=st.floats(0.5, 1e5), p=probabilities)
def test_stdtrit_is_the_inverse(df: float, p: float) -> None:
    t = special.stdtrit(df, p)
    beside = t + 4e-16 * abs(t)
    sway = abs(float(special.stdtr(df, beside)) - float(special.stdtr(df, t)))
    assert abs(float(special.stdtr(df, t)) - p) <= 1e-12 * p + 2.0 * sway


def test_students_tails_are_powers_far_out() -> None:
    # Cauchy: Pr(T > t) is 1 / (pi t)
    same(special.stdtr(1.0, -1e200), 1e-200 / np.pi, 1e-13)
    same(special.stdtrit(1.0, 1e-200), -1e200 / np.pi, 1e-13)
    same(special.stdtr(np.inf, -3.0), special.ndtr(-3.0), 1e-15)
    same(special.stdtrit(np.inf, 0.975), special.ndtri(0.975), 1e-15)
    same(special.stdtr(1e12, 1.5), special.ndtr(1.5), 1e-11)


def test_the_ends_have_their_limits() -> None:
    assert special.betainc(2.0, 3.0, [0.0, 1.0]).tolist() == [0.0, 1.0]
    assert special.betaincc(2.0, 3.0, [0.0, 1.0]).tolist() == [1.0, 0.0]
    assert special.betaincinv(2.0, 3.0, [0.0, 1.0]).tolist() == [0.0, 1.0]
    assert special.gammainc(2.0, [0.0, np.inf]).tolist() == [0.0, 1.0]
    assert special.chdtrc(3.0, [0.0, np.inf]).tolist() == [1.0, 0.0]
    assert special.stdtr(3.0, [-np.inf, 0.0, np.inf]).tolist() == [0.0, 0.5, 1.0]
    assert special.stdtrit(3.0, [0.0, 0.5, 1.0]).tolist() == [-np.inf, 0.0, np.inf]
    assert special.gammaln([0.0, np.inf]).tolist() == [np.inf, np.inf]
    assert special.digamma([0.0, np.inf]).tolist() == [-np.inf, np.inf]
    assert special.betaln([0.0, 1.0], [1.0, np.inf]).tolist() == [np.inf, -np.inf]


def test_outside_there_is_no_number() -> None:
    for found in (
        special.betainc([-1.0, 2.0, 2.0, np.nan], 2.0, [0.5, 1.5, -0.5, 0.5]),
        special.betaincinv([-1.0, 2.0, 2.0, np.nan], 2.0, [0.5, 1.5, -0.5, 0.5]),
        special.gammainc([-1.0, 0.0, 2.0, np.nan], [1.0, 1.0, -1.0, 1.0]),
        special.stdtr([-1.0, 0.0, np.nan, 3.0], [1.0, 1.0, 1.0, np.nan]),
        special.stdtrit([-1.0, 0.0, 3.0, 3.0], [0.3, 0.3, 1.5, np.nan]),
        special.gammaln([-1.0, -0.5, np.nan]),
        special.digamma([-1.0, -0.5, np.nan]),
    ):
        assert np.isnan(found).all(), found


def test_rows_one_by_one_give_the_bits_of_the_whole() -> None:
    rng = np.random.default_rng(4)
    a, b, x = 10 ** rng.uniform(-1, 4, 200), 10 ** rng.uniform(-1, 4, 200), rng.uniform(size=200)
    for function, arguments in (
        (special.betainc, (a, b, x)),
        (special.betaincinv, (a, b, x)),
        (special.gammaincc, (a, b)),
        (special.stdtrit, (a, x)),
        (special.betaln, (a, b)),
    ):
        whole = function(*arguments)
        alone = [function(*(each[row] for each in arguments)) for row in range(40)]
        assert alone == list(whole[:40])


def test_large_counts_take_no_more_than_some_roots_of_steps() -> None:
    a = np.full(50, 1e7)
    x = special.betaincinv(a, 2 * a, np.linspace(0.01, 0.99, 50))
    np.testing.assert_allclose(special.betainc(a, 2 * a, x), np.linspace(0.01, 0.99, 50), rtol=1e-9)


# a, and Pr(X <= a - 5 sqrt(a)), by integration with 30 digits
FAR = (2e8, 2.85811565436554e-07)


@pytest.mark.parametrize("a", [1e8, 1e9, 1e12, 1e15])
def test_large_parameters_come_to_an_end(a: float) -> None:
    k = np.array([-4.0, -1.001, -0.999, -1e-3, 0.0, 0.4, 0.999, 1.001, 4.0])
    at = a + k * np.sqrt(a)
    np.testing.assert_allclose(
        special.gammainc(a, at), scipy_special.gammainc(a, at), rtol=0, atol=2e-14
    )
    x = 0.5 + k / np.sqrt(8.0 * a)  # nearly normal, by symmetry to the second order
    wanted = special.ndtr((x - 0.5) * np.sqrt(8.0 * a))
    rounded = 1e-16 * np.sqrt(a) + 1.0 / a
    np.testing.assert_allclose(special.betainc(a, a, x), wanted, rtol=0, atol=rounded)
    both = special.gammainc(a, at) + special.gammaincc(a, at)
    np.testing.assert_allclose(both, 1.0, rtol=0, atol=1e-15)


def test_tails_of_large_parameters() -> None:
    a, below = FAR
    same(special.gammainc(a, a - 5.0 * np.sqrt(a)), below, 1e-11)
    huge = np.array([1e20, 1e30, 1e100])
    assert special.betainc(huge, huge, 0.5).tolist() == [0.5] * 3
    same(special.gammainc(huge, huge), np.full(3, 0.5), 1e-9)
    same(
        special.betaincinv(1e15, 1e15, [0.3, 0.5]), [0.5 - 0.5244005127 / np.sqrt(8e15), 0.5], 1e-15
    )


@pytest.mark.parametrize("df", [1e10, 1e12, 1e17, 1e100, np.inf])
def test_student_of_many_degrees_comes_to_an_end(df: float) -> None:
    t = np.array([-np.inf, -30.0, -2.0, -1e-3, 0.0, 1e-9, 3.0, 1e200])
    same(special.stdtr(df, t), scipy_special.ndtr(t), 1e-4 if df < 1e11 else 1e-6)
    just_below = special.stdtr(1e10 * (1 - 1e-12), t)
    same(special.stdtr(1e10, t), just_below, 1e-12)


@pytest.mark.parametrize("ratio", [1.0, 7.0, 100.0])
def test_nothing_jumps_where_the_expansions_begin(ratio: float) -> None:
    for a in (1e8 * (1.0 - 1e-12), 1e8):
        b = a * ratio
        sd = np.sqrt(a * b / (a + b) ** 3)
        x = a / (a + b) + np.array([-6.0, -1.5, -0.2, 0.3, 2.0, 6.0]) * sd
        same(special.betainc(a, b, x), scipy_special.betainc(a, b, x), 2e-10)
        same(special.betainc(b, a, 1.0 - x), scipy_special.betainc(b, a, 1.0 - x), 2e-10)
