"""The law of total variance: inputs, model and residual, against Monte Carlo and against what is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import PipelineError
from rxml.models import Explanation, explain
from rxml.uncertain import Draws, Mixture, Normal
from tests.unit.models.propagating.counted import XY, Counted, curve

X = Schema.of(x="float64")
NORMAL = Schema([Field("value", object, kind="normal")])
BOUNDED = Schema.of(value="float64", lower="float64", upper="float64")


def spreading(rows: Batch) -> Any:
    """A normal whose mean and variance depend on the input."""
    x = rows["x"]
    return Normal(x**2, 0.5 + 0.1 * x**2)


def explained(model: Any, batch: Batch, method: Any = "unscented") -> Explanation:
    found = models.propagated(model, method, explain=True).predict(batch)
    return explain(found[0])


def test_the_law_against_monte_carlo() -> None:
    model = Counted(spreading, inputs=X, outputs=NORMAL, uncertainty="distribution")
    told = explained(model, Batch({"x": Normal([2.0], [0.25])}))
    draws = Draws(1, 200_000)
    x = 2 + 0.5 * draws.normal("x", np.array([1]))[:, 0]
    y = x**2 + np.sqrt(0.5 + 0.1 * x**2) * draws.normal("noise", np.array([1]))[:, 0]
    assert told.mean == pytest.approx(y.mean(), rel=0.005)
    assert told.variance == pytest.approx(y.var(), rel=0.02)
    assert told.model == pytest.approx(0.5 + 0.1 * (4 + 0.25), rel=1e-12)
    assert told.inputs["x"] == pytest.approx(4 * 4 * 0.25 + 2 * 0.25**2, rel=1e-12)


def test_parts_add_up_to_the_variance_of_the_prediction() -> None:
    model = Counted(spreading, inputs=X, outputs=NORMAL, uncertainty="distribution")
    batch = Batch({"x": Normal([2.0, -1.0], [0.25, 3.0])})
    for method in (models.unscented(residual=0.7), models.delta(residual=0.7)):
        found = models.propagated(model, method, explain=True).predict(batch)
        for row in found:
            assert explain(row).variance == pytest.approx(row["value"].var(), rel=1e-14)
            assert row["variance/residual"] == 0.7


def test_worlds_tell_the_same_but_for_what_few_draws_hide() -> None:
    model = Counted(spreading, inputs=X, outputs=NORMAL, uncertainty="distribution")
    batch = Batch({"x": Normal([2.0], [0.25]), "id": [1]})
    exact = explained(model, batch, models.unscented(residual=0.7))
    drawn = models.propagated(model, models.worlds(4096, residual=0.7), explain=True).predict(batch)
    told = explain(drawn[0])
    assert told.variance == pytest.approx(exact.variance, rel=0.02)
    assert told.model == pytest.approx(exact.model, rel=0.02)
    assert drawn["value"].var()[0] == pytest.approx(exact.variance, rel=0.1)
    assert told.together == pytest.approx(2 * 0.25**2, rel=0.2)  # what a line does not explain


def test_what_inputs_do_together_is_told_by_worlds_only() -> None:
    model = models.from_function(lambda rows: rows["x"] * rows["y"], inputs=XY)
    batch = Batch({"x": Normal([0.0], [1.0]), "y": Normal([0.0], [1.0]), "id": [1]})
    told = explained(model, batch, models.worlds(4096))
    assert told.together == pytest.approx(1.0, rel=0.15)
    assert sum(told.inputs.values()) < 0.05
    assert explained(model, batch).variance == 0.0


def test_intervals_of_the_model_are_its_variance() -> None:
    def said(rows: Batch) -> Any:
        x = rows["x"]
        return x, x - 1.6448536269514722, x + 1.6448536269514722

    model = Counted(said, inputs=X, outputs=BOUNDED, uncertainty="interval")
    dressed = models.propagated(model, models.unscented(level=0.9), explain=True)
    found = dressed.predict(Batch({"x": Normal([1.0], [3.0])}))
    assert tuple(dressed.signature.outputs)[:1] == ("value",)
    assert "lower" not in dressed.signature.outputs
    assert dressed.signature.uncertainty == "distribution"
    told = explain(found[0])
    assert told.model == pytest.approx(1.0)
    assert told.variance == pytest.approx(4.0)


def test_a_mixture_tells_the_model_from_the_residual() -> None:
    def said(rows: Batch) -> Any:
        x = rows["x"][:, None]
        return Mixture(
            np.log(np.full((len(x), 2), 0.5)), np.add(x, [[-1.0, 1.0]]), np.full((len(x), 2), 0.3)
        )

    outputs = Schema([Field("value", object, kind="mixture")])
    model = Counted(said, inputs=X, outputs=outputs, uncertainty="distribution")
    told = explained(model, Batch({"x": Normal([1.0], [2.0])}))
    assert told.input == pytest.approx(2.0)
    assert told.model == pytest.approx(1.0)
    assert told.residual == pytest.approx(0.3)


def test_noisier_inputs_never_narrow_a_linear_output() -> None:
    model = Counted(lambda rows: 3 * rows["x"], inputs=X, linear={"x": 3.0})
    found = models.propagated(model).predict(
        Batch({"x": Normal(np.zeros(50), np.linspace(0, 9, 50))})
    )
    assert (np.diff(found["value"].var()) > 0).all()


def test_an_explanation_in_words() -> None:
    model = models.propagated(Counted(curve), models.unscented(residual=1.0), explain=True)
    row = model.predict(Batch({"x": Normal([1.0], [1.0]), "y": [2.0]}))[0]
    told = explain(
        {
            **row,
            "model": "curve",
            "version": "3",
            "digest": "sha256:ab",
            "rung": "primary",
            "reason": "",
        }
    )
    assert str(told).splitlines() == [
        "2 +- 5 by curve@3 sha256:ab",
        "  input x               96.0 %  variance 24",
        "  input y                0.0 %  variance 0",
        "  model                  0.0 %  variance 0",
        "  residual               4.0 %  variance 1",
    ]
    fallen = explain({**row, "model": "curve", "rung": "cache", "reason": "it hangs"})
    assert "  cache: it hangs" in str(fallen)
    vacuous = model.predict(Batch({"x": Normal([1.0], [np.inf]), "y": [2.0]}))[0]
    assert "input x              100.0 %" in str(explain(vacuous))
    fact = models.propagated(Counted(curve), explain=True).predict(Batch({"x": [1.0], "y": [2.0]}))[
        0
    ]
    assert str(explain(fact)).startswith("0 +- 0 by a model\n")


def test_what_tells_no_parts_is_not_explained() -> None:
    row = models.propagated(Counted(curve)).predict(Batch({"x": [1.0], "y": [2.0]}))[0]
    with pytest.raises(
        PipelineError, match=r"does not tell what its variance is made of.*explain=True"
    ):
        explain(row)
    labels = Schema([Field("label", str), Field("size", "float64")])
    both = models.from_function(lambda rows: (rows["x"], rows["x"]), inputs=X, outputs=labels)
    with pytest.raises(PipelineError, match="'label', is no float"):
        models.propagated(both, explain=True)
