"""overload_model: three times as many requests as a costly model can answer, each with 100 ms to be answered in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contestant, Must
from benchmarks.serving.overload import Load, overloaded
from benchmarks.serving.targets import target

if TYPE_CHECKING:
    from benchmarks.case import Outcome

LOAD: Final = Load(
    times=3.0,
    in_time=0.1,
    give_up=1.0,
    connections=4096,
    headers={"X-Request-Timeout-Ms": "100"},
)


def under(name: str, seconds: int) -> Outcome:
    """A server with the model that costs half a millisecond a row."""
    return overloaded(target(name, "--busy"), seconds, LOAD)


CASE = Case(
    name="overload_model",
    what="open loop at 3x what a model of 0.5 ms a row can answer, 100 ms deadline, clients leave after 1 s",
    limit="its own peak: answers a second to 64 connections that wait for them",
    size=30,
    quick=5,
    unit="seconds",
    contestants={
        "rxml": Contestant(partial(under, "ours"), "App.predict of score(model)"),
        "hand": Contestant(partial(under, "per_request"), "aiohttp.web, the model a request"),
        "fastapi": Contestant(
            partial(under, "fastapi"), "the model in the path function", "fastapi"
        ),
    },
    musts=(
        Must("within", "goodput", 1 / 0.9, "peak"),
        Must("within", "in_time_seconds", 1.0, "answered_p99_seconds"),
        Must("within", "shed_allowed_seconds", 1.0, "shed_p99_seconds"),
        Must("within", "allowed_bytes", 1.0, "growth_bytes"),
    ),
    shown=(
        *("goodput", "peak", "offered", "answered_p99_seconds", "shed_p99_seconds", "shed_percent"),
        *(
            "refused_percent",
            "expired_percent",
            "gave_up_percent",
            "lost_percent",
            "failed_percent",
        ),
        *("growth_bytes", "client_behind_percent"),
    ),
    fresh=True,
    most_rounds=1,
)
