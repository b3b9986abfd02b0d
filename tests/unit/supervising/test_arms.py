"""What an arm may be: models, operators, services, functions; how each is asked, and what is made of its answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.errors import PipelineError, StreamClosedError
from rxml.flow.service import Service
from rxml.models import Arm, ModelSupervisor
from rxml.testing.virtual_time import run
from tests.unit.models.scoring.places import Timed

if TYPE_CHECKING:
    from collections.abc import Callable

X = Schema.of(x="float64")


def doubled(rows: Any) -> Any:
    return 2 * rows["x"]


def model(function: Callable[[Any], Any] = doubled) -> models.Model:
    return models.from_function(function, inputs=X)


def test_models_are_scored_in_services_of_their_own_and_predictions_say_their_rung() -> None:
    broken = model(lambda rows: rows["x"] * float("nan"))
    arms = {"new": broken, "old": Arm(model(), on=Timed(base=0.1))}
    given = ModelSupervisor(arms, weights={"new": 1.0}, default=-1.0)
    flow = rxml.of({"x": 1.0}, {"x": 2.0}).pipe(ops.supervise_models(given))
    first, second = run(flow.to_list())
    assert first == {
        "value": 2.0, "model": "old", "version": "", "digest": first["digest"], "rung": "next",
        "reason": "error: ModelError",
    }  # fmt: skip
    assert second.value == 4.0
    assert not given.ready


def test_a_default_is_a_prediction_where_models_predict() -> None:
    arms = {"only": Arm(model(), on=Timed(refused=[]), accept=lambda answer: False)}
    given = ModelSupervisor(arms, default={"value": 7.0})
    (answer,) = run(rxml.of({"x": 1.0}).pipe(ops.supervise_models(given)).to_list())
    assert (answer.value, answer["model"], answer.rung) == (7.0, "default", "default")
    assert answer.reason == "error: UnacceptedError"


def test_a_model_that_cannot_be_loaded_is_not_asked_while_others_can_be() -> None:
    cannot = model()
    arms = {"cannot": Arm(cannot, on=Timed(refused=[cannot])), "can": model()}
    given = ModelSupervisor(arms, weights={"cannot": 1.0})

    async def main() -> Any:
        async with given:
            at_once = await given.ask({"x": 1.0})  # nobody is ready: it waits for one
            await asyncio.sleep(1)
            return at_once, await given.ask({"x": 1.0})

    at_once, answer = run(main())
    assert (at_once.name, at_once.reason) == ("can", "error: StreamClosedError")
    assert (answer.name, answer.rung) == ("can", 0)


def test_a_service_is_ready_once_some_arm_is() -> None:
    async def main() -> list[bool]:
        arms = {"slow": Arm(model(), on=Timed()), "never": Arm(model(), on=Timed(refused=[]))}
        async with Service[Any, Any](ops.supervise_models(arms)) as service:
            seen = [service.ready]
            await asyncio.sleep(0.1)
            seen.append(service.ready)
            await asyncio.sleep(1)
            return [*seen, service.ready]

    assert run(main()) == [False, False, True]


def threefold(row: dict[str, float]) -> float:
    return 3 * row["x"]


def test_operators_and_services_are_arms_and_a_service_of_operators_answers() -> None:
    async def main() -> Any:
        operator: Any = ops.map(threefold)
        async with Service[Any, Any](operator) as running:
            arms: dict[str, Any] = {"service": running, "operator": operator}
            async with Service(ops.supervise_models(arms)) as service:
                answers = await asyncio.gather(*(service.ask({"x": x}) for x in range(20)))
        return answers

    answers = run(main())
    assert [each.value for each in answers] == [3 * x for x in range(20)]
    assert {each.name for each in answers} == {"service", "operator"}


def test_it_must_be_started_if_models_run_in_it() -> None:
    with pytest.raises(StreamClosedError, match="async with"):
        run(ModelSupervisor({"a": model()}).ask({"x": 1.0}))


@pytest.mark.parametrize(
    ("arms", "how", "message"),
    [
        ({}, {}, "at least one"),
        ({"a": 3}, {}, "wants a function"),
        ([model], {}, "mapping from names"),
        ({"a": model()}, {"weights": {"b": 1}}, "names b"),
        ({"a": model()}, {"weights": {"a": -1}}, "weights >= 0"),
        ({"a": model()}, {"weights": {"a": 0}}, "at least one weight"),
        ({"a": model()}, {"within": 0}, "seconds > 0"),
        ({"a": ops.filter(bool)}, {}, "one answer"),
    ],
)
def test_wrong_arguments_are_refused(arms: Any, how: Any, message: str) -> None:
    with pytest.raises((ValueError, PipelineError), match=message):
        ModelSupervisor(arms, **how)
