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
from rxml.http.events import Event
from rxml.http.gaps import Gap
from rxml.http.keys import Key
from rxml.http.limits import Limits
from rxml.http.logs import JsonFormatter
from rxml.http.ndjson import ndjson
from rxml.http.operating import Admin
from rxml.http.reconnect import Reconnect
from rxml.http.replay import Replay
from rxml.http.server import Server
from rxml.http.signature import verify_signature
from rxml.http.slow import Slow, buffer, disconnect, drop_newest, drop_oldest, latest
from rxml.http.sse import sse
from rxml.http.telemetry import Telemetry
from rxml.http.through import through
from rxml.http.tls import Tls
from rxml.http.webhook import webhook
from rxml.http.websocket import websocket

__all__ = [
    "Admin",
    "App",
    "Event",
    "Gap",
    "JsonFormatter",
    "Key",
    "Limits",
    "Reconnect",
    "Replay",
    "Server",
    "Slow",
    "Telemetry",
    "Tls",
    "buffer",
    "connect",
    "disconnect",
    "drop_newest",
    "drop_oldest",
    "latest",
    "ndjson",
    "sse",
    "through",
    "verify_signature",
    "webhook",
    "websocket",
]
