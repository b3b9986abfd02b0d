"""A3: the intervals of River's jackknife, through the adapter: the digits of River's own example."""

from __future__ import annotations

from typing import Any

import pytest

from rxml.learning import RiverOnline
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
