"""evaluate: distributions of every kind are judged each by its own formula, and wait as such for their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import DistributionError, SchemaError
from rxml.evaluation.metrics import Metrics
from rxml.evaluation.scores import crps_column, pit_column
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.learning import Evaluation
from rxml.learning.evaluating.columns import needed
from rxml.testing.virtual_time import run
from rxml.uncertain import (
    Alternatives,
    Beta,
    Distribution,
    Interval,
    Mixture,
    Normal,
    Quantiles,
    Worlds,
)
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results, told

RNG = np.random.default_rng(0)
TRUTHS = np.array([0.2, -1.0, 0.9, 0.4])
COLUMNS: dict[str, Distribution] = {
    "normal": Normal(RNG.normal(size=4), [1.0, 2.0, 0.5, 0.0]),
    "mixture": Mixture(
        np.log(RNG.dirichlet(np.ones(3), 4)), RNG.normal(size=(4, 3)), np.ones((4, 3))
    ),
    "worlds": Worlds(RNG.normal(size=(6, 4))),
    "weighted": Worlds(RNG.normal(size=(6, 4)), np.log(RNG.dirichlet(np.ones(6)))),
    "quantiles": Quantiles([0.1, 0.5, 0.9], np.sort(RNG.normal(size=(4, 3)), axis=1)),
    "alternatives": Alternatives(RNG.normal(size=(4, 2)), np.full((4, 2), 0.5)),
    "beta": Beta([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 0.5]),
}
LABELS = [told(at, truth) for at, truth in enumerate(TRUTHS.tolist())]
every = pytest.mark.parametrize("name", COLUMNS)


def watched() -> Evaluation:
    return Evaluation(Metrics("crps_column", "pit_column", "mae"), every=1)


@every
def test_each_kind_is_scored_by_its_own_formula(name: str) -> None:
    column = COLUMNS[name]
    batch = Batch({"id": np.arange(4), "y": column})
    whole, alone = watched(), watched()
    where = {"distribution": "y", "prediction": "y"}
    flow = rxml.from_batches([batch]).pipe(
        ops.evaluate(whole, prediction=where, labels=rxml.from_iterable(LABELS))
    )
    run(flow.to_list())
    results([*batch.rows(), *LABELS], ops.evaluate(alone, prediction="y"))
    assert alone.now["crps_column"] == pytest.approx(crps_column(TRUTHS, column).mean())
    assert 0 <= alone.now["pit_column"] <= 1
    assert whole.now.values.keys() == alone.now.values.keys()
    places = pit_column(TRUTHS, column)
    assert ((places >= 0) & (places <= 1)).all()


def test_a_distribution_that_waits_keeps_no_others_alive() -> None:
    batch = Batch({"id": np.arange(1000), "y": Worlds(np.zeros((50, 1000)))})
    ((kept,),) = needed(batch[:1], ("truth", "distribution"), "y")
    values = kept.parameters()["values"]
    assert (values if values.base is None else values.base).size == 50


@every
def test_what_waits_is_saved(name: str) -> None:
    rows = list(Batch({"id": np.arange(4), "y": COLUMNS[name]}).rows())

    async def judged(store: MemoryStore) -> Any:
        evaluation = watched()
        flow = rxml.from_iterable([*rows, *LABELS]).pipe(ops.evaluate(evaluation, prediction="y"))
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            return evaluation.now

    assert run(judged(MemoryStore(2, 5))).values == run(judged(MemoryStore())).values


def test_what_is_no_distribution_is_refused_and_what_is_missing_left_out() -> None:
    evaluation = watched()
    for wrong in (1.0, Interval(0.0, 1.0, level=0.9)):
        with pytest.raises(SchemaError, match="distribution"):
            results([{"id": 0, "y": wrong}], ops.evaluate(evaluation, prediction="y"))
    with pytest.raises(DistributionError, match="a row has a distribution"):
        Metrics("crps_column").update({"truth": [1.0], "distribution": [2.0]})
    where = {"distribution": "y", "prediction": "p"}
    rows = [{"id": 0, "y": None, "p": 1.0}, {"id": 1, "y": Normal(0.0, 1.0), "p": 1.0}]
    labels = [told(0, 1.0), told(1, 1.0)]
    results([rows[0], labels[0]], ops.evaluate(evaluation, prediction=where))
    results([rows[1], labels[1]], ops.evaluate(evaluation, prediction=where))
    assert evaluation.now["crps_column"] == pytest.approx(
        crps_column([1.0], Normal([0.0], [1.0]))[0]
    )
