"""Metrics of rows at the edges of float64: nothing warns, bounds are in order, what is infinite is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.evaluation.metrics import Mean, Metrics
from tests.unit.evaluation.metrics.streams import MODES, OF_LABELS, OF_NUMBERS, normals

if TYPE_CHECKING:
    from collections.abc import Iterator

SURE = st.sampled_from([0.0, 1e-300, 1e-17, 0.5, 1 - 1e-16, 1.0])
FAR = st.sampled_from([0.0, 1e-300, -1.0, 1e6, -1e200, 1e300])
WIDE = st.sampled_from([1e-300, 1e-9, 1.0, 1e300])


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def in_order(metrics: Metrics) -> None:
    values = metrics.values()
    for name, (low, high) in metrics.intervals(0.9).items():
        assert not np.isnan([low, high]).any(), name
        assert (low <= high).all(), name
        known = ~np.isnan(values[name])
        assert (low[known] <= values[name][known] + 1e-9).all(), name
        assert (values[name][known] <= high[known] + 1e-9).all(), name


@pytest.mark.parametrize("mode", MODES, ids=str)
@settings(max_examples=6)
@given(rows=st.lists(st.tuples(SURE, st.booleans()), min_size=1, max_size=20))
def test_sure_probabilities(mode: dict[str, Any], rows: list[tuple[float, bool]]) -> None:
    metrics = Metrics(*OF_LABELS, **mode)
    p, truth = (np.array(column) for column in zip(*rows, strict=True))
    metrics.update({"truth": truth, "probability": p, "prediction": p > 0.5})
    in_order(metrics)
    assert np.isfinite(metrics.values()["log_loss"]).all()


@pytest.mark.parametrize("mode", MODES, ids=str)
@settings(max_examples=6)
@given(rows=st.lists(st.tuples(FAR, FAR, WIDE), min_size=1, max_size=20))
def test_far_numbers(mode: dict[str, Any], rows: list[tuple[float, float, float]]) -> None:
    metrics = Metrics(*OF_NUMBERS, **mode)
    truth, mean, var = (np.array(column) for column in zip(*rows, strict=True))
    columns = {"truth": truth, "prediction": mean, "mean": mean, "var": var}
    columns["distribution"] = normals(mean, var)
    metrics.update(
        {**columns, "lower": mean - var / 4, "upper": mean + var / 4, "level": 0.9, "tau": 0.2}
    )
    in_order(metrics)


def test_a_hundred_thousand_rows_are_as_exact_as_one_sum() -> None:
    x = np.random.default_rng(0).normal(1e6, 1.0, 100_000)
    metrics = Metrics("mae", "accuracy")
    metrics.update({"truth": x, "prediction": np.zeros(100_000)})
    mae = metrics["mae"]
    assert isinstance(mae, Mean)
    moments = mae.moments()
    assert moments.mean[0] == pytest.approx(x.mean(), rel=1e-14)
    assert moments.var[0] == pytest.approx(x.var(ddof=1), rel=1e-9)
    low, high = metrics["accuracy"].interval()
    assert low[0] == 0.0
    assert 0 < high[0] < 5e-5


def test_what_faded_long_ago_is_nothing() -> None:
    metrics = Metrics("accuracy", "f1", "ece", fading=0.5)
    row = {"truth": [True], "prediction": [True], "probability": [0.9]}
    metrics.update(row)
    other = {"truth": [False] * 3000, "prediction": [True] * 3000, "probability": [0.2] * 3000}
    metrics.update(other)
    values = metrics.values()
    assert [values[name][0] for name in ("accuracy", "f1")] == [0.0, 0.0]
    assert values["ece"][0] == pytest.approx(0.2)
    in_order(metrics)
