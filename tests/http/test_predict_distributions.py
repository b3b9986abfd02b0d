"""Distributions over HTTP: numbers in JSON with how sure they are, and whole in msgpack."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Field, Schema
from rxml.http.distributions import LEVEL, plain, summary
from rxml.http.encode import to_json
from rxml.uncertain import (
    Alternatives,
    Categorical,
    Interval,
    Mixture,
    Normal,
)
from rxml.wire import dumps, loads
from tests.http.helpers import Answer, app, post, run
from tests.http.predicted import ready

MSGPACK = {"content_type": "application/msgpack"}
REACH = 1.6448536269514722


def tripled(rows: Batch) -> Any:
    return 3 * rows["x"]


def asked(
    *bodies: object, method: Any = "unscented", headers: Any = None, **how: Any
) -> list[Answer]:
    """Requests to a model of three times x."""

    async def main() -> list[Answer]:
        service = app()
        model = models.from_function(tripled, inputs=Schema.of(x="float64"), linear={"x": 3.0})
        service.predict("/in", ops.score(model, name="tripled", propagate=method, **how))
        async with ready(service) as server:
            return [await post(server, body, headers) for body in bodies]

    return run(main())


def test_json_has_a_number_its_interval_and_its_variance() -> None:
    one, many, columns = asked(
        {"x": 2.0}, [{"x": 1.0}, {"x": 2.0}], {"columns": {"x": [1.0, 2.0]}}, explain=True
    )
    said = one.json
    assert (said["value"], said["interval"], said["level"], said["variance"]) == (
        6.0,
        [6.0, 6.0],
        0.9,
        0.0,
    )
    assert said["outputs"]["value"] == {
        "mean": 6.0,
        "variance": 0.0,
        "lower": 6.0,
        "upper": 6.0,
        "level": 0.9,
    }
    assert said["outputs"]["variance/input/x"] == 0.0
    assert [each["value"] for each in many.json] == [3.0, 6.0]
    assert columns.json["columns"]["value"] == {
        "mean": [3.0, 6.0],
        "variance": [0.0, 0.0],
        "lower": [3.0, 6.0],
        "upper": [3.0, 6.0],
        "level": 0.9,
    }


def test_rows_with_distributions_come_and_go_by_msgpack() -> None:
    row, batch = asked(
        dumps({"x": Normal(2.0, 4.0)}),
        dumps(Batch({"x": Normal([2.0, 1.0], [4.0, 0.0])})),
        headers=MSGPACK,
    )
    said: Any = loads(row.body)
    assert said["value"] == 6.0
    assert said["variance"] == 36.0
    assert said["interval"] == pytest.approx([6 - 6 * REACH, 6 + 6 * REACH])
    assert said["outputs"]["value"].equals(Normal(6.0, 36.0))
    columns: Any = loads(batch.body)
    assert columns["columns"]["value"].equals(Normal([6.0, 3.0], [36.0, 0.0]))


def test_rows_in_json_tell_what_they_are_not_sure_of() -> None:
    told = {"mean": 2.0, "variance": 4.0}
    one, many, columns, negative, lacking = asked(
        {"x": told},
        [{"x": told}, {"x": 1}],
        {"columns": {"x": [1.0, told]}},
        {"x": {"mean": 2.0, "variance": -4.0}},
        {"x": {"mean": 2.0}},
    )
    assert (one.json["value"], one.json["variance"]) == (6.0, 36.0)
    assert [each["variance"] for each in many.json] == [36.0, 0.0]
    assert [each["variance"] for each in columns.json] == [0.0, 36.0]
    assert (negative.status, lacking.status) == (400, 400)
    assert "a variance is >= 0" in negative.json["error"]
    assert "variance" in lacking.json["error"]


def test_worlds_by_json_want_the_id_of_the_fact() -> None:
    fine, lacking = asked({"x": 2.0, "id": "a"}, {"x": 2.0}, method="worlds(8)")
    assert fine.json["value"] == 6.0
    assert lacking.status == 400
    assert lacking.json["field"] == "id"


def test_what_is_wrong_with_a_distribution_is_told() -> None:
    [answer] = asked(dumps({"x": Normal(1.0, 1.0) > 0.0}), headers=MSGPACK)
    assert answer.status == 400
    assert "row 0 is bernoulli" in answer.json["error"]
    unknown = Interval(0.0, 1.0, level=0.9, sort="conformal")
    [answer] = asked(dumps({"x": unknown}), headers=MSGPACK)
    assert answer.status == 400
    assert "input 'x': a conformal interval tells no distribution" in answer.json["error"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (
            Normal(1.0, np.inf),
            {"mean": 1.0, "variance": None, "lower": None, "upper": None, "level": LEVEL},
        ),
        (Interval(1.0, 2.0), {"lower": 1.0, "upper": 2.0, "level": 1.0, "sort": "bound"}),
        (
            Categorical([0.25, 0.75], ["a", "b"]),
            {"classes": ["a", "b"], "probabilities": [0.25, 0.75]},
        ),
        (
            Alternatives([1.0, 2.0], [0.5, 0.25]),
            {"values": [1.0, 2.0], "probabilities": [0.5, 0.25]},
        ),
        (Normal(1.0, 0.0) > 0.5, {"lower": 1.0, "upper": 1.0}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_every_kind_has_a_form_in_json(value: Any, wanted: Any) -> None:
    assert json.loads(to_json({"value": value})) == {"value": wanted}


def test_a_value_that_is_no_number_is_told_as_what_it_is() -> None:
    assert summary(Categorical([0.25, 0.75], ["a", "b"])) == {"value": "b"}
    bounds = Interval(1.0, 2.0)
    assert to_json(summary(bounds)) == to_json({"value": plain(bounds)})
    mixed = summary(Mixture(np.log([0.5, 0.5]), [0.0, 2.0], [1.0, 1.0]))
    assert (mixed["value"], mixed["variance"]) == (1.0, 2.0)


def test_a_model_that_gives_a_categorical_is_served() -> None:
    def said(rows: Batch) -> Any:
        x = rows["x"]
        return Categorical(np.stack([x, 1 - x], axis=1), ["a", "b"])

    async def main() -> Answer:
        outputs = Schema([Field("value", object, kind="categorical")])
        model = models.from_function(said, inputs=Schema.of(x="float64"), outputs=outputs)
        service = app()
        service.predict("/in", ops.score(model, on=models.on_loop()))
        async with ready(service) as server:
            return await post(server, {"x": 0.25})

    answer = run(main()).json
    assert answer["value"] == "b"
    assert answer["outputs"]["value"]["probabilities"] == [0.25, 0.75]
