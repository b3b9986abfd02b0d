"""Targets: every server by name, how it is started and how it is asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from benchmarks.serving.dialects import BARE, BENTO, NAMED, PLAIN, TENSOR, Dialect
from benchmarks.serving.measure import Target

PEERS: Final = {
    "fastapi": "uvicorn, uvloop, httptools; the model in the path function",
    "mlserver": "in process, adaptive batching up to 64, 1 ms",
    "litserve": "a worker process, batches up to 64, 1 ms, fast queue",
    "bentoml": "a batchable endpoint, up to 64",
    "ray": "Ray Serve: a replica, serve.batch up to 64, 1 ms",
}
"""Each in its own environment, and how it is served."""

_DIALECTS: dict[str, Dialect] = {
    "ours": PLAIN,
    "bare": BARE,
    "per_request": PLAIN,
    "fastapi": PLAIN,
    "mlserver": TENSOR,
    "litserve": PLAIN,
    "bentoml": BENTO,
    "ray": PLAIN,
}


def target(name: str, *options: str) -> Target:
    """The server of that name, in the environment of this process.

    Args:
        name: as its file in `benchmarks/peers`.
        options: more of its command line.
    """
    if name == "bentoml":
        bentoml = str(Path(sys.executable).parent / "bentoml")
        served = "benchmarks.peers.bentoml:Regression"
        return Target((bentoml, "serve", served, "--port", "{port}", "--host", "127.0.0.1"), BENTO)
    command = (sys.executable, "-m", f"benchmarks.peers.{name}", "--port", "{port}", *options)
    return Target(command, _DIALECTS[name])


def served(app: str, *options: str) -> Target:
    """`rxml serve` of one of the apps in `benchmarks/peers/apps.py`."""
    command = (sys.executable, "-m", "rxml", "serve", f"benchmarks.peers.apps:{app}")
    return Target((*command, "--port", "{port}", *options), NAMED)
