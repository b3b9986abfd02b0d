"""Endpoints: streams in and out over HTTP and WebSocket, with demand all the way to the socket.

    app = rxml.http.App()
    readings = app.ingest("/readings", schema=Reading)
    app.stream("/means", readings.pipe(ops.scan(...)))
    app.run()

This is the only room that knows aiohttp. `docs/http.md` tells the formats, the sub-protocol and the limits.
"""

from __future__ import annotations

from rxml.http.app import App
from rxml.http.connect import connect
from rxml.http.limits import Limits
from rxml.http.server import Server
from rxml.http.slow import Slow, buffer, disconnect, drop_newest, drop_oldest, latest

__all__ = [
    "App",
    "Limits",
    "Server",
    "Slow",
    "buffer",
    "connect",
    "disconnect",
    "drop_newest",
    "drop_oldest",
    "latest",
]
