"""A supervisor of models behind a path: clients are told the rung and the reason, and when to come again."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.models import ModelSupervisor
from rxml.resilience import Breaker
from tests.chaos import faulty
from tests.http.helpers import Answer, app, http, run

X = Schema.of(x="float64")


def model(function: Any) -> models.Model:
    return models.from_function(function, inputs=X)


async def asked(server: Any) -> Answer:
    headers = {"Content-Type": "application/json"}
    return await http(server, "/double", json.dumps({"x": 3.0}).encode(), headers=headers)


async def opened(server: Any, name: str) -> dict[str, Any]:
    """An answer once this arm is there: arms open in any order, and the first that has serves alone."""
    answer: dict[str, Any] = {}
    for _ in range(1000):
        answer = (await asked(server)).json
        if answer["model"] == name:
            break
    return answer


def served(**how: Any) -> Any:
    service = app()
    arms = {"new": model(faulty.faulty), "old": model(faulty.faulty)}
    given = ModelSupervisor(
        arms, weights={"new": 1}, breaker=partial(Breaker, least=4, wait=60), **how
    )
    service.predict("/double", ops.supervise_models(given))
    return service


@pytest.mark.parametrize("how", [{"default": {"value": -1.0}}, {"last": str}])
def test_rung_and_reason_are_in_the_answer(how: Any) -> None:
    async def main() -> None:
        async with served(**how).serve() as server:
            first = await opened(server, "new")
            assert (first["value"], first["model"], first["rung"]) == (6.0, "new", "primary")
            assert "reason" not in first
            faulty.HERE["fault"] = "nan"
            spare = (await asked(server)).json
        expected = (-1.0, "default", "default") if "default" in how else (6.0, "new", "last known")
        assert (spare["value"], spare["model"], spare["rung"]) == expected
        assert spare["reason"] == "error: ModelError"

    try:
        run(main())
    finally:
        faulty.HERE["fault"] = ""


def test_without_any_answer_clients_are_told_when_to_come_again() -> None:
    async def main() -> None:
        async with served().serve() as server:
            faulty.HERE["fault"] = "error"
            statuses = [(await asked(server)).status for _ in range(6)]
            assert statuses[0] == 500
            refused = await asked(server)
            assert (refused.status, refused.json["error"]) == (503, "no model can be asked")
            assert int({k.lower(): v for k, v in refused.headers.items()}["retry-after"]) > 1

    try:
        run(main())
    finally:
        faulty.HERE["fault"] = ""
