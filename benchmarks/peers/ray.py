"""Ray Serve: one replica, `serve.batch` with up to 64 requests, the HTTP proxy in front of it."""

from __future__ import annotations

import signal
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers.arguments import port
from benchmarks.serving.rows import regression

BATCH = 64
TIMEOUT_SECONDS = 0.001

_ray: Any = import_module("ray")
_serve: Any = import_module("ray.serve")


class Regression:
    """The model behind Ray's decorators."""

    def __init__(self) -> None:
        self.model: Any = regression()

    @_serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=TIMEOUT_SECONDS)  # type: ignore[untyped-decorator]
    async def score(self, rows: list[list[float]]) -> list[float]:
        """All rows of a batch."""
        values: list[float] = self.model.predict_proba(np.array(rows))[:, 1].tolist()
        return values

    async def __call__(self, request: Any) -> dict[str, float]:
        """One request."""
        return {"value": await self.score((await request.json())["features"])}


def main() -> None:
    """Serve until killed."""
    _ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="warning")
    _serve.start(http_options={"host": "127.0.0.1", "port": port()})
    deployment = _serve.deployment(max_ongoing_requests=256)(Regression)
    _serve.run(deployment.bind(), route_prefix="/predict")
    signal.pause()


if __name__ == "__main__":
    main()
