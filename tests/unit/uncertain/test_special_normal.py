"""The normal distribution in numpy: against scipy, in the tails, at the ends, and to the bit however it is cut."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.uncertain import special

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

scipy_special: Any = import_module("scipy.special")

UNARY = ("ndtr", "log_ndtr", "erf", "erfc", "ndtri", "expit", "logit", "digamma", "gammaln")
anywhere = st.floats(-37.0, 37.0) | st.floats(-1.0, 1.0) | st.floats(allow_nan=False)
probabilities = (
    st.floats(0.0, 1.0) | st.floats(1e-300, 1e-5) | st.sampled_from([5e-324, 1 - 2**-53])
)


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def same(ours: object, theirs: object, rtol: float) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=rtol, atol=1e-306)


@pytest.mark.parametrize("name", ["ndtr", "log_ndtr", "erf", "erfc", "expit"])
@given(x=st.lists(anywhere, max_size=30))
def test_functions_of_any_number_are_those_of_scipy(name: str, x: list[float]) -> None:
    with np.errstate(all="ignore"):
        theirs = getattr(scipy_special, name)(np.array(x))
    # scipy squares in the exponent: in the far tails it is the one that errs
    same(getattr(special, name)(x), theirs, 3e-13)


@pytest.mark.parametrize("name", ["ndtri", "logit"])
@given(p=st.lists(probabilities, max_size=30))
def test_functions_of_probabilities_are_those_of_scipy(name: str, p: list[float]) -> None:
    with np.errstate(all="ignore"):
        theirs = getattr(scipy_special, name)(np.array(p))
    same(getattr(special, name)(p), theirs, 1e-14)


@given(p=st.floats(1e-300, 0.5))
def test_quantiles_of_the_normal_distribution_are_the_inverse(p: float) -> None:
    z = special.ndtri(p)
    # a unit in the last place of z moves the probability by z^2 units
    same(special.ndtr(z), p, 6e-16 * max(10.0, float(z) ** 2))
    assert special.ndtri(1.0 - p) == -special.ndtri(1.0 - (1.0 - p))


def test_the_far_tails_keep_their_digits() -> None:
    # digits from mpmath, 40 of them computed
    same(special.ndtr(-37.0), 5.725571222524576e-300, 1e-14)
    same(special.log_ndtr(-1e5), -5000000012.431864, 1e-15)
    same(special.log_ndtr(-40.0), -804.6084420137538, 1e-15)
    same(special.erfc(26.0), 5.663192408856143e-296, 1e-14)
    assert special.log_ndtr(-1e200) == -np.inf
    assert special.ndtr(-40.0) == 0.0
    assert special.log_ndtr(30.0) < 0.0


def test_the_ends_have_their_limits() -> None:
    ends = np.array([-np.inf, np.inf, 0.0])
    np.testing.assert_array_equal(special.ndtr(ends), [0.0, 1.0, 0.5])
    np.testing.assert_array_equal(special.log_ndtr(ends), [-np.inf, 0.0, np.log(0.5)])
    np.testing.assert_array_equal(special.erf(ends), [-1.0, 1.0, 0.0])
    np.testing.assert_array_equal(special.erfc(ends), [2.0, 0.0, 1.0])
    np.testing.assert_array_equal(special.normal_pdf(ends[:2]), [0.0, 0.0])
    np.testing.assert_array_equal(special.ndtri([0.0, 1.0, 0.5]), ends)
    np.testing.assert_array_equal(special.logit([0.0, 1.0, 0.5]), ends)
    np.testing.assert_array_equal(special.expit(ends), [0.0, 1.0, 0.5])
    assert np.isnan(special.ndtri([-0.1, 1.1, np.nan])).all()
    assert np.isnan(special.logit([-0.1, 1.1, np.nan])).all()


@given(z=st.floats(-38.0, 38.0))
def test_the_density_is_that_of_the_formula(z: float) -> None:
    with np.errstate(under="ignore"):
        theirs = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    same(special.normal_pdf(z), theirs, 2e-13)


@pytest.mark.parametrize("name", UNARY)
def test_scalars_stay_scalars_and_shapes_stay(name: str) -> None:
    function: Callable[..., NDArray[np.float64]] = getattr(special, name)
    assert isinstance(function(0.25), np.float64)
    assert function(np.full((2, 3), 0.25)).shape == (2, 3)
    assert function([]).shape == (0,)
    assert np.isnan(function(np.nan))


@pytest.mark.parametrize("name", UNARY)
def test_rows_one_by_one_give_the_bits_of_the_whole(name: str) -> None:
    function = getattr(special, name)
    x = np.random.default_rng(3).uniform(0.0, 1.0, 20_000)
    whole = function(x)
    assert [function(each) for each in x[:50]] == list(whole[:50])
    np.testing.assert_array_equal(np.concatenate([function(x[:7]), function(x[7:])]), whole)
    np.testing.assert_array_equal(function(x[::3]), whole[::3])
