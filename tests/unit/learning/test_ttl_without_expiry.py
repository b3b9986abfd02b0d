"""Keys that run out by event time do so behind every operator that hears labels, whether or not labels expire."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.evaluation.metrics import Metrics
from rxml.learning import EstimatedQuality, Evaluation, RunningMean

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.operator import Operator

ROWS = [{"id": i, "k": "a", "at": 10 * i, "value": 0.5, "a": 0.4, "b": 0.6} for i in range(4)]
MADE: dict[str, Callable[[], Operator[Any, Any]]] = {
    "abstain": lambda: ops.abstain(certainty="a"),
    "calibrate": ops.calibrate,
    "calibrate_probability": ops.calibrate_probability,
    "combine": lambda: ops.combine(["a", "b"]),
    "estimate_quality": lambda: ops.estimate_quality(EstimatedQuality(), prediction="value"),
    "evaluate": lambda: ops.evaluate(Evaluation(Metrics("mae"))),
    "learn": lambda: ops.learn(RunningMean()),
}


@pytest.mark.parametrize("name", MADE)
def test_a_key_that_ran_out_is_evicted(name: str) -> None:
    gone: list[Any] = []
    flow = rxml.from_iterable(ROWS).pipe(
        ops.with_event_time("at", unit="s"),
        ops.key_by("k", ttl=5, on_evicted=gone.append),
        MADE[name](),
    )
    assert len(asyncio.run(flow.to_list())) == len(ROWS)
    assert len(gone) >= len(ROWS) - 1
