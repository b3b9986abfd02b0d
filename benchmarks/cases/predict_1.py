"""predict_1: one row of JSON a request over one connection: what waiting for others to come would cost."""

from __future__ import annotations

from functools import partial

from benchmarks.case import Case, Contestant, Must
from benchmarks.cases.predict_64 import asked
from benchmarks.serving.targets import PEERS

CASE = Case(
    name="predict_1",
    what="one row of 20 features a request in JSON, one connection, logistic regression, on one core",
    limit="aiohttp by hand, which calls the model for the request",
    size=20_000,
    quick=1_000,
    unit="requests",
    contestants={
        "rxml": Contestant(partial(asked, "ours", connections=1), "App.predict of score(model)"),
        "hand": Contestant(
            partial(asked, "per_request", connections=1), "aiohttp.web, the model a request"
        ),
        **{
            name: Contestant(partial(asked, name, connections=1), how, name)
            for name, how in PEERS.items()
        },
    },
    musts=(Must("cost", "hand", 1.25, "p50_seconds"),),
    shown=("p50_seconds", "p99_seconds"),
    most_rounds=3,
)
