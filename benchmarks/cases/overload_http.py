"""overload_http: twice as many requests as a server can read, with a light model; who waits a second goes away."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contestant, Must
from benchmarks.cases.overload_model import CASE as MODEL
from benchmarks.serving.overload import Load, overloaded
from benchmarks.serving.targets import PEERS, target

if TYPE_CHECKING:
    from benchmarks.case import Outcome

LOAD: Final = Load(times=2.0, in_time=0.1, give_up=1.0, connections=4096)


def under(name: str, seconds: int) -> Outcome:
    """A server with the logistic regression."""
    return overloaded(target(name), seconds, LOAD)


CASE = Case(
    name="overload_http",
    what="open loop at 2x what the server can read, a light model, clients leave after 1 s; good is 100 ms",
    limit="its own peak: answers a second to 64 connections that wait for them",
    size=10,
    quick=4,
    unit="seconds",
    contestants={
        "rxml": Contestant(partial(under, "ours"), "App.predict of score(model)"),
        "bare": Contestant(partial(under, "bare"), "aiohttp.web: read, answer"),
        "hand": Contestant(partial(under, "per_request"), "aiohttp.web, the model a request"),
        **{name: Contestant(partial(under, name), how, name) for name, how in PEERS.items()},
    },
    musts=(
        Must("within", "goodput", 1 / 0.9, "peak"),
        Must("within", "allowed_bytes", 1.0, "growth_bytes"),
    ),
    shown=MODEL.shown,
    fresh=True,
    most_rounds=1,
)
