"""socket_by_hand: an aiohttp WebSocket loop with our codec and the model in numpy: decode, score, encode, send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from benchmarks.peers.arguments import port
from benchmarks.serving.rows import numpy_model
from rxml.batch import Batch
from rxml.wire import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable

score: Callable[[Any], Any] = numpy_model()


async def batches(request: web.Request) -> web.WebSocketResponse:
    """A batch a message."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            rows = loads(message.data)["features"]
            await socket.send_bytes(dumps(Batch({"value": score(rows)})))
    return socket


async def single(request: web.Request) -> web.WebSocketResponse:
    """A row a message."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            row = loads(message.data)["features"]
            await socket.send_bytes(dumps({"value": float(score(row))}))
    return socket


def main() -> None:
    """Serve."""
    app = web.Application()
    app.router.add_get("/batches", batches)
    app.router.add_get("/single", single)
    web.run_app(app, host="127.0.0.1", port=port(), access_log=None, print=None)


if __name__ == "__main__":
    main()
