"""Worlds: drawn alike by everybody, joint where they are of the same draws, weighted, filtered, taken again."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from rxml.batch import Batch
from rxml.errors import DistributionError, TruthError
from rxml.uncertain import Bernoulli, Draws, Mixture, Normal, Worlds, prob

DRAWS = Draws(11, 64)
IDS = np.array(["a", "b", "c", "d", "e"])


def drawn(name: str, ids: Any = IDS, draws: Draws = DRAWS) -> Any:
    return Normal(np.zeros(len(ids)), 1.0).to(Worlds, draws=draws, name=name, ids=ids)


class TestDraws:
    def test_each_fact_has_one_number_in_each_stratum(self) -> None:
        for count in (1, 2, 7, 64, 1000):
            numbers = Draws(3, count).uniform("x", IDS)
            assert ((numbers > 0) & (numbers < 1)).all()
            strata = np.sort(np.floor(numbers * count), axis=0)
            assert (strata == np.arange(count)[:, None]).all()

    def test_what_stands_beside_a_fact_does_not_matter_nor_where(self) -> None:
        whole = DRAWS.uniform("x", IDS)
        for cut in range(6):
            parts = [DRAWS.uniform("x", IDS[:cut]), DRAWS.uniform("x", IDS[cut:])]
            assert np.array_equal(np.concatenate(parts, axis=1), whole)
        assert np.array_equal(DRAWS.uniform("x", IDS[::-1]), whole[:, ::-1])
        assert np.array_equal(DRAWS.uniform("x", "c"), whole[:, 2])
        assert np.array_equal(DRAWS.uniform("x", IDS.astype(object)), whole)
        numbers = np.array([3, -1])
        assert np.array_equal(
            DRAWS.uniform("x", numbers.astype(object)), DRAWS.uniform("x", numbers)
        )
        assert np.array_equal(DRAWS.uniform("x", [b"c"])[:, 0], whole[:, 2])

    def test_the_numbers_are_those_of_the_first_release(self) -> None:
        found = Draws(42, 4).uniform("temp", np.array([7, 2**63], np.uint64))
        assert found.round(12).tolist() == FROZEN

    def test_other_variables_facts_and_seeds_are_independent(self) -> None:
        many = Draws(1, 4000)
        base = many.normal("x", [1, 2])
        others = [
            base[:, 1],
            many.normal("y", 1),
            many.normal("x ", 1),
            Draws(2, 4000).normal("x", 1),
        ]
        for other in others:
            assert abs(np.corrcoef(base[:, 0], other)[0, 1]) < 4.5 / np.sqrt(4000)
            assert abs(np.corrcoef(base[:-1, 0], other[1:])[0, 1]) < 4.5 / np.sqrt(4000)

    def test_strata_take_most_of_the_noise_out_of_a_mean(self) -> None:
        means = DRAWS.normal("x", np.arange(400)).mean(axis=0)
        assert means.std() < 0.2 / np.sqrt(64)

    def test_what_is_no_id_seed_or_number_of_worlds_is_refused(self) -> None:
        with pytest.raises(DistributionError, match="whole numbers or text; got float64"):
            DRAWS.uniform("x", [0.5])
        with pytest.raises(DistributionError, match="whole numbers or text; got None"):
            DRAWS.uniform("x", np.array(["a", None], object))
        with pytest.raises(ValueError, match="64 bits"):
            Draws(-1)
        with pytest.raises(ValueError, match="at least one world"):
            Draws(1, 0)
        with pytest.raises(
            DistributionError, match=r"5 rows want one id a row; got ids of shape \(\)"
        ):
            Normal(np.zeros(5), 1.0).to(Worlds, draws=Draws(1, 5), name="x", ids=3)


class TestJoint:
    def test_the_same_variable_of_the_same_fact_is_the_same(self) -> None:
        x, again = drawn("x"), drawn("x")
        assert (x - again).values.tolist() == np.zeros((64, 5)).tolist()
        assert prob(x == again).tolist() == [1.0] * 5
        assert (x / again).mean().tolist() == [1.0] * 5

    def test_arithmetic_is_world_by_world_with_one_world_plain_numpy(self) -> None:
        for count in (1, 64):
            draws = Draws(5, count)
            x, y = drawn("x", draws=draws), drawn("y", draws=draws)
            a, b = x.values, y.values
            for found, wanted in (
                (x + y, a + b),
                (x - y, a + -1 * b),
                (x * y, a * b),
                (x / y, a / b),
                (2 / y, 2 / b),
                (np.maximum(x, y), np.maximum(a, b)),
                (np.minimum(x, y), np.minimum(a, b)),
                (x**3, a**3),
                (x**2, np.square(a)),
                (np.sin(x), np.sin(a)),
                (x.clip(-1, 1), np.clip(a, -1, 1)),
            ):
                assert found.values.tolist() == wanted.tolist()
            assert (x > y).p.tolist() == (a > b).mean(axis=0).tolist()

    def test_columns_that_were_not_drawn_together_cannot_be_joined(self) -> None:
        x, other = drawn("x"), drawn("y", draws=Draws(12, 64))
        for f in (operator.add, operator.gt, operator.mul):
            for foreign in (other, Worlds(other.values)):
                with pytest.raises(DistributionError, match="not drawn in the same worlds"):
                    f(x, foreign)
        with pytest.raises(DistributionError, match="in number or in weights"):
            _ = x + drawn("y", draws=Draws(11, 32))
        with pytest.raises(DistributionError, match="Worlds and Normal: draw both in the same"):
            _ = x + Normal(np.zeros(5), 1.0)
        with pytest.raises(DistributionError, match="Worlds and Normal: draw both in the same"):
            _ = x > Normal(np.zeros(5), 1.0)

    def test_events_are_joined_world_by_world(self) -> None:
        x, y = drawn("x"), drawn("y")
        one, two = x > 0, y > 0.5
        inside = (x.values > 0) & (y.values > 0.5)
        assert (one & two).p.tolist() == inside.mean(axis=0).tolist()
        assert (one | two).p.tolist() == ((x.values > 0) | (y.values > 0.5)).mean(axis=0).tolist()
        assert (one & ~one).p.tolist() == [0.0] * 5
        assert (one | ~one).p.tolist() == [1.0] * 5
        with pytest.raises(DistributionError, match="events differ in number or in weights"):
            _ = one & (drawn("y", draws=Draws(11, 32)) > 0)
        weighted = Worlds(x.values, np.linspace(0, 1, 64), DRAWS.key)
        with pytest.raises(DistributionError, match="events differ in number or in weights"):
            _ = one & (weighted > 0)

    def test_known_booleans_are_events_too(self) -> None:
        mask: Any = np.array([True, False, True, False, True])
        events: list[Any] = [drawn("x") > 0, Bernoulli(np.linspace(0.1, 0.5, 5))]
        for event in events:
            for both in (event & mask, mask & event, np.logical_and(event, mask)):
                assert both.p.tolist() == np.where(mask, event.p, 0.0).tolist()
            for either in (event | mask, mask | event):
                assert either.p.tolist() == pytest.approx(np.where(mask, 1.0, event.p).tolist())
        kept = (drawn("x") > 0) & mask
        assert kept.inside is not None
        with pytest.raises(DistributionError, match="an event or booleans are wanted; got float64"):
            _ = (drawn("x") > 0) & np.ones(5)

    def test_an_event_is_not_compared_and_is_no_number(self) -> None:
        event: Any = Bernoulli([0.2, 0.9])
        for f in (lambda: event >= 0.5, lambda: event < 0.5, lambda: bool(event)):
            with pytest.raises(TruthError, match="prob"):
                f()
        with pytest.raises(DistributionError, match="use its probability, `prob"):
            _ = np.array([1.0, 2.0]) * event
        assert (event | event).p.tolist() == [0.2, 0.9]
        assert event.either(Bernoulli([0.9, 0.2]), "unknown").bounds[1].tolist() == [1.0, 1.0]
        with pytest.raises(ValueError, match="dependence is one of"):
            event.both(~event, "whatever")


class TestEvidence:
    def test_worlds_are_weighed_by_what_they_make_likely(self) -> None:
        x = Worlds([[0.0], [1.0], [2.0]], np.log([0.2, 0.3, 0.5]), DRAWS.key)
        with np.errstate(all="raise"):
            after = x.reweighted([-1e5, -2000.0, -2000.0 + np.log(3)])
            assert after.weights.tolist() == pytest.approx([0.0, 1 / 6, 5 / 6])
            assert after.mean().tolist() == pytest.approx([1 / 6 + 2 * 5 / 6])
            assert after.effective == pytest.approx(1 / (1 / 36 + 25 / 36))
            again = after.resampled(0.25)
        assert again.values[:, 0].tolist() == [1.0, 2.0, 2.0]
        assert after.resampled(0.0).values[:, 0].tolist() == [1.0, 2.0, 2.0]
        with pytest.raises(ValueError, match=r"u is within \[0, 1\)"):
            after.resampled(1.0)

    def test_what_is_resampled_alike_stays_joint(self) -> None:
        logw = np.linspace(0.0, 3.0, 64)
        x, y = (Worlds(drawn(name).values, logw, DRAWS.key) for name in "xy")
        total = x.resampled() + y.resampled()
        assert total.values.tolist() == (x + y).resampled().values.tolist()
        with pytest.raises(DistributionError, match="not drawn in the same worlds"):
            _ = x.resampled() + drawn("y")
        with pytest.raises(DistributionError, match="not drawn in the same worlds"):
            _ = x.resampled(0.1) + y.resampled(0.9)

    def test_given_an_event_the_others_are_impossible(self) -> None:
        x, y = drawn("x"), drawn("y")
        event = (x > 0.5).at(1)
        after = y.given(event)
        assert event.inside is not None
        np.testing.assert_allclose(after.mean(), y.values[event.inside].mean(axis=0))
        assert prob(x.given(event) > 0.5)[1] == 1.0
        foreign = (drawn("x", draws=Draws(99, 64)) > 0.5).at(1)
        for wrong in (foreign, x > 0.5, Bernoulli(0.3)):
            with pytest.raises(DistributionError, match="event of the same worlds, and a scalar"):
                y.given(wrong)
        with pytest.raises(DistributionError, match="holds in none"):
            y.given((x > 99).at(0))

    def test_shares_and_quantiles_of_weighted_worlds_are_those_of_repeated_ones(self) -> None:
        values, counts = np.array([[3.0, 1.0], [1.0, 5.0], [2.0, 2.0], [9.0, 9.0]]), [1, 4, 3, 0]
        with np.errstate(divide="ignore"):
            weighted = Worlds(values, np.log(counts))
        repeated = Worlds(np.repeat(values, counts, axis=0))
        for q in (0.0, 0.125, 0.5, 0.51, 0.99, 1.0):
            assert weighted.ppf(q).tolist() == repeated.ppf(q).tolist()
        for at in (0.5, 1.0, 2.0, 5.0):
            np.testing.assert_allclose(weighted.cdf(at), repeated.cdf(at))
            np.testing.assert_allclose((weighted >= at).p, (repeated >= at).p)
        np.testing.assert_allclose(weighted.var(), repeated.var())

    def test_the_shortest_interval_holds_as_many_worlds(self) -> None:
        x = Worlds(np.array([0.0, 10.0, 10.5, 11.0, 30.0])[:, None])
        found = x.shortest(0.6)
        assert (found.lo.tolist(), found.hi.tolist(), found.sort) == ([10.0], [11.0], "conformal")


class TestFilters:
    def test_a_soft_filter_is_the_mean_over_the_worlds_of_a_hard_one(self) -> None:
        x, y = drawn("x"), drawn("y")
        soft = (x > 0.3) & (y < 1.0)
        hard = [int(((a > 0.3) & (b < 1.0)).sum()) for a, b in zip(x.values, y.values, strict=True)]
        assert soft.p.sum() == pytest.approx(np.mean(hard))
        assert soft.stderr.tolist() == pytest.approx(np.sqrt(soft.p * (1 - soft.p) / 64).tolist())

    def test_total_variance_is_that_within_and_that_between(self) -> None:
        means, variances = np.array([0.0, 4.0, -1.0]), np.array([1.0, 0.5, 3.0])
        mixture = Mixture(np.log([0.2, 0.5, 0.3]), means, variances)
        worlds = mixture.to(Worlds, draws=Draws(1, 4000), name="m", ids=1)
        within, between = mixture.parts()
        np.testing.assert_allclose(worlds.var(), within + between, rtol=0.05)

    def test_batches_of_worlds_are_the_same_however_they_are_cut(self) -> None:
        batch = Batch({"x": drawn("x"), "p": drawn("x") > 0})
        cut = Batch.concat([batch[:2], batch[2:]])
        assert cut == batch
        assert cut[3]["x"].equals(batch[3]["x"])


# the same everywhere and for good: whoever changes them changes what replays give
FROZEN = [
    [0.274054643302, 0.676350321846],
    [0.003874151225, 0.923968806758],
    [0.653001212939, 0.339414408177],
    [0.931118869188, 0.122001666084],
]
