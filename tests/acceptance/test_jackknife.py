"""A3: the intervals of River's jackknife, through the adapter: the digits of River's own example."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.evaluation.scores import interval_score
from rxml.learning import RiverOnline
from rxml.uncertain.calibration import ACI
from tests.acceptance.prequential import features, judged, labelled

conf: Any = pytest.importorskip("river.conf", reason="the extra river is not installed")
datasets: Any = pytest.importorskip("river.datasets")
linear: Any = pytest.importorskip("river.linear_model")
preprocessing: Any = pytest.importorskip("river.preprocessing")


def test_the_jackknife_of_river() -> None:
    batch = labelled(datasets.TrumpApproval())
    regressor = preprocessing.StandardScaler() | linear.LinearRegression(intercept_lr=0.1)
    wrapped = conf.RegressionJackknife(regressor, confidence_level=0.9)
    model = RiverOnline(wrapped, features(batch), level=0.9)
    got = judged(batch, model, ("coverage", "width"), size=64, prediction="interval")
    assert round(got["coverage"], 6) == 0.939061
    assert round(got["width"], 6) == 4.078361


def test_our_intervals_around_the_same_model_are_narrower_and_hold_as_often_as_they_say() -> None:
    """Of the rows from 100 on, with ACI of gamma 0.02: the jackknife has 0.950 for 0.90, 2.241 wide, and scores 2.436."""
    batch = labelled(datasets.TrumpApproval())
    regressor = preprocessing.StandardScaler() | linear.LinearRegression(intercept_lr=0.1)
    flow = rxml.from_iterable(batch).pipe(
        ops.with_event_time("at", unit="s"),
        ops.delayed_labels(0),
        ops.learn(RiverOnline(regressor, features(batch)), pass_labels=True),
        ops.calibrate(0.9, method=lambda level: ACI(level, gamma=0.02)),
    )
    rows = asyncio.run(flow.to_list())[100:]
    truth = batch["y"][100:]
    bounds = Batch.from_rows({"interval": row["interval"]} for row in rows)["interval"]
    assert np.mean((bounds.lo <= truth) & (truth <= bounds.hi)) == pytest.approx(0.9, abs=0.01)
    assert bounds.width.mean() <= 1.40
    assert interval_score(truth, bounds.lo, bounds.hi, 0.9).mean() <= 1.90
