from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import ModelError, PipelineError, SchemaError
from rxml.models.live import Weights
from rxml.testing.virtual_time import run
from tests.unit.models.live.releases import Version, each_after, rows, timed_rows, times
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

ARMS = {"a": times(1), "b": times(2), "c": times(3)}


def answered(flow: Flowable[Any], **how: Any) -> list[Any]:
    how = {"weights": {"a": 4, "b": 2, "c": 4}, "key": "id", "on": models.on_loop(), **how}
    return run(flow.pipe(ops.split(how.pop("arms", ARMS), **how)).to_list())


def test_each_id_has_its_arm_and_every_answer_says_which_and_how_likely_it_was() -> None:
    given = rows(5000)
    answers = answered(rxml.from_iterable(given * 2))
    count = Counter(answer["arm"] for answer in answers)
    assert [count[arm] / 10_000 for arm in "abc"] == pytest.approx([0.4, 0.2, 0.4], abs=0.02)
    assert [each["arm"] for each in answers[:5000]] == [each["arm"] for each in answers[5000:]]
    for answer in answers[:100]:
        assert answer.value == "abc".index(answer["arm"]) + 1
        assert answer["propensity"] == pytest.approx({"a": 0.4, "b": 0.2, "c": 0.4}[answer["arm"]])
    assert set(answers[0]) == {
        *["value", "model", "version", "digest", "rung", "reason", "arm", "propensity"]
    }


def test_weights_that_are_set_hold_at_once() -> None:
    weights = Weights({"a": 1, "b": 0, "c": 0})

    def change(row: dict[str, Any]) -> None:
        if row["id"] == "user-10":
            weights.set({"a": 0, "b": 1, "c": 0})

    answers = answered(timed_rows(20).pipe(ops.do_action(change)), weights=weights)
    assert [each["arm"] for each in answers] == ["a"] * 10 + ["b"] * 10


def test_a_flow_of_weights_changes_them_and_what_is_refused_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    a, b = {"a": 1, "b": 0, "c": 0}, {"a": 0, "b": 1, "c": 0}
    flow = each_after((0.5, a), (5, {"x": 1}), (5, {**a, "a": -1}), (5.3, b))
    answers = answered(timed_rows(20), weights=flow)
    assert [each["arm"] for each in answers] == ["a"] * 15 + ["b"] * 5
    assert "x" in caplog.text
    assert "weight of 'a'" in caplog.text


def test_the_first_weights_are_waited_for_and_the_latest_outlive_their_flow() -> None:
    waited = each_after((30, {"a": 1, "b": 0, "c": 0}))
    assert len(answered(timed_rows(5), weights=waited)) == 5
    ended = rxml.of({"a": 0, "b": 0, "c": 1})
    assert {each["arm"] for each in answered(timed_rows(5), weights=ended)} == {"c"}
    with pytest.raises(ModelError, match="ended without any"):
        answered(timed_rows(5), weights=rxml.empty())


def test_arms_are_swapped_each_by_itself() -> None:
    arms = {"a": each_after((0, Version(1)), (10, Version(2))), "b": times(5)}
    answers = answered(timed_rows(40), arms=arms, weights={"a": 1, "b": 1})
    seen = [each["version"] for each in answers if each["arm"] == "a"]
    assert seen == sorted(seen)
    assert set(seen) == {"1", "2"}
    assert {each.value for each in answers if each["arm"] == "b"} == {5.0}


def test_a_slow_arm_holds_up_nobody_else_where_order_does_not_matter() -> None:
    place = Timed(workers=1, base=100.0)

    class Mixed:
        async def open(self, model: Any, ready: Any) -> Any:
            kind = place if model is ARMS["b"] else models.on_loop()
            return await kind.open(model, ready)

    arms = {"a": ARMS["a"], "b": ARMS["b"]}
    answers = answered(
        timed_rows(20), arms=arms, weights={"a": 1, "b": 1}, on=Mixed(), ordered=False
    )
    assert len(answers) == 20
    seen = [each["arm"] for each in answers]
    assert seen == sorted(seen)


def test_an_element_without_an_id_fails_alone() -> None:
    letters: list[Any] = []
    given = [*rows(3), {"x": 1.0}, {"id": 1.5, "x": 1.0}, *rows(2)]
    flow = rxml.from_iterable(given).pipe(
        ops.split(ARMS, weights={"a": 1, "b": 1, "c": 1}, key="id", on=models.on_loop()),
        ops.supervise(lambda _: "resume", dead_letters=letters.append),
    )
    assert len(run(flow.to_list())) == 5
    assert [type(letter.error) for letter in letters] == [SchemaError, SchemaError]
    with pytest.raises(SchemaError, match="no 'id'"):
        answered(rxml.of({"x": 1.0}))


def test_a_batch_that_is_one_element_goes_to_one_arm_whole() -> None:
    batch = Batch({"id": ["u1", "u2", "u3"], "x": [1.0, 2.0, 3.0]})
    (answer,) = answered(rxml.of(batch))
    (alone,) = answered(rxml.of({"id": "u1", "x": 1.0}))
    assert set(answer["arm"].tolist()) == {alone["arm"]}
    assert (answer["value"] / batch["x"] == alone.value).all()
    assert answer["propensity"].tolist() == [alone["propensity"]] * 3


def test_what_cannot_be_right_is_refused_when_it_is_built() -> None:
    other = models.from_function(lambda rows: rows["y"], inputs=Schema.of(y="float64"))
    arm = models.from_function(
        lambda rows: rows["x"], inputs=Schema.of(x="float64"), outputs=Schema.of(arm="float64")
    )
    refused: list[tuple[Any, dict[str, float], str]] = [
        ({}, {"a": 1}, "at least one arm"),
        ({"a": times(1)}, {"b": 1}, "wants weights of"),
        ({"a": 7}, {"a": 1}, "wants a Model"),
        ({"a": times(1), "b": other}, {"a": 1, "b": 1}, "in the place of the others"),
        ({"a": arm}, {"a": 1}, "an output is named 'arm'"),
    ]
    for arms, weights, why in refused:
        with pytest.raises(PipelineError, match=why):
            ops.split(arms, weights=weights, key="id")
    with pytest.raises(PipelineError, match="gives the id"):
        ops.split(ARMS, weights={"a": 1, "b": 1, "c": 1}, key=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="64 bits"):
        ops.split(ARMS, weights={"a": 1, "b": 1, "c": 1}, key="id", seed=-1)


def test_editions_that_are_not_alike_fail_the_stream_with_the_reason() -> None:
    arms = {"a": each_after((0, Version(1))), "b": each_after((0, Version(2, output="other")))}
    with pytest.raises(ModelError, match="the arm 'b'"):
        answered(timed_rows(3), arms=arms, weights={"a": 1, "b": 1})
    arms["b"] = each_after((0, Version(2, broken=True)))
    with pytest.raises(OSError, match="damaged"):
        answered(timed_rows(3), arms=arms, weights={"a": 1, "b": 1})


def test_one_that_fails_behind_others_leaves_them_their_answers() -> None:
    """The arm that is slower than the one that fails still answers what came before."""

    def fails(rows: Batch) -> Any:
        raise OSError("down")

    slow, quick = times(1), models.from_function(fails, inputs=Schema.of(x="float64"))
    place = Timed(base=10.0)

    class Mixed:
        async def open(self, model: Any, ready: Any) -> Any:
            return await (place if model is slow else models.on_loop()).open(model, ready)

    arms = {"slow": slow, "quick": quick}
    seen: list[Any] = []
    flow = rxml.from_iterable(rows(12)).pipe(
        ops.split(arms, weights={"slow": 1, "quick": 1}, key="id", on=Mixed()),
        ops.do_action(seen.append),
    )
    with pytest.raises(OSError, match="down"):
        run(flow.to_list())
    assert seen
    assert {each["arm"] for each in seen} == {"slow"}
