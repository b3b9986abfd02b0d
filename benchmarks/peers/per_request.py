"""per_request: aiohttp by hand, which calls the model for each request, on its loop."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from aiohttp import web

from benchmarks.peers.arguments import arguments
from benchmarks.serving.rows import busy, regression


def serve(port: int, model: Any) -> None:
    """Serve the model until told to stop."""

    async def predict(request: web.Request) -> web.Response:
        row = np.array([json.loads(await request.read())["features"]])
        value = float(model.predict_proba(row)[0, 1])
        body = json.dumps({"value": value}).encode()
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/predict", predict)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    given = arguments()
    serve(given.port, busy() if given.busy else regression())
