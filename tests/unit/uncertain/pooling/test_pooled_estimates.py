"""Independent estimates of one quantity: inverse variance, and random effects."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given

from rxml.errors import DistributionError
from rxml.uncertain.pooling import (
    Pooled,
    covariance_intersection,
    inverse_variance,
    random_effects,
)
from tests.unit.uncertain.pooling.drawn import (
    FEW,
    VARIANCES,
    Floats,
    close,
    columns,
    estimates,
    near,
    rows_of,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Callable

stats: Any = import_module("scipy.stats")

RULES: list[Callable[..., Pooled]] = [inverse_variance, random_effects, covariance_intersection]


def plain_random_effects(
    y: list[float], v: list[float]
) -> tuple[float, float, float, float, float]:
    """Mean, se^2 of Hartung and Knapp, tau2, Q and I2, in the words of the papers."""
    k, w = len(y), [1 / each for each in v]
    fixed = sum(a * b for a, b in zip(w, y, strict=True)) / sum(w)
    q = sum(a * (b - fixed) ** 2 for a, b in zip(w, y, strict=True))
    c = sum(w) - sum(a * a for a in w) / sum(w)
    tau2 = max(0.0, (q - (k - 1)) / c)
    star = [1 / (each + tau2) for each in v]
    mean = sum(a * b for a, b in zip(star, y, strict=True)) / sum(star)
    se2 = sum(a * (b - mean) ** 2 for a, b in zip(star, y, strict=True)) / ((k - 1) * sum(star))
    return mean, se2, tau2, q, max(0.0, (q - (k - 1)) / q)


def test_random_effects_are_those_of_the_papers() -> None:
    draw = np.random.default_rng(1)
    for tau in (0.0, 1.0, 5.0):
        y, v = draw.normal(3.0, tau, (40, 5)), draw.uniform(0.2, 4.0, (40, 5))
        y += draw.normal(size=y.shape) * np.sqrt(v)
        got = random_effects(y, v, level=0.9)
        want = np.array(
            [plain_random_effects(*row) for row in zip(y.tolist(), v.tolist(), strict=True)]
        ).T
        for name, column in zip(("mean", "tau2", "q", "i2"), want[[0, 2, 3, 4]], strict=True):
            near(getattr(got, name), column, 1e-9, 1e-12, name)
        half = stats.t.ppf(0.95, 4) * np.sqrt(want[1])
        near(got.hi - got.lo, 2 * half, 1e-9)
        assert np.all(got.var >= want[1] * (1 - 1e-9))


def test_inverse_variance_is_least_squares() -> None:
    y, v = np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, 0.5, 4.0]])
    got = inverse_variance(y, v, level=0.95)
    w = 1 / v[0]
    assert got.mean[0] == pytest.approx((w * y[0]).sum() / w.sum())
    assert got.var[0] == pytest.approx(1 / w.sum())
    assert got.hi[0] == pytest.approx(got.mean[0] + 1.959963984540054 * np.sqrt(got.var[0]))
    assert (got.tau2[0], got.k[0], got.level) == (0.0, 3, 0.95)


@pytest.mark.parametrize("rule", RULES)
@FEW
@given(drawn=estimates())
def test_rows_are_pooled_by_themselves_to_the_last_bit(
    rule: Callable[..., Pooled], drawn: tuple[Floats, Floats]
) -> None:
    y, v = drawn
    whole = columns(rule(y, v))
    if len(y):
        single = rows_of([rule(y[at : at + 1], v[at : at + 1]) for at in range(len(y))])
        for name, array in whole.items():
            np.testing.assert_array_equal(array, single[name], err_msg=name)


@pytest.mark.parametrize("rule", RULES)
@FEW
@given(drawn=estimates(variances=VARIANCES.filter(lambda v: v > 1e-300)))  # below, digits are lost
def test_the_order_of_members_does_not_count(
    rule: Callable[..., Pooled], drawn: tuple[Floats, Floats]
) -> None:
    y, v = np.where(np.isnan(drawn[0]), np.nan, np.round(drawn[0], 2)), drawn[1]
    some = rule(y, v)
    turned = rule(y[:, ::-1], v[:, ::-1])
    np.testing.assert_array_equal(some.k, turned.k)
    for name in ("mean", "var", "lo", "hi"):
        one, other = getattr(some, name), getattr(turned, name)
        # a moment estimate is a difference: what rounding leaves of it is in units of the values
        near(one, other, 1e-6, 1e-4, name)


@pytest.mark.parametrize("rule", RULES)
def test_who_sleeps_is_as_if_it_were_not_there(rule: Callable[..., Pooled]) -> None:
    y = np.array([[1.0, 99.0, 3.0], [5.0, 2.0, np.nan]])
    v = np.array([[1.0, 0.0, 2.0], [1.0, 2.0, -1.0]])
    awake = np.array([[True, False, True], [True, True, True]])
    got = rule(y, v, awake)
    close(got, rule(np.array([[1.0, 3.0], [5.0, 2.0]]), np.array([[1.0, 2.0], [1.0, 2.0]])))
    assert got.k.tolist() == [2, 2]


@pytest.mark.parametrize("rule", RULES)
def test_a_fact_wins_and_what_is_vacuous_tells_nothing(rule: Callable[..., Pooled]) -> None:
    inf, nan = np.inf, np.nan
    y = np.array(
        [[1.0, 7.0, 7.0], [4.0, 5.0, 6.0], [4.0, 5.0, nan], [nan, nan, nan], [1.0, 2.0, 3.0]]
    )
    v = np.array(
        [[1.0, 0.0, 0.0], [inf, inf, 2.0], [inf, inf, 1.0], [1.0, 0.0, inf], [5e-324, 1e308, inf]]
    )
    got = rule(y, v)
    np.testing.assert_array_equal(got.mean, [7.0, 6.0, 4.5, nan, 1.0])
    np.testing.assert_array_equal(got.var, [0.0, 2.0, inf, inf, 5e-324])
    np.testing.assert_array_equal(got.k, [3, 1, 0, 0, 2])
    assert got.lo[0] == got.hi[0] == 7.0
    assert (got.lo[2], got.hi[2], got.lo[3], got.hi[3]) == (-inf, inf, -inf, inf)
    assert got.hi[1] == pytest.approx(6.0 + 1.959963984540054 * np.sqrt(2.0))


@pytest.mark.parametrize("rule", RULES)
def test_facts_that_contradict_each_other_are_named(rule: Callable[..., Pooled]) -> None:
    y, v = np.array([[1.0, 1.0], [1.0, 2.0]]), np.zeros((2, 2))
    with pytest.raises(DistributionError, match=r"contradict.*row 1"):
        rule(y, v)
    assert rule(y, v, np.array([[True, True], [True, False]])).mean.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("rule", RULES)
def test_bad_numbers_are_named(rule: Callable[..., Pooled]) -> None:
    with pytest.raises(DistributionError, match=r"variance is >= 0.*row 1"):
        rule([[1.0], [2.0]], [[1.0], [-1.0]])
    with pytest.raises(DistributionError, match=r"variance is >= 0.*row 0"):
        rule([[1.0], [2.0]], [[np.nan], [1.0]])
    with pytest.raises(DistributionError, match=r"within .*1e\+150.*row 0"):
        rule([[np.inf], [2.0]], [[1.0], [1.0]])
    with pytest.raises(DistributionError, match=r"v has shape \(3,\): want \(2, 1\)"):
        rule([[1.0], [2.0]], [1.0, 1.0, 1.0])
    with pytest.raises(DistributionError, match=r"y has shape \(1,\): want \(N, K\)"):
        rule([1.0], [1.0])
    with pytest.raises(DistributionError, match=r"y must be numbers"):
        rule([["high"]], [[1.0]])
    with pytest.raises(DistributionError, match=r"awake has shape"):
        rule([[1.0], [2.0]], [[1.0], [1.0]], np.ones((3, 1), np.bool_))
    for level in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match="level must be between 0 and 1"):
            rule([[1.0]], [[1.0]], level=level)


def test_there_is_no_such_rule() -> None:
    wrong: Any = "best"
    with pytest.raises(ValueError, match="rule must be one of hksj, modified, normal; got 'best'"):
        random_effects([[1.0]], [[1.0]], rule=wrong)


@FEW
@given(drawn=estimates())
def test_a_noisier_member_never_narrows(drawn: tuple[Floats, Floats]) -> None:
    y, v = drawn
    for rule in (inverse_variance, covariance_intersection):
        calm = rule(y, v)
        for at in range(y.shape[1]):
            noisier = v.copy()
            with np.errstate(over="ignore", under="ignore"):
                noisier[:, at] *= 3.0
                least = calm.var * (1 - 1e-12)
            assert np.all(rule(y, noisier).var >= least)


@FEW
@given(drawn=estimates())
def test_duplicates_under_covariance_intersection_never_narrow(
    drawn: tuple[Floats, Floats],
) -> None:
    y, v = drawn
    once = covariance_intersection(y, v)
    twice = covariance_intersection(np.c_[y, y], np.c_[v, v])
    with np.errstate(under="ignore"):
        assert np.all(twice.var >= once.var * (1 - 1e-12))
    near(twice.mean, once.mean, 1e-12, 1e-12)


def test_weights_of_covariance_intersection_are_used_as_they_are_convex() -> None:
    y, v = np.array([[1.0, 3.0, np.nan], [1.0, 3.0, 5.0]]), np.array([1.0, 2.0, 0.5])
    got = covariance_intersection(y, v, weights=[3.0, 1.0, 4.0])
    p = np.array([0.75 / 1 + 0.25 / 2, 3 / 8 + 1 / 16 + 1.0])
    near(got.var, 1 / p)
    m = np.array([0.75 / 1 + 0.75 / 2, 3 / 8 + 3 / 16 + 5.0]) / p
    near(got.mean, m)
    # who has no weight is not looked at, be it a fact
    aside = covariance_intersection([[1.0, 3.0]], [[0.0, 2.0]], weights=[0.0, 1.0])
    assert (aside.mean[0], aside.var[0]) == (3.0, 2.0)
    with pytest.raises(DistributionError, match=r"weight is >= 0 and finite.*row 0"):
        covariance_intersection([[1.0, 3.0]], [[1.0, 2.0]], weights=[-1.0, 1.0])


def test_covariance_intersection_of_any_correlation_is_not_overconfident() -> None:
    v, w = np.array([1.0, 2.5]), np.array([0.3, 0.7])
    var = covariance_intersection([[0.0, 0.0]], v, weights=w).var[0]
    gains = var * w / v
    for rho in np.linspace(-1, 1, 21):
        both = rho * np.sqrt(v.prod())
        true = gains @ np.array([[v[0], both], [both, v[1]]]) @ gains
        assert true <= var * (1 + 1e-12)


def test_agreement_by_chance_makes_no_fact() -> None:
    y, v = np.full((1, 4), 20.0), np.full((1, 4), 1.0)
    plain, modified = random_effects(y, v), random_effects(y, v, rule="modified")
    assert plain.hi[0] == plain.lo[0]
    assert plain.var[0] == modified.var[0] == 0.25
    assert modified.hi[0] - 20.0 == pytest.approx(stats.t.ppf(0.975, 3) * 0.5)
    normal = random_effects(y, v, rule="normal")
    assert normal.hi[0] - 20.0 == pytest.approx(1.959963984540054 * 0.5)


def test_a_single_member_says_what_it_says() -> None:
    one = random_effects([[3.0, np.nan]], [[4.0, 1.0]])
    same(one, inverse_variance([[3.0, np.nan]], [[4.0, 1.0]]))
    assert one.hi[0] == pytest.approx(3 + 2 * 1.959963984540054)


def test_a_precise_member_beside_vague_ones_keeps_tau2_right() -> None:
    # by differences, C = sum w - sum w^2 / sum w is 0 here, and Q made of rounding
    y = np.array([[1e6 + 0.1, 1e6 + 0.3, 1e6 - 0.4]])
    v = np.array([[1e-18, 1.0, 1.0]])
    got = random_effects(y, v)
    assert got.q[0] == pytest.approx(0.2**2 + 0.5**2, rel=1e-6)
    assert got.tau2[0] == 0.0
    far = random_effects(y + np.array([0.0, 100.0, -100.0]), v)
    apart = np.square(y[0, 1:] - y[0, 0] + [100.0, -100.0]).sum()
    assert far.tau2[0] == pytest.approx((apart - 2) / 4, rel=1e-9)


def test_sizes_at_the_edge_make_no_floating_point_error() -> None:
    y = np.array([[1e150, -1e150, 3.0], [1e-300, 5e-324, -1e-300]])
    for v in ([1.0, 1.0, 1.0], [1e-300, 1e300, 1.0], [5e-324, 1e308, np.inf], [1e308] * 3):
        for rule in RULES:
            got = rule(y, np.array(v))
            assert np.all(np.abs(got.mean) <= 1e150)
            assert np.all((got.i2 >= 0) & (got.i2 <= 1) & (got.var >= 0) & (got.tau2 >= 0))
            assert np.all((got.lo <= got.mean) & (got.mean <= got.hi))


def test_nothing_and_much() -> None:
    for rule in RULES:
        assert rule(np.empty((0, 3)), np.empty((0, 3))).mean.shape == (0,)
        none = rule(np.empty((2, 0)), np.empty((2, 0)))
        assert np.isnan(none.mean).all()
        assert np.isinf(none.var).all()
    draw = np.random.default_rng(3)
    many = random_effects(draw.normal(size=(1, 100_000)), np.ones(100_000))
    assert many.k[0] == 100_000
    assert many.var[0] == pytest.approx(1e-5, rel=0.05)
