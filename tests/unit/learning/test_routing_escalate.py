"""escalate: those that are least sure are answered by a bigger model, never more than the budget, and nobody goes without."""

from __future__ import annotations

import asyncio
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import PipelineError, SchemaError
from rxml.flow.service import Service
from rxml.testing.virtual_time import run
from rxml.uncertain import Categorical, Interval, Normal, Quantiles
from tests.unit.learning.labelled import results
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

X = Schema.of(x="float64")
TENFOLD = models.from_function(lambda rows: 10 * rows["x"], inputs=X)


def unsure(x: float, u: Any, **more: Any) -> dict[str, Any]:
    return {"x": x, "value": -x, "u": u, **more}


def bigger(**how: Any) -> Operator[Any, Any]:
    settings: dict[str, Any] = {"when": "u", "on": models.on_loop(), "budget": 1.0, **how}
    return ops.escalate(settings.pop("to", TENFOLD), **settings)


def values(rows: list[Any]) -> list[float]:
    return [row["value"] for row in rows]


KINDS: list[tuple[Any, Any, Any]] = [
    (0.1, 0.9, 0.5),
    (0.1, nan, 0.5),
    (Normal(0.0, 1.0), Normal(0.0, 9.0), 2.0),
    (Interval(0.0, 1.0, level=0.9), Interval(0.0, 3.0, level=0.9), 2.0),
    (Quantiles([0.1, 0.9], [0.0, 1.0]), Quantiles([0.1, 0.9], [0.0, 3.0]), 2.0),
    (Categorical([0.9, 0.1]), Categorical([0.6, 0.4]), 0.3),
    (np.array([0.9, 0.1]), np.array([0.4, 0.6]), 0.3),
    (False, True, None),
    (np.array([False, True, False]), np.array([True, True, False]), None),
    (np.array([False, True, False]), np.array([False, False, False]), None),
]


@pytest.mark.parametrize(("sure", "not_sure", "above"), KINDS)
def test_whatever_tells_how_unsure_an_answer_is(sure: Any, not_sure: Any, above: Any) -> None:
    rows = [unsure(1.0, sure), unsure(2.0, not_sure), unsure(3.0, sure)]
    found = results(rows, bigger(above=above))
    assert values(found) == [-1.0, 20.0, -3.0]
    assert [row["rung"] for row in found] == ["primary", "escalated", "primary"]
    assert [row["reason"] for row in found] == [""] * 3


def test_never_more_than_the_budget_and_those_that_are_least_sure() -> None:
    rng = np.random.default_rng(8)
    doubts = rng.random(2000).tolist()
    rows = [unsure(float(at), doubt) for at, doubt in enumerate(doubts)]
    found = results(rows, bigger(budget=0.2))
    went = np.array([row["rung"] == "escalated" for row in found])
    so_far = np.cumsum(went)
    assert (so_far <= 0.2 * np.arange(1, 2001) + 1e-6).all()
    assert went.mean() > 0.18
    assert np.median(np.array(doubts)[went]) > 0.86


def test_batches_go_as_rows_do() -> None:
    rng = np.random.default_rng(8)
    rows = [unsure(float(at), float(rng.random())) for at in range(300)]
    flow = rxml.from_batches([Batch.from_rows(rows[:100]), Batch.from_rows(rows[100:])])
    assert run(flow.pipe(bigger(budget=0.3)).to_list()) == results(rows, bigger(budget=0.3))


def test_what_the_model_says_of_itself_goes_along_and_the_value_has_its_column() -> None:
    told = {"model": "small", "version": "1", "digest": "", "rung": "primary", "reason": ""}
    rows = [{"x": 1.0, "said": 0.0, "u": True, **told}, {"x": 2.0, "said": 0.0, "u": False, **told}]
    better, as_it_was = results(rows, bigger(into="said", name="big"))
    assert (better["said"], better["model"], better["rung"]) == (10.0, "big", "escalated")
    assert as_it_was == rows[1]
    with pytest.raises(SchemaError, match="say with into= which column"):
        results(rows, bigger())


def broken(rows: Batch) -> Any:
    if (rows["x"] == 2).any():
        raise ZeroDivisionError
    return rows["x"]


def test_a_bigger_model_that_fails_costs_no_answer() -> None:
    to = models.from_function(broken, inputs=X)
    found = results([unsure(float(at), u=True) for at in range(4)], bigger(to=to))
    assert values(found) == [0.0, 1.0, -2.0, 3.0]
    assert [row["reason"] for row in found] == ["", "", "error: ZeroDivisionError", ""]
    assert found[2]["rung"] == "primary"


def test_a_service_answers_with_what_it_has_where_the_bigger_model_would_be_late() -> None:
    async def main() -> list[Any]:
        slow = bigger(on=Timed(base=1.0))
        async with Service(slow) as service:
            first = await service.ask(unsure(1.0, u=True))
            at_once = await service.ask(unsure(2.0, u=False))
            hurried = await service.ask(unsure(3.0, u=True), within=0.2)
            return [first, at_once, hurried, asyncio.get_running_loop().time()]

    first, at_once, hurried, time = run(main())
    assert values([first, at_once, hurried]) == [10.0, -2.0, -3.0]
    assert (first["rung"], hurried["rung"], hurried["reason"]) == ("escalated", "primary", "late")
    assert time < 1.6


def three(_: Batch) -> Any:
    return np.zeros(3)


BAD: list[tuple[Any, Any, type[Exception], str]] = [
    ({"x": 1.0, "value": 1.0}, {}, SchemaError, "'u'"),
    (unsure(1.0, "very"), {}, SchemaError, "numbers or booleans"),
    (1.0, {}, SchemaError, "must be a mapping"),
    (unsure(1.0, 1.0), {"when": three}, SchemaError, "for 1 rows it is of shape"),
]


@pytest.mark.parametrize(("row", "how", "error", "text"), BAD)
def test_what_does_not_say_how_unsure_it_is_is_named(
    row: Any, how: Any, error: Any, text: str
) -> None:
    with pytest.raises(error, match=text):
        results([row], bigger(**how))


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        ({"to": 3}, PipelineError, "wants a Model or a flow of editions, got int"),
        ({"budget": 0.0}, ValueError, "a share above 0"),
        ({"budget": 1.5}, ValueError, "at most 1"),
        ({"above": nan}, ValueError, "got NaN"),
        ({"burst": 0}, ValueError, r"escalate\(burst=\)"),
        ({"when": 3}, TypeError, "when"),
    ],
)
def test_arguments_that_are_wrong_are_named(how: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        bigger(**how)
