"""predict_64: one row of JSON a request, over 64 keep-alive connections that ask again when they are answered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.case import Case, Contestant, Must
from benchmarks.serving.measure import closed
from benchmarks.serving.targets import PEERS, target

if TYPE_CHECKING:
    from benchmarks.case import Outcome

SECONDS = 3.0
TIMES = {"fastapi": 4.0, "mlserver": 6.0, "litserve": 8.0, "bentoml": 15.0, "ray": 20.0}
"""How many times as fast as each peer we must be."""


def asked(name: str, size: int, *, connections: int = 64) -> Outcome:
    """A server under a closed loop."""
    return closed(target(name), size, connections=connections, seconds=SECONDS)


CASE = Case(
    name="predict_64",
    what="one row of 20 features a request in JSON, 64 connections, logistic regression, on one core",
    limit="an aiohttp handler that reads the body and answers always the same",
    size=100_000,
    quick=5_000,
    unit="requests",
    contestants={
        "rxml": Contestant(partial(asked, "ours"), "App.predict of score(model)"),
        "bare": Contestant(partial(asked, "bare"), "aiohttp.web: read, answer"),
        "hand": Contestant(partial(asked, "per_request"), "aiohttp.web, the model a request"),
        **{name: Contestant(partial(asked, name), how, name) for name, how in PEERS.items()},
    },
    musts=(
        Must("speed", "bare", 0.65),
        Must("speed", "hand", 3.0),
        *(Must("speed", name, times) for name, times in TIMES.items()),
    ),
    shown=("seconds", "p50_seconds", "p99_seconds"),
    most_rounds=3,
)
