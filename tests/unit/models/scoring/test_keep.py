"""Predictions that keep columns of what was asked, so that labels find them."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import PipelineError, SchemaError
from rxml.flow.service import Service
from rxml.learning import Label

DOUBLE = models.from_function(lambda rows: 2 * rows["x"], inputs=Schema.of(x="float64"))


def test_a_prediction_has_the_columns_that_are_kept() -> None:
    scored = rxml.of({"id": 7, "x": 1.0}, {"id": 8, "x": 2.0}).pipe(ops.score(DOUBLE, keep=["id"]))
    rows = asyncio.run(scored.to_list())
    assert [(row["id"], row.value) for row in rows] == [(7, 2.0), (8, 4.0)]


@pytest.mark.parametrize("rows", [3, 200])
def test_batches_keep_them_as_columns(rows: int) -> None:
    batch = Batch({"id": np.arange(rows), "x": np.ones(rows)})

    async def main() -> Any:
        async with Service(ops.score(DOUBLE, keep=["id"])) as service:
            return await service.ask(batch)

    answer = asyncio.run(main())
    assert answer["id"].tolist() == list(range(rows))
    assert answer["value"].tolist() == [2.0] * rows


def test_rows_of_batches_keep_them_too() -> None:
    batch = Batch({"id": np.arange(4), "x": np.ones(4)})
    flow = rxml.from_batches([batch]).pipe(ops.score(DOUBLE, keep=["id"]))
    assert [row["id"] for row in asyncio.run(flow.to_list())] == [0, 1, 2, 3]


def test_an_element_without_the_column_fails_alone() -> None:
    flow = rxml.of({"id": 1, "x": 1.0}, {"x": 2.0}, {"id": 3, "x": 3.0})
    kept = flow.pipe(ops.score(DOUBLE, keep=["id"]), ops.supervise("resume"))
    assert [row["id"] for row in asyncio.run(kept.to_list())] == [1, 3]
    with pytest.raises(SchemaError, match="no 'id'"):
        asyncio.run(flow.pipe(ops.score(DOUBLE, keep=["id"])).to_list())


@pytest.mark.parametrize("name", ["value", "model"])
def test_what_predictions_have_themselves_is_not_replaced(name: str) -> None:
    with pytest.raises(PipelineError, match=f"would replace '{name}'"):
        ops.score(DOUBLE, keep=[name])


def test_what_is_scored_can_be_calibrated() -> None:
    seen = [{"id": i, "x": float(i)} for i in range(30)]
    labels = [Label(i, 2.0 * i + (-1) ** i) for i in range(30)]

    async def main() -> list[Any]:
        scored = await rxml.from_iterable(seen).pipe(ops.score(DOUBLE, keep=["id"])).to_list()
        mixed = [x for pair in zip(scored, labels, strict=True) for x in pair]
        return await rxml.from_iterable(mixed).pipe(ops.calibrate(0.8)).to_list()

    last = asyncio.run(main())[-1]
    assert last["interval"].width == pytest.approx(2.0)
