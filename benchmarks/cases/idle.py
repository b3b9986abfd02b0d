"""idle: what `rxml serve` with one model takes while nobody asks, and how long until it answers the first time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.targets import served, target

if TYPE_CHECKING:
    from benchmarks.serving.measure import Target


def started(aim: Target, times: int) -> Outcome:
    """Start it so many times; the slowest start and the largest memory count."""
    seconds, memory = 0.0, 0
    for _ in range(times):
        began = time.perf_counter()
        with aim.started() as server:
            seconds = max(seconds, time.perf_counter() - began)
            memory = max(memory, server.memory_bytes())
    return Outcome(
        0,
        {
            "first_answer_seconds": seconds,
            "allowed_seconds": 1.5,
            "resident_bytes": memory,
            "allowed_bytes": 90 * 2**20,
        },
    )


def ours(times: int) -> Outcome:
    """With a linear model, whose own memory is next to none."""
    return started(served("light_app"), times)


def by_hand(times: int) -> Outcome:
    """The bare handler, which has no model at all."""
    return started(target("bare"), times)


CASE = Case(
    name="idle",
    what="start a server with one model, ask once: seconds from the start of the process, memory then",
    limit="an aiohttp handler without a model",
    size=3,
    quick=1,
    unit="starts",
    contestants={
        "rxml": Contestant(ours, "rxml serve, App.predict of a linear model"),
        "hand": Contestant(by_hand, "aiohttp.web: read, answer"),
    },
    musts=(
        Must("within", "allowed_seconds", 1.0, "first_answer_seconds"),
        Must("within", "allowed_bytes", 1.0, "resident_bytes"),
    ),
    shown=("first_answer_seconds", "resident_bytes"),
    most_rounds=3,
)
