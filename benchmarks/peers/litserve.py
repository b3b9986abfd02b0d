"""LitServe: one worker process on the processor, batches of up to 64, the fast queue (ZeroMQ)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers.arguments import port
from benchmarks.serving.rows import regression

BATCH = 64
TIMEOUT_SECONDS = 0.001

_litserve: Any = import_module("litserve")


class Regression(_litserve.LitAPI):  # type: ignore[misc]
    """The model behind LitServe's hooks."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's name
        """In the worker."""
        self.model: Any = regression()

    def decode_request(self, request: Any) -> Any:
        """One request's row."""
        return np.array(request["features"])

    def batch(self, inputs: list[Any]) -> Any:
        """Rows to a matrix."""
        return np.stack(inputs)

    def predict(self, x: Any) -> Any:
        """All rows at once."""
        return self.model.predict_proba(x)[:, 1]

    def unbatch(self, output: Any) -> list[float]:
        """One value a request."""
        values: list[float] = output.tolist()
        return values

    def encode_response(self, output: float) -> dict[str, float]:
        """What is answered."""
        return {"value": output}


# LitServe makes its schema of the body from them, and wants types, not their names.
Regression.decode_request.__annotations__ = {}
Regression.encode_response.__annotations__ = {}


def main() -> None:
    """Serve."""
    api = Regression(max_batch_size=BATCH, batch_timeout=TIMEOUT_SECONDS)
    server = _litserve.LitServer(
        api, accelerator="cpu", workers_per_device=1, fast_queue=True, track_requests=False
    )
    server.run(host="127.0.0.1", port=port(), generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
