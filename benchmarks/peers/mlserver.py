"""MLServer in process (no parallel workers): a runtime of one's own, with adaptive batching."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from benchmarks.peers.arguments import arguments
from benchmarks.serving.process import free_port
from benchmarks.serving.rows import regression

BATCH = 64
TIMEOUT_SECONDS = 0.001

_mlserver: Any = import_module("mlserver")
_codecs: Any = import_module("mlserver.codecs")


class Regression(_mlserver.MLModel):  # type: ignore[misc]
    """The model behind MLServer's hooks."""

    async def load(self) -> bool:
        """At the start."""
        self.model: Any = regression()
        return True

    async def predict(self, payload: Any) -> Any:
        """All rows of a batch."""
        matrix = self.decode(payload.inputs[0], default_codec=_codecs.NumpyCodec)
        values = self.model.predict_proba(matrix)[:, 1]
        output = _codecs.NumpyCodec.encode_output("value", values)
        response = import_module("mlserver.types").InferenceResponse
        return response(model_name=self.name, outputs=[output])


async def serve() -> None:
    """One model; the ports of gRPC and metrics are not used."""
    settings = _mlserver.Settings(
        host="127.0.0.1",
        http_port=arguments().port,
        grpc_port=free_port(),
        metrics_endpoint=None,
        parallel_workers=0,
        debug=False,
    )
    model = _mlserver.ModelSettings(
        name="model",
        implementation=Regression,
        max_batch_size=BATCH,
        max_batch_time=TIMEOUT_SECONDS,
    )
    server = _mlserver.MLServer(settings)
    await server.start([model])


if __name__ == "__main__":
    asyncio.run(serve())
