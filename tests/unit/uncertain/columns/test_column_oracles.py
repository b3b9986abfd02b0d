"""Probabilities, quantiles and moments of every kind: against scipy, quadrature and counting."""

from __future__ import annotations

from importlib import import_module
from itertools import product
from typing import Any

import numpy as np
import pytest

import rxml.uncertain
from rxml.errors import DistributionError
from tests.unit.uncertain.columns.kinds import any_function

room: Any = rxml.uncertain  # numpy's stubs do not know what its functions give of these
Alternatives = room.Alternatives
Beta = room.Beta
Categorical = room.Categorical
Draws = room.Draws
Interval = room.Interval
Mixture = room.Mixture
Normal = room.Normal
Quantiles = room.Quantiles
Worlds = room.Worlds
prob = room.prob
stats: Any = import_module("scipy.stats")
integrate: Any = import_module("scipy.integrate")

X = Normal([0.0, 1.0, -2.0], [1.0, 4.0, 0.25])
MIX = Mixture(
    np.log([[0.2, 0.5, 0.3], [1e-300, 1.0, 0.5]]),
    [[0.0, 3.0, -5.0], [0.0, 1.0, 1e6]],
    [[1.0, 0.25, 4.0], [1.0, 0.0, 1.0]],
)


NARROWING = [
    any_function(lambda x: 2 * x + 1),
    any_function(lambda x: x + X),
    any_function(lambda x: x * X),
    any_function(lambda x: x - 3 * X),
]


class TestTails:
    def test_of_a_normal_every_digit_is_kept_far_out(self) -> None:
        at = np.array([30.0, 70.0, 10.0])
        norm = stats.norm(X.mean(), X.std())
        with np.errstate(all="raise"):
            for p in (at < X, at <= X, -at > -X, at < X, np.array(at) <= X):
                np.testing.assert_allclose(p.p, norm.sf(at), rtol=1e-11)
            np.testing.assert_allclose(X.logsf(40 * at), norm.logsf(40 * at), rtol=1e-11)
            np.testing.assert_allclose(X.prob(at, at + 1), norm.sf(at) - norm.sf(at + 1), rtol=1e-9)
            np.testing.assert_allclose(Normal(0.0, 1.0).ppf(1e-300), stats.norm.ppf(1e-300))
            assert Normal(0.0, 1.0).sf(1e300) == 0

    def test_of_a_beta_and_a_mixture_too(self) -> None:
        beta = Beta([2.0, 40.0, 0.5], [300.0, 2.0, 0.5])
        oracle = stats.beta(beta.a, beta.b)
        at = np.array([0.6, 0.999, 1 - 1e-9])
        with np.errstate(all="raise"):
            np.testing.assert_allclose((beta >= at).p, oracle.sf(at), rtol=1e-9)
            np.testing.assert_allclose(beta.prob(at, 1.0), oracle.sf(at), rtol=1e-9)
            np.testing.assert_allclose(beta.ppf(0.01), oracle.ppf(0.01), rtol=1e-9)
            np.testing.assert_allclose(beta.std(), oracle.std(), rtol=1e-12)
            far = (MIX > 40.0).p
        np.testing.assert_allclose(
            far[0], 0.2 * stats.norm.sf(40) + 0.3 * stats.norm.sf(22.5), 1e-10
        )
        np.testing.assert_allclose(far[1], 1 / 3, rtol=1e-12)

    def test_what_is_certain_and_what_is_not_known_at_all(self) -> None:
        x = Normal([3.0, 3.0], [0.0, np.inf])
        with np.errstate(all="raise"):
            assert (x > 3).p.tolist() == [0.0, 0.5]
            assert (x >= 3).p.tolist() == [1.0, 0.5]
            assert (x == 3).p.tolist() == [1.0, 0.0]
            assert (x < 3).p.tolist() == [0.0, 0.5]
            assert (x > np.inf).p.tolist() == [0.0, 0.0]
            assert (x > -np.inf).p.tolist() == [1.0, 1.0]
            assert x.prob(-np.inf, np.inf).tolist() == [1.0, 1.0]
            assert x.logsf(3).tolist() == [-np.inf, np.log(0.5)]
            assert (x * Normal([0.0, 2.0], [0.0, 1.0])).var().tolist() == [0.0, np.inf]
            assert (x - x).var().tolist() == [0.0, 0.0]

    def test_nan_is_no_number_to_compare_with(self) -> None:
        worlds = Worlds([[1.0, 2.0, 3.0]])
        for column in (X, worlds, Interval(np.zeros(3), 1.0), X.to(Quantiles)):
            with pytest.raises(DistributionError, match=r"compare with is NaN.* in row 1"):
                _ = column > np.array([0.0, np.nan, 1.0])
        for q in (-0.1, 1.5, np.nan):
            for each in (X, MIX, worlds, Beta(1.0, 1.0), X.to(Quantiles)):
                with pytest.raises(DistributionError, match=r"within \[0, 1\]"):
                    each.ppf(q)


class TestOneAgainstTheOther:
    def test_of_two_normals_it_is_exact(self) -> None:
        y = Normal([40.0, 1.0, -2.0], [1.0, 2.0, 0.0])
        z = (X.mean() - y.mean()) / np.sqrt(X.var() + y.var())
        with np.errstate(all="raise"):
            np.testing.assert_allclose(prob(y < X), stats.norm.cdf(z), rtol=1e-11)
            np.testing.assert_allclose(prob(y >= X), stats.norm.cdf(-z), rtol=1e-11)

    @pytest.mark.parametrize(
        ("x", "y"),
        [
            (Beta(2.0, 5.0), Beta(4.0, 4.0)),
            (Beta(2.0, 5.0), Normal(0.4, 0.04)),
            (MIX.at(0), Normal(1.0, 2.0)),
            (Normal(0.2, 1.0), Beta(0.5, 0.5)),
        ],
    )
    def test_of_others_it_is_near_quadrature(self, x: Any, y: Any) -> None:
        levels = (np.arange(2000) + 0.5) / 2000
        near = float(np.asarray(x.sf(y.ppf(levels)), np.float64).mean())
        assert abs((x > y).p - near) < 1e-3
        assert abs((y < x).p - near) < 1e-3
        assert abs((x <= y).p - (1 - near)) < 1e-3

    def test_quantiles_only_bound_what_lies_beyond_them(self) -> None:
        taus = np.array([0.1, 0.5, 0.8])
        x = Quantiles(taus, [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]])
        y = Normal([1.0, 0.0], [1e-6, 1.0])
        above, below = (x > y).bounds, (y >= x).bounds
        np.testing.assert_allclose(above[0], [0.5, 0.9], atol=1e-2)
        np.testing.assert_allclose(above[1], [0.5, 1.0], atol=1e-2)
        np.testing.assert_allclose(below[0], 1 - above[1], atol=1e-9)
        np.testing.assert_allclose(below[1], 1 - above[0], atol=1e-9)
        low, high = (x[:1] > x[1:]).bounds
        # each is above whatever the other is when it is in its open tail: 0.2 + (1 - 0.2) * 0.1
        assert (low[0], high[0]) == pytest.approx((0.0, 0.28))
        wide, lower = Normal(1.0, 4.0), stats.norm(1.0, 2.0).cdf
        exact = [
            slope * integrate.quad(lower, a, a + 1)[0] for a, slope in ((0.0, 0.4), (1.0, 0.3))
        ]
        low, high = (x.at(0) > wide).bounds
        np.testing.assert_allclose(low, sum(exact) + 0.2 * stats.norm.cdf(0.5), rtol=1e-9)
        np.testing.assert_allclose(high, sum(exact) + 0.2 + 0.1 * stats.norm.cdf(-0.5), rtol=1e-9)

    def test_of_alternatives_it_is_counted(self) -> None:
        x = Alternatives([1.0, 2.0, 3.0], [0.2, 0.3, 0.4])
        y = Alternatives([2.0, 2.5], [0.5, 0.25])
        pairs = [
            (a, b, p * q)
            for (a, p), (b, q) in product(
                zip(x.values, x.p, strict=True), zip(y.values, y.p, strict=True)
            )
        ]
        assert (x > y).p == pytest.approx(sum(w for a, b, w in pairs if a > b))
        assert (x == y).p == pytest.approx(sum(w for a, b, w in pairs if a == b))
        assert (x > y).p + (x <= y).p == pytest.approx(0.9 * 0.75)
        for found, f in (
            (x + y, np.add),
            (x * y, np.multiply),
            (x / y, np.true_divide),
            (np.maximum(x, y), np.maximum),
            (x - y, np.subtract),
        ):
            total = sum(w * f(a, b) for a, b, w in pairs) / (0.9 * 0.75)
            assert found.presence == pytest.approx(0.9 * 0.75)
            assert found.mean() == pytest.approx(total)
        normal = Normal(2.0, 1.0)
        assert (x > normal).p == pytest.approx(sum(x.p * stats.norm.cdf(x.values - 2)))
        low, high = (x > Quantiles([0.1, 0.9], [1.5, 2.5])).bounds
        assert low < high


class TestSumsAndProducts:
    def test_moments_are_those_of_drawn_values(self) -> None:
        rng = np.random.default_rng(4)
        x, y = Normal(3.0, 0.5), Normal(-20.0, 2.0)
        a, b = (n.mean() + n.std() * rng.standard_normal(200_000) for n in (x, y))
        for found, drawn in (
            (x + y, a + b),
            (x * y, a * b),
            (x / y, a / b),
            (x - y, a - b),
            (2.0 / y, 2 / b),
            (x * x, a * a),
        ):
            np.testing.assert_allclose(found.mean(), drawn.mean(), rtol=0.01)
            np.testing.assert_allclose(found.std(), drawn.std(), rtol=0.02)

    def test_a_ratio_that_may_have_no_moments_is_refused(self) -> None:
        with pytest.raises(DistributionError, match=r"5 standard deviations from 0.* in row 1"):
            _ = Normal([1.0, 1.0], 1.0) / Normal([10.0, 4.0], 1.0)
        with pytest.raises(DistributionError, match="5 standard deviations"):
            _ = 1 / Normal(0.0, 1.0)
        assert (X / X).equals(Normal(np.ones(3), 0.0))
        with pytest.raises(DistributionError, match=r"never 0.* in row 1"):
            _ = (zero := Normal([1.0, 0.0], 0.0)) / zero

    def test_a_noisier_input_never_narrows(self) -> None:
        for f in NARROWING:
            quiet, noisy = f(Normal([1.0, 2.0, 3.0], 1.0)), f(Normal([1.0, 2.0, 3.0], 1.5))
            assert (noisy.var() > quiet.var()).all()
            assert (noisy.interval(0.9).width > quiet.interval(0.9).width).all()


class TestMixtures:
    def test_moments_and_their_parts_are_those_of_the_law_of_total_variance(self) -> None:
        within, between = MIX.parts()
        for i in range(2):
            w, m, v = MIX.weights[i], MIX.components[0][i], MIX.components[1][i]
            np.testing.assert_allclose(MIX.mean()[i], w @ m, atol=1e-15)
            np.testing.assert_allclose(within[i], w @ v, atol=1e-15)
            apart = w @ m**2 - (w @ m) ** 2  # which loses digits where ours does not
            np.testing.assert_allclose(between[i], apart, atol=1e-15)
        np.testing.assert_allclose(MIX.var(), within + between, atol=1e-15)

    @pytest.mark.parametrize("q", [1e-300, 1e-14, 0.01, 0.5, 0.95, 1 - 1e-12])
    def test_quantiles_go_back(self, q: float) -> None:
        with np.errstate(all="raise"):
            at = MIX.at(0).ppf(q)
            np.testing.assert_allclose(MIX.at(0).cdf(at), q, rtol=1e-4 if q < 1e-9 else 1e-12)
            assert MIX.at(1).ppf(0.5) == 1.0  # a fact

    def test_a_component_that_knows_nothing_leaves_what_the_others_know(self) -> None:
        half = Mixture(
            np.log([[0.5, 0.5], [0.0 + 1e-9, 1.0]]),
            0.0 * np.ones((2, 2)),
            [[1.0, np.inf], [0.0, np.inf]],
        )
        with np.errstate(all="raise"):
            at = half.ppf(np.array([0.1, 0.3, 0.5, 0.75, 0.9])[:, None])
        np.testing.assert_allclose(
            at[:, 0], [-np.inf, stats.norm.ppf(0.1), 0, np.inf, np.inf], atol=1e-9
        )
        np.testing.assert_allclose(half.cdf(at[1:3, 0, None])[:, 0], [0.3, 0.5], atol=1e-12)
        vacuous = Mixture([0.0], [2.0], [np.inf])
        assert [float(vacuous.ppf(q)) for q in (0.1, 0.5, 0.9)] == [-np.inf, 2.0, np.inf]

    def test_fewer_components_keep_mean_and_variance(self) -> None:
        for count in (1, 2, 3):
            fewer = MIX.reduced(count)
            assert fewer.weights.shape == (2, count)
            np.testing.assert_allclose(fewer.mean(), MIX.mean(), rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(fewer.var(), MIX.var(), rtol=1e-9)
        lone = Mixture([0.0, -np.inf, -np.inf], [1.0, 2.0, 3.0], [1.0, 1.0, np.inf])
        with np.errstate(all="raise"):
            assert lone.reduced(2).mean() == 1.0
            assert lone.reduced(2).var() == 1.0
        with pytest.raises(ValueError, match="at least one component"):
            MIX.reduced(0)

    def test_sums_have_each_component_with_each(self) -> None:
        total = MIX.at(0) + Mixture(np.log([0.4, 0.6]), [1.0, -1.0], [0.5, 2.0])
        rng = np.random.default_rng(1)
        drawn = MIX.at(0).ppf(rng.random(20_000))
        other = Mixture(np.log([0.4, 0.6]), [1.0, -1.0], [0.5, 2.0]).ppf(rng.random(20_000))
        for q in (0.05, 0.4, 0.9):
            assert np.mean(drawn + other <= total.ppf(q)) == pytest.approx(q, abs=0.02)


class TestEvidence:
    def test_a_beta_of_moments_has_them_and_evidence_adds_up(self) -> None:
        beta = Beta.of_moments([0.3, 0.9], [0.01, 0.02])
        np.testing.assert_allclose(beta.mean(), [0.3, 0.9])
        np.testing.assert_allclose(beta.var(), [0.01, 0.02])
        seen = Beta(0.5, 0.5).observed([3.0, 0.0], [1.0, 2.0])
        assert (seen.a.tolist(), seen.b.tolist()) == ([3.5, 0.5], [1.5, 2.5])
        faded = Beta(10.5, 4.5).observed(1.0, 0.0, forgetting=0.5)
        assert (float(faded.a), float(faded.b)) == (0.5 * 10.5 + 0.25 + 1, 0.5 * 4.5 + 0.25)
        assert (1 - seen).equals(Beta(seen.b, seen.a))
        with pytest.raises(DistributionError, match=r"evidence is >= 0; got -0\.2 in row 1"):
            seen.observed(0.0, [0.0, -0.2])
        with pytest.raises(DistributionError, match=r"mean \(1 - mean\).* in row 1"):
            Beta.of_moments([0.5, 0.5], [0.1, 0.3])

    def test_a_categorical_knows_entropy_sets_and_margins(self) -> None:
        p = np.array([[0.1] * 10, [0.5, 0.3, 0.2] + [0.0] * 7])
        cat = Categorical(p, classes=list("abcdefghij"))
        np.testing.assert_allclose(cat.entropy(), stats.entropy(p, axis=1))
        assert cat.credible(0.3).sum(axis=1).tolist() == [3, 1]
        assert cat.credible(0.8).sum(axis=1).tolist() == [8, 2]
        assert cat.credible(1.0).sum(axis=1).tolist() == [10, 3]
        np.testing.assert_allclose(cat.margin(), [0.0, 0.2])
        assert (cat == "b").p.tolist() == pytest.approx([0.1, 0.3])
        assert (cat == np.array(["c", "a"])).p.tolist() == pytest.approx([0.1, 0.5])
        assert (cat != cat[::-1]).p.tolist() == pytest.approx([0.9, 0.9])
        assert cat.mode().tolist() == ["a", "a"]
        for wrong, text in (
            ("z", "no class 'z'"),
            (["a", "z"], "no class 'z' in row 1"),
            (["a"], "one class a row"),
        ):
            with pytest.raises(DistributionError, match=text):
                cat.prob(wrong)
        with pytest.raises(DistributionError, match=r"within \(0, 1\]; got 0"):
            cat.credible(0)

    def test_logits_of_any_size_are_probabilities(self) -> None:
        with np.errstate(all="raise"):
            cat = Categorical.of_logits(
                [[700.0, -700.0, 0.0], [-700.0, -700.0, -700.0], [1e5, -1e5, -np.inf]]
            )
            assert np.abs(cat.p.sum(axis=1) - 1).max() <= 1e-12
            assert cat.entropy().tolist() == pytest.approx([0.0, np.log(3), 0.0])
            assert cat.logp[0, 1] == -1400


def test_quantiles_that_cross_are_put_in_order_and_bound_what_is_beyond() -> None:
    x = Quantiles([0.1, 0.5, 0.9], [[3.0, 1.0, 2.0]])
    assert x.values.tolist() == [[1.0, 2.0, 3.0]]
    assert x.cdf(1.5).tolist() == pytest.approx([0.3])
    assert [each.tolist() for each in (x > 5.0).bounds] == [[0.0], pytest.approx([0.1])]
    assert [each.tolist() for each in (x < 0.0).bounds] == [[0.0], pytest.approx([0.1])]
    with pytest.raises(
        DistributionError, match="only bounds are known of the probabilities of row 0"
    ):
        prob(x > 5.0)
    assert (1 - x).taus.tolist() == x.taus.tolist()  # to the bit, so that both go into one column
    assert np.exp(x).values.tolist() == np.exp(x.values).tolist()
    assert x.to(Quantiles, taus=[0.3, 0.5]).values.tolist() == [[1.5, 2.0]]
    skew = -Quantiles([0.1, 0.5], [1.0, 2.0])
    assert (skew.taus.tolist(), skew.values.tolist()) == ([0.5, 0.9], [-2.0, -1.0])
    normal = Normal(3.0, 4.0)
    back = normal.to(Quantiles, taus=[0.02, 0.3, 0.9]).to(Normal)
    np.testing.assert_allclose([back.mean(), back.var()], [3.0, 4.0])


def test_draws_of_a_mixture_have_its_shape() -> None:
    drawn = MIX.slice(slice(0, 1)).to(Worlds, draws=Draws(2, 4000), name="m", ids=[7])
    at = MIX.at(0).ppf(np.array([0.1, 0.5, 0.9]))
    np.testing.assert_allclose(drawn.cdf(at[:, None])[:, 0], [0.1, 0.5, 0.9], atol=0.02)
