"""A6: intervals around an autoregression of Elec2's demand keep their share, in the long run and locally."""

from __future__ import annotations

import asyncio
import os
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.learning import Label, RecursiveLeastSquares
from rxml.uncertain.calibration import ACI

FOLDER = Path(os.environ.get("RXML_ACCEPTANCE_DATA", ""))
ROWS, ORDER, BURN_IN = 2000, 3, 300
DEMAND = 2  # the column of nswdemand


def adaptive(level: float) -> ACI:
    """All scores so far count, and what none of them bounds is as wide as the largest: as it was published."""
    return ACI(level, gamma=0.05, window=ROWS, on_unbounded="max")


@pytest.mark.slow
@pytest.mark.skipif(
    not (FOLDER / "elec.csv").is_file(),
    reason="RXML_ACCEPTANCE_DATA names no folder with elec.csv: run `make acceptance`",
)
def test_intervals_of_an_autoregression_on_elec2() -> None:
    demand = np.loadtxt(
        FOLDER / "elec.csv", delimiter=",", skiprows=1, max_rows=ROWS, usecols=DEMAND
    )
    names = [f"lag{lag}" for lag in range(1, ORDER + 1)]
    seen: list[Any] = []
    for at in range(ORDER, ROWS):
        lags = dict(zip(names, demand[at - ORDER : at][::-1].tolist(), strict=True))
        seen += [{"id": at, **lags}, Label(at, float(demand[at]))]
    flow = rxml.from_iterable(seen).pipe(
        ops.learn(RecursiveLeastSquares(names, ridge=1e-3), pass_labels=True),
        ops.calibrate(0.9, method=adaptive),
    )
    rows = asyncio.run(flow.to_list())[BURN_IN - ORDER :]
    truth = demand[BURN_IN:]
    lower, upper = (
        np.array([getattr(row["interval"], end) for row in rows]) for end in ("lo", "hi")
    )
    missed = (truth < lower) | (truth > upper)
    local = 1 - np.convolve(missed, np.full(200, 1 / 200), "valid")
    longest = max(len(list(run)) for is_miss, run in groupby(missed.tolist()) if is_miss)
    assert abs(missed.mean() - 0.1) <= 0.01
    assert (upper - lower).mean() <= 0.092
    assert longest <= 4
    assert local.min() >= 0.85
    assert local.max() <= 0.95
