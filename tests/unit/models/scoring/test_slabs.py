"""Rows of batches are as many at a time as rows by themselves would be, and come out as if nothing were."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.testing.virtual_time import run
from tests.unit.models.scoring.places import Timed


def picky(rows: Batch) -> Any:
    if (rows["x"] % 7 == 3).any():
        raise ValueError("a three")
    return 2 * rows["x"]


MODEL = models.from_function(picky, inputs=Schema.of(x="float64"))


def test_a_large_batch_holds_the_loop_no_longer_than_rows_do() -> None:
    place = Timed(base=0.0, row=0.001, hold=0.02)
    double = models.from_function(lambda rows: 2 * rows["x"], inputs=Schema.of(x="float64"))
    flow = rxml.from_batches([Batch({"x": np.arange(1000.0)})]).pipe(ops.score(double, on=place))
    assert [row["value"] for row in run(flow.to_list())] == [2 * x for x in range(1000)]
    assert max(map(len, place.batches)) <= 32  # the guard doubles until it is over, once
    assert max(map(len, place.batches[6:])) <= 20


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    workers=st.integers(1, 3),
    most=st.integers(1, 20),
    chunk=st.integers(1, 30),
)
def test_slabs_and_rows_give_the_same(
    sizes: list[int], workers: int, most: int, chunk: int
) -> None:
    x = np.arange(float(sum(sizes)))
    cuts = np.cumsum([0, *sizes]).tolist()
    batches = [Batch({"x": x[a:b]}) for a, b in pairwise(cuts)]
    place = Timed(workers=workers, base=0.001)
    dead: list[Any] = []
    flow = rxml.from_batches(batches).pipe(
        ops.score(MODEL, on=place, max_batch=most, capacity=50),
        ops.supervise("resume", dead_letters=dead.append),
    )

    async def main() -> list[float]:
        async with flow.chunks(chunk) as chunks:
            return [row["value"] async for each in chunks for row in each.elements]

    assert run(main()) == [2 * each for each in x.tolist() if each % 7 != 3]
    assert len(dead) == int((x % 7 == 3).sum())
    assert max(map(len, place.batches)) <= most
