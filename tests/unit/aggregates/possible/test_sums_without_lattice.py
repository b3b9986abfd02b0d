"""Sums of values that are no multiples of anything: what is said of their error holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.batch import Batch
from rxml.testing import run
from rxml.uncertain import Bernoulli
from rxml.windows import count


@pytest.mark.parametrize("rows", [3, 5, 10])
def test_the_truth_is_within_the_error(rows: int) -> None:
    dice = np.random.default_rng(rows)
    chances, values = dice.uniform(0.1, 0.9, (8, rows)), np.exp(dice.normal(0, 1.5, (8, rows)))
    batch = Batch({"presence": Bernoulli(chances.ravel()), "v": values.ravel()})
    windowed = ops.window(count(rows)).aggregate(s=pw.sum("v"))
    found = run(rxml.from_iterable(batch.rows()).pipe(windowed).to_list())
    for window, p, v in zip(Batch.from_rows(found).rows(), chances, values, strict=True):
        assert distance(window["s"], p, v) <= window["s_error"] < 1


def distance(said: Any, p: np.ndarray[Any, Any], v: np.ndarray[Any, Any]) -> float:
    """The greatest difference of the two cumulative distributions."""
    there = np.indices((2,) * len(p)).reshape(len(p), -1).T
    sums, weights = there @ v, np.where(there, p, 1 - p).prod(axis=1)
    parts = said.parameters()
    at = np.concatenate([sums, parts["values"]])
    signed = np.concatenate([weights, -parts["p"]])
    order = np.argsort(at)
    last = np.append(np.diff(at[order]) > 1e-9, np.True_)  # of equal sums
    return float(np.abs(np.cumsum(signed[order]))[last].max())
