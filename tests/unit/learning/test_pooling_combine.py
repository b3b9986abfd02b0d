"""combine: weights that follow, who sleeps, keys, batches and rows, what is kept, told and saved."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import CheckpointError
from rxml.eventtime.keyed.keyed_kernel import Where
from rxml.eventtime.keying import Keying
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning import Combination, Label
from rxml.learning.pooling.kernel import Combining, Pooling, Teaching
from rxml.testing.virtual_time import run
from rxml.uncertain import Mixture, Normal, pool
from rxml.uncertain.calibration.labels import Ledger
from rxml.uncertain.pooling import FixedShare, Hedge
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rxml.batch.row import Row

K, LENGTH = 3, 160


def said(name: Any, a: Any, b: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "a": a, "b": b, **more}


def both(**how: Any) -> Any:
    settings: dict[str, Any] = {"weights_into": "w", **how}
    return ops.combine(["a", "b"], **settings)


def weights(rows: list[Row]) -> list[list[float]]:
    return [row["w"].tolist() for row in rows]


def regimes(length: int = LENGTH) -> list[Any]:
    """Three models, each the best one in a third of the rows: off by 0.15 or by 0.7 on average; labels come at once."""
    rng = np.random.default_rng(9)
    chance = np.repeat(np.where(np.eye(K) > 0, 0.15, 0.7), length, axis=0)
    wrong = rng.random(chance.shape) < chance
    elements: list[Any] = []
    for at, row in enumerate(wrong.tolist()):
        truth = float(at % 7)
        guesses = {f"m{model}": truth + off for model, off in enumerate(row)}
        elements += [{"id": at, "truth": truth, **guesses}, Label(at, truth)]
    return elements


def mean_error(rule: Any, elements: list[Any], **how: Any) -> float:
    """The mean absolute error of members, by the weights in use: the loss that rules promise something of."""
    names = [f"m{model}" for model in range(K)]
    rows = results(elements, ops.combine(names, rule, weights_into="w", **how))
    away: list[list[float]] = [[abs(row[name] - row["truth"]) for name in names] for row in rows]
    used: Any = np.array([row["w"] for row in rows])
    lost: Any = np.sum(used * away, axis=1)
    return float(lost.mean())


def test_fixed_share_is_near_the_oracle_of_three_regimes_and_hedge_is_not() -> None:
    elements = regimes()
    follows = mean_error("fixed_share", elements, share=0.01)
    assert follows <= 0.15 + 0.06
    assert mean_error(partial(Hedge, horizon=K * LENGTH), elements) >= 0.15 + 0.2
    assert mean_error("hedge", elements) >= follows + 0.05
    assert mean_error("fixed", elements[::2]) >= 0.15 + 0.3  # all alike


def test_the_pool_splits_its_variance_into_noise_and_disagreement() -> None:
    (row,) = results([said(1, Normal(1.0, 4.0), 3.0)], both())
    assert isinstance(row["value"], Mixture)
    within, between = row["value"].parts()
    assert (float(within), float(between)) == (2.0, 1.0)
    assert {name: row[name] for name in ("id", "b")} == {"id": 1, "b": 3.0}


def test_who_says_nothing_sleeps_and_keeps_its_place_among_the_others() -> None:
    elements = [
        said(1, 0.0, 5.0),
        Label(1, 0.0),
        said(2, 0.0, None),
        said(3, float("nan"), 5.0),
        {"id": 4, "b": 5.0},
        said(5, 0.0, Normal(0.0, np.inf)),
        Label(2, 9.0),
        Label(4, 99.0),
        said(6, None, None),
        said(7, 0.0, 5.0),
    ]
    found = results(elements, both(share=0.0))
    first, *asleep, nobody, last = weights(found)
    assert first == [0.5, 0.5]
    assert asleep == [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]
    assert nobody == [0.0, 0.0]
    assert float(found[-2]["value"].var()) == np.inf
    np.testing.assert_allclose(last, [1 / (1 + np.exp(-5)), 1 / (1 + np.exp(5))])


def test_a_label_teaches_by_the_weights_that_were_in_use_for_its_element() -> None:
    elements = [
        said("late", 0.0, None),
        said("also late", 1.0, 2.0),
        *(each for at in range(4) for each in (said(at, 0.0, 3.0), Label(at, 3.0))),
        Label("also late", 0.0),
        said("end", 0.0, 0.0),
    ]
    rule = FixedShare(2, share=0.125, keys=1)
    for _ in range(4):
        rule.update([0], [[3.0, 0.0]])
    rule.update([0], [[1.0, 2.0]], used=[[0.5, 0.5]])
    assert weights(results(elements, both(share=0.125)))[-1] == rule.weights([0])[0].tolist()


def test_each_key_has_weights_of_its_own_and_begins_anew_when_it_was_given_up() -> None:
    taught = [each for at in range(3) for each in (said(at, 0.0, 9.0, k="x"), Label(at, 0.0))]
    found = results([*taught, said(8, 0.0, 9.0, k="y"), said(9, 0.0, 9.0, k="x")], both(by="k"))
    fresh, known = weights(found)[-2:]
    assert fresh == [0.5, 0.5]
    assert known[0] > 0.99
    again = [*taught, said(8, 0.0, 9.0, k="y"), Label(2, 9.0), said(9, 0.0, 9.0, k="x")]
    forgotten = results(again, ops.key_by("k", max_keys=1), both())
    assert weights(forgotten)[-1] == [0.5, 0.5]


def equal(rows: list[Row], others: list[Row]) -> bool:
    return all(a["value"].equals(b["value"]) for a, b in zip(rows, others, strict=True))


def kernel() -> Combining:
    return Combining(
        Where(Keying("k", None, None, None), None),
        Pooling({"a": "a", "b": "b"}, None, "value", "w"),
        Teaching("fixed_share", lambda models: FixedShare(models, share=0.125), None),
        ids="id",
        ledger=lambda width: Ledger(width, 100),
        combination=None,
    )


def batch_of(rng: np.random.Generator, first: int, rows: int = 7) -> Batch:
    return Batch(
        {
            "id": np.arange(first, first + rows),
            "k": rng.integers(0, 2, rows),
            "a": Normal(rng.normal(size=rows), rng.random(rows)),
            "b": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)),
        }
    )


def test_batches_and_rows_give_the_same_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    together, alone = kernel(), kernel()
    for first in range(0, 28, 7):
        batch = batch_of(rng, first)
        labels = [Label(first + at - 3, float(rng.normal())) for at in range(7)]
        whole = together.push_all(batch)
        assert isinstance(whole, Batch)
        rows = [row for each in batch for row in alone.push_all([dict(each)])]
        assert weights(list(whole)) == weights(rows)
        assert equal(list(whole), rows)
        together.push_all(labels)
        for label in labels:
            alone.push_all([label])
    assert together.saved()["rule"]["log"].tolist() == alone.saved()["rule"]["log"].tolist()


@pytest.mark.parametrize("rule", ["linear_pool", "vincent", "hksj"])
def test_by_weights_that_stay_batches_and_rows_are_those_of_plain_columns(rule: str) -> None:
    batch = batch_of(np.random.default_rng(1), 0, 9)
    combined: Any = both(rule=rule, weights_into=None)
    rows = run(rxml.from_batches([batch]).pipe(combined).to_list())
    assert equal(rows, results(list(batch), combined))
    want = pool([batch["a"], batch["b"]], rule=rule)
    assert all(row["value"].equals(want.at(at)) for at, row in enumerate(rows))


def test_weights_that_stay_may_be_given() -> None:
    (row,) = results([said(1, 0.0, 4.0)], ops.combine(["a", "b"], "fixed", weights=[3, 1]))
    assert float(row["value"].mean()) == 1.0
    (row,) = results([said(1, None, 4.0)], ops.combine(["a", "b"], "fixed", weights=[3, 1]))
    assert float(row["value"].mean()) == 4.0


def test_where_nothing_is_learned_labels_go_on_to_who_hears_them() -> None:
    elements = [Label(0, 1.0), said(1, 0.0, 4.0), Label(1, 1.0), said(2, 0.0, 8.0)]
    first, one, second, two = results(elements, both(rule="linear_pool", weights_into=None))
    assert [first, second] == elements[::2]
    assert [float(row["value"].mean()) for row in (one, two)] == [2.0, 4.0]
    assert len(results(elements, both(pass_labels=True))) == 4


def test_labels_come_from_a_flow_beside() -> None:
    async def slowly() -> AsyncIterator[Any]:
        yield said(1, 0.0, 9.0)
        await asyncio.sleep(2)
        yield said(2, 0.0, 9.0)

    async def known() -> AsyncIterator[Any]:
        await asyncio.sleep(1)
        yield {"id": 1, "value": 0.0}

    labels = rxml.from_async_iterable(known)
    rows = run(rxml.from_async_iterable(slowly).pipe(both(labels=labels)).to_list())
    assert [row["w"][0] > 0.99 for row in rows] == [False, True]


def test_sleepers_extremes_and_late_labels_leave_no_warning() -> None:
    rows = [
        said(1, Normal(0.0, 1e-300), None),
        said(2, Normal(1e100, 1e200), Normal(-1e100, 1e-200)),
        said(3, None, None),
        said(4, Normal(0.0, np.inf), 0.0),
        said(5, Normal(1.0, 4.0), Normal(2.0, 1.0)),
    ]
    labels = [Label(at, 1e3) for at in (3, 1, 2, 5, 4)]
    with np.errstate(all="raise"):
        found = results([*rows, *labels, said(6, Normal(0.0, 1.0), 1.0)], both(share=0.125))
        used = [sum(each) for each in weights(found)]
    np.testing.assert_allclose(used, [1.0, 1.0, 0.0, 1.0, 1.0, 1.0])


def test_what_is_saved_goes_on_as_if_nothing_had_happened() -> None:
    elements = [
        each
        for at in range(8)
        for each in (said(at, Normal(0.0, 1.0), 2.0 + at), Label(at - 2, 0.5))
    ]

    async def known(store: MemoryStore) -> list[Any]:
        out: dict[Any, Any] = {}
        combination = Combination()

        def keep(each: Any) -> None:
            out[each["id"]] = [*each["w"].tolist(), float(each["value"].mean())]

        flow = rxml.from_iterable(elements).pipe(
            both(combination=combination, share=0.125), ops.do_action(keep)
        )
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            return [out, combination.now]

    once = run(known(MemoryStore()))
    assert run(known(MemoryStore(*range(1, 12)))) == once
    assert once[1].labels == 6


def test_a_state_of_other_members_is_refused() -> None:
    store = MemoryStore(1)
    saved = Checkpoint(store, every=None, elements=1)
    rows = rxml.from_iterable([said(1, 0.0, 1.0), said(2, 0.0, 1.0)])
    with pytest.raises(Died):
        run(rows.pipe(both()).run(checkpoint=saved))
    with pytest.raises(CheckpointError, match="combine: fixed_share of a, b by id"):
        run(rows.pipe(ops.combine(["b", "a"])).run(checkpoint=saved))


def test_a_combination_tells_weights_and_losses_by_key() -> None:
    combination = Combination(keys=2)
    elements = [
        said(1, 0.0, 4.0, k="x"),
        said(2, 0.0, 4.0, k="y"),
        said(3, 0.0, None, k="x"),
        said(4, 0.0, 4.0, k="z"),
    ]
    taught = both(by="k", combination=combination, share=0.0)
    assert combination.by_key == {}
    results([*elements, Label(1, 1.0), Label(3, 3.0), Label(2, 4.0)], taught)
    x = combination.by_key["x"]
    assert (x.labels, x.losses) == (2, {"a": 2.0, "b": 3.0})
    assert x.weights["a"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert combination.now is not None
    assert combination.now.key == "y"
    assert (combination.now.counts.predicted, combination.now.counts.labelled) == (4, 3)
    results([*elements, Label(4, 0.0)], taught)
    assert list(combination.by_key) == ["y", "z"]


def test_reports_flow_to_whoever_reads_them() -> None:
    combination = Combination()
    elements = [each for at in range(3) for each in (said(at, 0.0, 4.0), Label(at, 0.0))]
    results(elements, both(combination=combination))
    reports = run(combination.weights.pipe(ops.take(1)).to_list())
    assert reports[0].key is None
    assert 1 <= reports[0].labels <= 3
