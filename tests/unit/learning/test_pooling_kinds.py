"""combine: kinds of predictions, losses and rules; models that are asked; what is refused."""

from __future__ import annotations

import asyncio
from math import inf
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import DistributionError, PipelineError, SchemaError
from rxml.learning import Combination, Label
from rxml.testing.virtual_time import run
from rxml.uncertain import Bernoulli, Beta, Categorical, Mixture, Normal, Quantiles, Worlds
from rxml.uncertain.pooling import AdaHedge
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.operator import Operator

TAUS = [0.1, 0.5, 0.9]
GOOD, BAD = Normal(0.0, 1.0), Normal(6.0, 1.0)
COLOURS = ["red", "green"]


def said(name: Any, a: Any, b: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "a": a, "b": b, **more}


def members(members: Any = ("a", "b"), **how: Any) -> Operator[Any, Any]:
    return ops.combine(members, **how)


def three(models: int) -> AdaHedge:
    return AdaHedge(models + 1)


def after(a: Any, b: Any, truth: Any, times: int = 5, **how: Any) -> tuple[float, Any]:
    """The weight of a, and the pool, after as many labels of what members always say."""
    elements = [each for at in range(times) for each in (said(at, a, b), Label(at, truth))]
    rows = results([*elements, said("end", a, b)], ops.combine(["a", "b"], weights_into="w", **how))
    return float(rows[-1]["w"][0]), rows[-1]["value"]


@pytest.mark.parametrize(
    ("a", "b", "truth", "losses"),
    [
        (GOOD, BAD, 0.0, ("crps", "log", "squared")),
        (1.0, 4.0, 1.5, ("crps", "squared")),
        (Worlds([0.0, 1.0]), BAD, 0.1, ("crps", "squared")),
        (
            Quantiles(TAUS, [0.0, 1.0, 2.0]),
            Quantiles(TAUS, [1.0, 4.0, 9.0]),
            1.0,
            ("crps", "pinball"),
        ),
        (Bernoulli(0.9), Bernoulli.between(0.1, 0.3), True, ("crps", "log", "squared")),
        (Bernoulli(0.1), Beta(9.0, 1.0), 0, ("log",)),
        (Beta(9.0, 1.0), Bernoulli(0.1), 1, ("log",)),
        (
            Categorical([0.8, 0.2], COLOURS),
            Categorical([0.1, 0.9], COLOURS),
            "red",
            ("log", "squared"),
        ),
        (Categorical([0.2, 0.8]), Categorical([1.0, 0.0]), 1, ("log", "squared")),
    ],
)
def test_every_loss_of_every_kind_leads_to_who_is_right(
    a: Any, b: Any, truth: Any, losses: tuple[Any, ...]
) -> None:
    for loss in (None, *losses):
        weight, pooled = after(a, b, truth, loss=loss)
        assert weight > 0.7, loss
        other, _ = after(b, a, truth, loss=loss)
        assert other == pytest.approx(1 - weight), loss
        assert pooled.shape == ()


@pytest.mark.parametrize("rule", ["fixed_share", "hedge", "bma", "stacking", AdaHedge])
def test_every_rule_leads_to_who_is_right(rule: Any) -> None:
    assert after(GOOD, BAD, 0.0, 30, rule=rule)[0] > 0.7


def test_stacking_finds_the_best_mixture_where_others_find_the_best_member() -> None:
    rng = np.random.default_rng(2)
    truths = rng.normal(size=400)
    elements = [
        each
        for at, truth in enumerate(truths.tolist())
        for each in (
            said(at, truth + 1.0 + rng.normal(), truth - 3.0 + rng.normal()),
            Label(at, truth),
        )
    ]
    last = [
        results(elements, members(rule=rule, loss="squared", weights_into="w"))[-1]["w"][0]
        for rule in ("stacking", "fixed_share")
    ]
    # biases of 1 and -3 cancel out at 3/4, noise moves that a little
    assert 0.6 < last[0] < 0.85
    assert last[1] > 0.99


def test_stacking_of_probabilities_and_classes_goes_by_their_log_loss() -> None:
    for a, b, truth in (
        (Bernoulli(0.9), Bernoulli(0.1), 1),
        (Categorical([0.9, 0.1]), Categorical([0.1, 0.9]), 0),
    ):
        assert after(a, b, truth, 30, rule="stacking")[0] > 0.9
    assert after(Bernoulli(0.9), Bernoulli(0.1), 1, 30, rule="stacking", loss="squared")[0] > 0.9


def test_a_loss_may_be_a_function_of_truths_and_predictions() -> None:
    seen: list[Any] = []

    def away(truths: Any, predictions: Any) -> Any:
        seen.append((truths.tolist(), predictions.mean().tolist()))
        return np.abs(truths - predictions.mean()) ** 3

    assert after(GOOD, BAD, 0.0, 1, loss=away)[0] > 0.9
    assert seen == [([0.0], [0.0]), ([0.0], [6.0])]


def test_losses_are_divided_by_their_scale() -> None:
    small, _ = after(1.0, 2.0, 1.0, 1, share=0.0)
    large, _ = after(1e6, 2e6, 1e6, 1, share=0.0, scale=1e6)
    assert large == small


def test_a_log_pool_of_normals_is_a_normal() -> None:
    weight, pooled = after(GOOD, BAD, 0.0, 1, pool="log_pool")
    assert isinstance(pooled, Normal)
    assert float(pooled.mean()) == pytest.approx(6.0 * (1 - weight))


def test_the_first_that_says_anything_says_in_what_form_all_do() -> None:
    by_levels, by_moments = (
        results([said(1, *given)], ops.combine(["a", "b"]))[0]["value"]
        for given in (
            (None, Quantiles(TAUS, [0.0, 1.0, 2.0])),
            (GOOD, Quantiles(TAUS, [0.0, 1.0, 2.0])),
        )
    )
    assert isinstance(by_levels, Quantiles)
    assert isinstance(by_moments, Mixture)
    mixed = [said(1, None, Quantiles(TAUS, [0.0, 1.0, 2.0])), said(2, GOOD, None)]
    last = results(mixed, ops.combine(["a", "b"]))[-1]["value"]
    np.testing.assert_allclose(last.values, [GOOD.ppf(tau) for tau in TAUS])


def test_labels_late_of_different_kinds_and_none_are_counted_once() -> None:
    combination = Combination()
    elements = [said(1, 0.0, 1.0), Label(1, None), Label(1, 0.0), said(2, 0.0, 1.0), Label(2, 0.0)]
    results(elements, ops.combine(["a", "b"], combination=combination))
    assert combination.now is not None
    assert combination.now.labels == 1


async def quick(row: Mapping[str, Any]) -> float:
    return float(row["x"])


async def slow(row: Mapping[str, Any]) -> float:
    await asyncio.sleep(row["takes"])
    return -float(row["x"])


async def failing(row: Mapping[str, Any]) -> Normal:
    if row["x"] == 2:
        raise ValueError(row)
    return Normal(0.0, 4.0)


def test_models_that_are_late_or_fail_are_asleep() -> None:
    rows = [{"id": at, "x": at, "takes": 0.6 * at} for at in range(4)]
    asked = ops.combine(
        {"quick": quick, "slow": slow, "failing": failing}, within=1, by="id", weights_into="w"
    )
    found = results([rows[0], Label(0, 0.0), *rows[1:]], asked)
    assert [[bool(w) for w in row["w"]] for row in found] == [
        [True, True, True],
        [True, True, True],
        [True, False, False],
        [True, False, True],
    ]
    assert (found[2]["quick"], found[2]["slow"], found[2]["failing"]) == (2.0, None, None)
    assert isinstance(found[2]["value"], Mixture)
    assert float(found[2]["value"].mean()) == 2.0


def test_models_are_asked_behind_a_key_and_want_rows() -> None:
    keyed = results(
        [{"id": 1, "x": 3, "k": "a"}], ops.key_by("k"), ops.combine({"quick": quick}, within=1)
    )
    assert float(keyed[0]["value"].mean()) == 3.0
    with pytest.raises(SchemaError, match="mapping or a row"):
        results([3], ops.combine({"quick": quick}, within=1))


def test_members_may_be_functions_and_ways_into_elements() -> None:
    elements: list[Any] = [{"id": 1, "deep": {"a": 1.0}, "x": 3.0}, {"id": 2, "deep": {}, "x": 5.0}]
    combined = ops.combine({"a": "deep.a", "x": itemgetter("x")}, weights_into="w")
    assert [row["w"].tolist() for row in results(elements, combined)] == [[0.5, 0.5], [0.0, 1.0]]


def test_a_batch_without_a_column_is_rows_without_it() -> None:
    whole = Batch({"id": [0], "a": [1.0], "b": [2.0]})
    batch = Batch({"id": [1, 2], "a": [1.0, 2.0]})
    flow = rxml.from_batches([whole, batch]).pipe(ops.combine(["a", "b"], weights_into="w"))
    assert [row["w"].tolist() for row in run(flow.to_list())] == [[0.5, 0.5], *[[1.0, 0.0]] * 2]


@pytest.mark.parametrize(
    ("elements", "how", "error", "words"),
    [
        ([said(1, None, None)], {}, SchemaError, "none of a, b says anything"),
        ([said(1, "x", 1.0)], {}, SchemaError, "row 0 is .*'a' is to say a number"),
        ([said(1, 1.0, 10**400)], {}, SchemaError, "'b' says a number that is too large"),
        ([said(1, GOOD, Bernoulli(0.5))], {}, DistributionError, "got a Bernoulli"),
        ([said(1, 1.0, 2.0)], {"loss": "log"}, SchemaError, "no density"),
        (
            [said(1, 1.0, 2.0)],
            {"loss": "pinball"},
            SchemaError,
            "crps, log, squared, or a function",
        ),
        ([said(1, 1.0, 2.0)], {"rule": "bma"}, SchemaError, "no density"),
        ([said(1, inf, 2.0)], {}, DistributionError, "within"),
        ([{"a": 1.0, "b": 2.0}], {}, SchemaError, "no 'id'"),
        (
            [said(1, Quantiles(TAUS, [0.0, 1.0, 2.0]), None)],
            {"rule": "stacking"},
            SchemaError,
            "no stacking",
        ),
        (
            [said(1, Quantiles(TAUS, [0.0, 1.0, 2.0]), None)],
            {"pool": "log_pool"},
            SchemaError,
            "one of vincent",
        ),
        ([said(1, GOOD, BAD), Label(1, "x")], {}, SchemaError, "is to be a number"),
        ([said(1, Bernoulli(0.5), None), Label(1, 2)], {}, SchemaError, "true or false"),
        ([said(1, Categorical([1.0]), None), Label(1, 2)], {}, SchemaError, "one of 1 classes"),
    ],
)
def test_what_is_wrong_with_elements_is_told(
    elements: list[Any], how: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        results(elements, ops.combine(["a", "b"], **how))


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"members": []}, PipelineError, "wants members"),
    ({"members": ["a", "a"]}, PipelineError, "another name"),
    ({"members": {"a": 3}}, PipelineError, "member 'a'"),
    ({"members": {"a": "column"}, "within": 1}, PipelineError, "member 'a'"),
    ({"rule": "best"}, ValueError, "one of fixed_share, hedge"),
    ({"rule": three}, ValueError, "a rule of 2 members"),
    ({"pool": "mean"}, ValueError, "one of linear_pool"),
    ({"loss": "mae"}, ValueError, "one of crps"),
    ({"scale": 0.0}, ValueError, "scale"),
    ({"share": 1.0}, ValueError, "share"),
    ({"rule": "bma", "loss": "crps"}, ValueError, "wants the log loss"),
    ({"rule": "hedge", "loss": "log"}, ValueError, "has an end"),
    ({"weights": [1, 2]}, ValueError, "learns its weights"),
    ({"rule": "ivw", "pool": "log_pool"}, ValueError, "learns nothing: pool="),
    ({"rule": "fixed", "combination": Combination()}, ValueError, "learns nothing"),
    ({"rule": "fixed", "weights": [0, 0]}, ValueError, "not all 0"),
    ({"rule": "fixed", "weights": [1, 2, 3]}, ValueError, "2 numbers"),
    ({"capacity": 0}, ValueError, "capacity"),
    ({"into": 3}, SchemaError, "named"),
    ({"expire": -1}, ValueError, "expire"),
]


@pytest.mark.parametrize(("how", "error", "words"), WRONG)
def test_what_is_wrong_with_settings_is_told_at_once(
    how: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        members(**how)
