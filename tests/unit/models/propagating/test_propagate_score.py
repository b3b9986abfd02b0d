"""`score(propagate=)`: rows and columns, facts among distributions, swaps, threads, processes and what is refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import models, wire
from rxml import operators as ops
from rxml.batch import Batch, Field, Schema
from rxml.engines import processes
from rxml.errors import DistributionError, ModelError, PipelineError, SchemaError
from rxml.models import Release
from rxml.models.scoring.intake import intake_of
from rxml.models.scoring.scales import Scales
from rxml.testing.virtual_time import run
from rxml.uncertain import Draws, Interval, Normal, Worlds
from tests.unit.models.propagating.counted import Counted, curve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

X = Schema.of(x="float64")
HOW = ["delta", "unscented", "worlds(4)"]


def scored(elements: list[Any], model: Any = None, **how: Any) -> list[Any]:
    operator = ops.score(model or Counted(curve), on=how.pop("on", models.on_loop()), **how)
    return asyncio.run(rxml.of(*elements).pipe(operator).to_list())


def row(i: int, x: Any, y: Any = 2.0) -> dict[str, Any]:
    return {"x": x, "y": y, "id": i}


MIXED = [
    row(0, 1.5),
    row(1, Normal(1.0, 0.5)),
    row(2, Normal(1.0, 0.5), Interval(0.0, 1.0, level=0.9)),
    row(3, 2, Interval(0.0, 1.0)),
    row(4, Normal(2.0, 0.0), 7.0),
]


@pytest.mark.parametrize("method", HOW)
def test_rows_of_facts_and_of_several_kinds_go_together(method: str) -> None:
    together = scored(MIXED, propagate=method, max_batch=8)
    assert together == [each for one in MIXED for each in scored([one], propagate=method)]
    kind = Worlds if "worlds" in method else Normal
    assert all(isinstance(each.value, kind) for each in together)
    assert together[0].value.mean() == pytest.approx(1.5 * 1.5 * 2 - 2)


@pytest.mark.parametrize("method", HOW)
def test_they_are_asked_for_in_one_call(method: str) -> None:
    inner = Counted(curve)
    model = models.propagated(inner, method)
    model.predict(intake_of(model.signature).batch(MIXED))
    assert inner.calls == [5 * (4 if "worlds" in method else 5)]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_batches_cut_anyhow_are_answered_alike(sizes: list[int]) -> None:
    n = sum(sizes)
    whole = Batch(
        {
            "x": Normal(np.linspace(-1, 1, n), np.linspace(0, 2, n)),
            "y": np.arange(n, dtype=np.float64),
            "id": np.arange(n),
        }
    )
    ends = np.cumsum([0, *sizes]).tolist()
    cuts = [whole[a:b] for a, b in pairwise(ends)]
    for method in HOW:
        model = models.propagated(Counted(curve), method)
        parts = [model.predict(cut) for cut in cuts]
        assert Batch.concat(parts) == model.predict(whole)


def test_batches_and_rows_of_different_kinds_are_joined() -> None:
    signature = models.propagated(Counted(curve), "worlds(4)").signature
    intake = intake_of(signature)
    first = Batch({"x": Normal([1.0], [2.0]), "y": [1.0], "id": [7]})
    second = Batch({"x": np.array([3]), "y": Interval([0.0], [1.0]), "id": ["seven"]})
    found = intake.batch([first, second, row(9, 4.0, 5.0)])
    assert isinstance(found["x"], Normal)
    assert found["x"].var().tolist() == [2.0, 0.0, 0.0]
    assert found["y"].dtype == object
    assert found["id"].tolist() == [7, "seven", 9]
    assert found["y"][1].equals(Interval(0.0, 1.0))


@dataclass
class Version:
    """An edition whose model multiplies."""

    factor: int

    @property
    def release(self) -> Release:
        return Release("times", str(self.factor))

    def load(self) -> models.Model:
        factor = float(self.factor)
        return models.from_function(lambda rows: factor * rows["x"], inputs=X, linear={"x": factor})


def uncertain(i: int) -> dict[str, Any]:
    return {"x": Normal(float(i), 3.0)}


def test_a_swap_keeps_it() -> None:
    async def versions() -> AsyncIterator[Version]:
        yield Version(1)
        await asyncio.sleep(5)
        yield Version(2)
        await asyncio.sleep(1e6)

    rows = rxml.interval(1.0).pipe(ops.take(10), ops.map(uncertain))
    flow = rxml.from_async_iterable(versions)
    told = run(
        rows.pipe(
            ops.score(flow, on=models.on_loop(), propagate="unscented", explain=True)
        ).to_list()
    )
    assert {each["version"] for each in told} == {"1", "2"}
    for i, each in enumerate(told):
        factor = int(each["version"])
        assert each.value.equals(Normal(float(factor * i), factor * factor * 3.0))
        assert models.explain(each).made_by["version"] == str(factor)


@pytest.mark.parametrize("method", HOW)
def test_threads_answer_as_the_loop_does(method: str) -> None:
    assert scored(MIXED, propagate=method, on=models.threads(2)) == scored(MIXED, propagate=method)


def double(rows: Batch) -> Any:
    return 2 * rows["x"]


@pytest.mark.parametrize("method", [models.unscented(residual=0.5), models.worlds(4, seed=9)])
def test_its_recipe_makes_the_same_model(method: Any) -> None:
    model = models.propagated(models.from_function(double, inputs=X), method, explain=True)
    batch = Batch({"x": Normal([1.0, 2.0, 3.0], [0.5, 0.0, 2.0]), "id": np.array([1, 2, 3])})
    recipe = model.recipe()
    module, _, name = recipe.loader.partition(":")
    made = getattr(import_module(module), name)(*wire.loads(wire.dumps(list(recipe.arguments))))
    assert made.signature == model.signature
    assert made.predict(wire.loads(wire.dumps(batch))) == model.predict(batch)


def test_a_model_that_is_not_portable_is_refused_by_processes() -> None:
    class Own:
        signature = models.Signature(X, Schema.of(value="float64"))
        digest = ""

        def predict(self, batch: Batch) -> Batch:
            return Batch({"value": batch["x"]})

    with pytest.raises(ModelError, match=r"Own has no recipe\(\).*on the loop or in a thread"):
        scored([{"x": 1.0}], Own(), propagate="unscented", on=processes(1))


def refusal(element: Any) -> Exception | None:
    """What the intake says, which asks for each row alone before the model is to blame."""
    try:
        intake_of(models.propagated(Counted(curve)).signature).batch([element])
    except SchemaError as error:
        return error
    return None


def test_a_bad_row_fails_alone_and_those_before_it_are_answered() -> None:
    rows = [
        row(0, Normal(1.0, 1.0)),
        row(1, Interval(0.0, 1.0, level=0.9, sort="conformal")),
        row(2, Normal(2.0, 1.0)),
    ]
    for one, why in zip(rows, (None, "no distribution", None), strict=True):
        failed = refusal(one)
        assert (failed is None) == (why is None)
        assert why is None or why in str(failed)
    seen: list[Any] = []
    operator = ops.score(Counted(curve), on=models.on_loop(), propagate="unscented")
    flow = rxml.of(*rows).pipe(operator, ops.do_action(seen.append))
    with pytest.raises(DistributionError, match="input 'x': a conformal interval tells no dist"):
        asyncio.run(flow.to_list())
    assert [each.value.mean() for each in seen] == [2.0]


@pytest.mark.parametrize("method", HOW)
def test_nan_is_refused_as_it_is_without_propagation(method: str) -> None:
    rows = [row(0, Normal(1.0, 1.0)), row(1, float("nan"))]
    with pytest.raises(ModelError, match="must be finite"):
        scored(rows, propagate=method)


@pytest.mark.parametrize(
    ("element", "why"),
    [
        ({"x": Normal(1.0, 1.0), "id": 1}, "'y'"),
        ({"x": Normal(1.0, 1.0), "y": "no", "id": 1}, "'y'"),
        (
            row(1, Normal(1.0, 1.0) > 0.0),
            "row 0 is bernoulli: input 'x' is float64, or one of alternatives, beta",
        ),
        (
            row(1, Normal([1.0, 2.0], [1.0, 1.0])),
            r"row 0 is normal\(2,\): input 'x' is float64, or one of",
        ),
        ({"x": Normal(1.0, 1.0), "y": 1.0}, "input 'id'|'id'"),
    ],
)
def test_rows_that_do_not_fit_are_told_so(element: Any, why: str) -> None:
    with pytest.raises((SchemaError, DistributionError), match=why):
        scored([element], propagate="worlds(4)")


def test_what_is_known_of_the_elements_is_checked_before_anything_runs() -> None:
    plain = models.from_function(double, inputs=X).signature
    offered = Schema([Field("x", object, kind="normal")])
    assert "score(..., propagate='unscented')" in str(plain.refusal(offered))
    assert (
        models.propagated(models.from_function(double, inputs=X)).signature.refusal(offered) is None
    )
    whole = models.from_function(double, inputs=Schema.of(x="int64")).signature
    assert whole.refusal(offered) == "input 'x' is normal, the model wants int64"
    drawn = models.propagated(models.from_function(double, inputs=X), "worlds(4)").signature
    for ids, fits in (("int64", True), ("uint8", True), (str, True), ("float64", False)):
        given_ = Schema([*offered.values(), Field("id", ids)])
        assert (drawn.refusal(given_) is None) == fits
    assert "'id'" in str(drawn.refusal(offered))


def test_explain_wants_propagate() -> None:
    with pytest.raises(PipelineError, match=r"score\(explain=True\) wants propagate="):
        ops.score(Counted(curve), explain=True)


def test_answers_in_many_worlds_weigh_what_they_hold() -> None:
    signature = models.propagated(Counted(curve), "worlds(1000)").signature
    value = Worlds(np.zeros(1000), world=Draws(0, 1000).key)
    scales = Scales(signature)
    assert scales.answer(Batch({"value": Worlds(np.zeros((1000, 2)))})) >= 2 * value.nbytes
    drawn = {"x": Worlds(np.zeros(1000)), "y": 1.0, "id": 1}
    assert scales.coming(drawn) > scales.coming(row(1, 1.0)) + 7000
