"""Moments through models: one call, exact where that is promised, and facts are facts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import DistributionError, PipelineError
from rxml.uncertain import Alternatives, Beta, Interval, Mixture, Normal, Quantiles, Worlds
from tests.unit.models.propagating.counted import XY, Counted, curve

X = Schema.of(x="float64")
numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
variances = st.sampled_from([0.0, 1e-6, 0.25, 1.0, 9.0])


def normal(batch: Batch, name: str = "value") -> Normal:
    found = batch[name]
    assert isinstance(found, Normal)
    return found


@pytest.mark.parametrize("method", ["delta", "unscented"])
def test_the_model_is_called_once_for_all_points_of_all_rows(method: str) -> None:
    model = Counted(curve)
    batch = Batch(
        {"x": Normal([1.0, 2.0, 3.0], [1.0, 0.5, 0.0]), "y": Normal([1.0] * 3, [0.1] * 3)}
    )
    found = normal(models.propagated(model, method).predict(batch))
    assert model.calls == [5 * 3]
    assert len(found) == 3
    facts = Batch({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    models.propagated(model, method).predict(facts)
    assert model.calls == [15, 2]


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
@pytest.mark.parametrize("method", ["delta", "unscented"])
def test_facts_are_what_the_model_says_to_the_bit(method: str, rows: list[Any]) -> None:
    x, y = map(np.array, zip(*rows, strict=True))
    plain = Counted(curve).predict(Batch({"x": x, "y": y}))["value"]
    zero = np.zeros(len(x))
    with np.errstate(all="raise"):
        found = normal(
            models.propagated(Counted(curve), method).predict(
                Batch({"x": Normal(x, zero), "y": Normal(y, zero)})
            )
        )
    assert found.mean().tobytes() == plain.tobytes()
    assert not found.var().any()


@given(st.lists(st.tuples(numbers, variances, numbers, variances), min_size=1, max_size=6))
@pytest.mark.parametrize("method", ["delta", "unscented"])
def test_a_row_has_the_same_bits_whatever_rows_stand_beside_it(
    method: str, rows: list[Any]
) -> None:
    model = models.propagated(Counted(curve), method, explain=True)

    def scored(part: list[Any]) -> Batch:
        x, vx, y, vy = map(np.array, zip(*part, strict=True))
        return model.predict(Batch({"x": Normal(x, vx), "y": Normal(y, vy)}))

    alone = Batch.concat([scored([row]) for row in rows])
    assert scored(rows) == alone


@given(numbers, variances, st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_the_mean_of_a_polynomial_is_exact_up_to_degree_five(
    mean: float, var: float, c: list[int]
) -> None:
    def said(rows: Batch) -> Any:
        return sum(each * rows["x"] ** k for k, each in enumerate(c))

    model = Counted(said, inputs=X)
    found = normal(
        models.propagated(model, "unscented").predict(Batch({"x": Normal([mean], [var])}))
    )
    moments = [1.0, mean]
    for k in range(2, 6):
        moments.append(mean * moments[-1] + (k - 1) * var * moments[-2])
    scale = max(1.0, *(abs(a) for a in moments))
    assert found.mean()[0] == pytest.approx(np.dot(c, moments), rel=1e-9, abs=1e-9 * scale)


def test_the_variance_of_a_parabola_is_exact() -> None:
    model = Counted(lambda rows: rows["x"] ** 2, inputs=X)
    found = normal(models.propagated(model).predict(Batch({"x": Normal([0.0, 3.0], [2.0, 0.5])})))
    np.testing.assert_allclose(found.var(), [2 * 4.0, 4 * 9 * 0.5 + 2 * 0.25], rtol=1e-14)


def test_a_linear_model_is_closed_form_in_one_row_a_row() -> None:
    slopes = {"x": 2.0, "y": -0.5}
    model = Counted(lambda rows: 2 * rows["x"] - 0.5 * rows["y"] + 7, linear=slopes)
    batch = Batch({"x": Normal([1.0, 2.0], [0.25, np.inf]), "y": Normal([4.0, 4.0], [16.0, 0.0])})
    found = models.propagated(model, explain=True).predict(batch)
    assert model.calls == [2]
    value = normal(found)
    np.testing.assert_array_equal(value.mean(), [7.0, 9.0])
    np.testing.assert_array_equal(value.var(), [4 * 0.25 + 0.25 * 16, np.inf])
    np.testing.assert_array_equal(found["variance/input/x"], [1.0, np.inf])


def test_an_infinite_variance_has_no_part_where_the_slope_is_nothing() -> None:
    model = Counted(lambda rows: rows["x"] + 0 * rows["y"], linear={"x": 1.0, "y": 0.0})
    batch = Batch({"x": Normal([1.0], [2.0]), "y": Normal([0.0], [np.inf])})
    assert normal(models.propagated(model).predict(batch)).var().tolist() == [2.0]


@pytest.mark.parametrize("method", ["delta", "unscented"])
def test_what_nothing_is_known_of_widens_without_end_and_no_other_row(method: str) -> None:
    batch = Batch({"x": Normal([1.0, 1.0], [np.inf, 1.0]), "y": [2.0, 2.0]})
    with np.errstate(all="raise"):
        found = normal(models.propagated(Counted(curve), method).predict(batch))
    assert found.var()[0] == np.inf
    assert found.mean()[0] == 0.0
    assert np.isfinite(found.var()[1])


def test_nan_is_not_made_up_for() -> None:
    model = models.propagated(Counted(curve))
    found = model.predict(
        Batch({"x": np.array([1.0, np.nan]), "y": Normal([2.0, 2.0], [1.0, 1.0])})
    )
    holes = model.signature.holes(found)
    assert holes is not None
    assert holes.tolist() == [False, True]


@pytest.mark.parametrize(
    ("column", "mean", "var"),
    [
        (Beta([2.0], [2.0]), 0.5, 0.05),
        (Interval([1.0], [4.0]), 2.5, 0.75),
        (Interval([-1.0], [1.0], level=0.6826894921370859), 0.0, 1.0),
        (Mixture(np.log([[0.5, 0.5]]), [[0.0, 2.0]], [[1.0, 1.0]]), 1.0, 2.0),
        (Quantiles([0.15865525393145707, 0.8413447460685429], [[1.0, 5.0]]), 3.0, 4.0),
        (Worlds(np.array([[1.0], [3.0]])), 2.0, 1.0),
        (Alternatives([[1.0, 3.0]], [[0.5, 0.5]]), 2.0, 1.0),
    ],
    ids=lambda each: type(each).__name__,
)
def test_every_kind_of_a_number_goes_in(column: Any, mean: float, var: float) -> None:
    model = models.from_function(lambda rows: rows["x"], inputs=X)
    for method in ("delta", "unscented"):
        found = normal(models.propagated(model, method).predict(Batch({"x": column})))
        assert found.mean()[0] == pytest.approx(mean)
        assert found.var()[0] == pytest.approx(var)


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (Interval([1.0], [4.0], level=0.9, sort="conformal"), "input 'x': a conformal interval"),
        (Alternatives([[1.0, 3.0]], [[0.5, 0.4]]), "may be absent .* in row 0"),
        (Normal([1.0], [1.0]) > 0.0, "input 'x': bernoulli is no distribution of a number"),
    ],
)
def test_what_is_no_distribution_of_a_number_is_refused(column: Any, why: str) -> None:
    model = models.from_function(lambda rows: rows["x"], inputs=X)
    with pytest.raises(DistributionError, match=why):
        models.propagated(model).predict(Batch({"x": column}))


def test_moments_of_inputs_that_depend_on_each_other_are_refused() -> None:
    drawn = Worlds(np.array([[1.0], [2.0]]), world=np.array(7))
    with pytest.raises(DistributionError, match=r"may depend on each other .*models\.worlds"):
        models.propagated(Counted(curve)).predict(Batch({"x": drawn, "y": drawn}))


def test_labels_and_vectors_are_those_at_the_means() -> None:
    outputs = Schema(
        [Field("label", str), Field("both", np.float64, (2,)), Field("size", "float64")]
    )

    def said(rows: Batch) -> Any:
        x = rows["x"]
        label = np.where(x > 0, "up", "down").astype(object)
        return label, np.stack([x, -x], axis=1), np.abs(x)

    model = models.propagated(models.from_function(said, inputs=X, outputs=outputs))
    found = model.predict(Batch({"x": Normal([1.0, -2.0], [4.0, 4.0])}))
    assert found["label"].tolist() == ["up", "down"]
    assert found["both"].tolist() == [[1.0, -1.0], [-2.0, 2.0]]
    assert normal(found, "size").var().all()
    assert found.schema == model.signature.outputs


def test_a_float32_model_is_asked_in_float32() -> None:
    seen: list[Any] = []

    def said(rows: Batch) -> Any:
        seen.append(rows["x"].dtype)
        return rows["x"]

    model = Counted(said, inputs=Schema.of(x="float32"), outputs=Schema.of(value="float32"))
    found = normal(models.propagated(model).predict(Batch({"x": Normal([1.5], [4.0])})))
    assert seen == [np.dtype("float32")]
    assert found.var()[0] == pytest.approx(4.0)


def test_no_rows_are_no_rows() -> None:
    batch = Batch({"x": Normal(np.empty(0), np.empty(0)), "y": np.empty(0)})
    for method in ("delta", "unscented", "worlds(3)"):
        assert len(models.propagated(Counted(curve), method).predict(batch)) == 0


def test_what_cannot_be_is_refused_when_it_is_built() -> None:
    labels = models.from_function(lambda rows: rows["x"], inputs=X, outputs=Schema.of(label=str))
    with pytest.raises(PipelineError, match=r"gives no float.*positive="):
        models.propagated(labels)
    with pytest.raises(PipelineError, match=r"propagate is 'delta'.*got 'unscentd'"):
        models.propagated(Counted(curve), "unscentd")
    with pytest.raises(PipelineError, match="slope of each float input"):
        models.from_function(curve, inputs=XY, linear={"x": 1.0})
    with pytest.raises(ValueError, match="level"):
        models.unscented(level=1.0)
    with pytest.raises(ValueError, match="residual"):
        models.delta(residual=-1.0)
    outputs = Schema.of(value="float64", lower="float64", upper="float64")
    bounded = models.from_function(curve, inputs=XY, outputs=outputs, uncertainty="interval")
    with pytest.raises(PipelineError, match="level of the model's own intervals is not known"):
        models.propagated(bounded)
