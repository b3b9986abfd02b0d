"""stalled_reader: a WebSocket client that asks for 2^31 - 1 elements and never reads; what the server holds for it."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contestant, Must, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from aiohttp.web import BaseRequest, WebSocketResponse

UNBOUNDED: Final = 2**31 - 1
ALLOWED_BYTES: Final = 5_000_000
PAD: Final = "x" * 200

HANDSHAKE: Final = (
    "GET /numbers HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Protocol: rxml.v1+json\r\n\r\n"
)


def frame(content: object) -> bytes:
    """A text message of less than 126 bytes, as a client sends it: masked, here with zeros."""
    data = json.dumps(content).encode()
    return bytes([0x81, 0x80 | len(data)]) + bytes(4) + data


@asynccontextmanager
async def never_reading(port: int) -> AsyncGenerator[asyncio.StreamWriter]:
    """A client that asks for everything and reads no more than the answer to its handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(HANDSHAKE.encode())
    await reader.readuntil(b"\r\n\r\n")
    reader_transport = writer.transport
    assert isinstance(reader_transport, asyncio.Transport)
    reader_transport.pause_reading()
    writer.write(frame({"type": "hello"}))
    writer.write(frame({"type": "subscribe", "id": 1, "n": UNBOUNDED}))
    try:
        yield writer
    finally:
        reader_transport.abort()
        await asyncio.sleep(0)


def outcome(made: int, writer: asyncio.StreamWriter) -> Outcome:
    """1 if elements were made and the connection has lasted."""
    held = made > 0 and not writer.transport.is_closing()
    return Outcome(int(held), {"allowed_bytes": ALLOWED_BYTES, "elements": made})


def ours(seconds: int) -> Outcome:
    """Ours: that client, and beside it `connect`, whose reader asks for everything once and then stalls."""
    import rxml  # noqa: PLC0415
    import rxml.http  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415

    made = itertools.count()

    def element(number: int) -> dict[str, object]:
        next(made)
        return {"number": number, "pad": PAD}

    async def main() -> Outcome:
        # Without pings it lasts: a client that answers none would be dropped after half a minute.
        limits = rxml.http.Limits(heartbeat_seconds=3600.0, idle_seconds=3600.0)
        app = rxml.http.App(port=0, limits=limits)
        app.stream("/numbers", rxml.range(10**12).pipe(ops.map(element)))
        async with app.serve() as server, never_reading(server.port) as writer:
            flow = rxml.http.connect(f"{server.url}/numbers", limits=limits)
            async with flow.open() as subscription:
                await subscription.request(rxml.UNBOUNDED)
                await asyncio.sleep(seconds)
            return outcome(next(made), writer)

    return asyncio.run(main())


def by_hand(seconds: int) -> Outcome:
    """The limit: bare aiohttp, one message after the other, each awaited."""
    from aiohttp import web  # noqa: PLC0415

    made = itertools.count()

    async def numbers() -> AsyncIterator[str]:
        while True:
            yield json.dumps({"number": next(made), "pad": PAD})

    async def handle(request: BaseRequest) -> WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("rxml.v1+json",), compress=False)
        await socket.prepare(request)
        async for number in numbers():
            await socket.send_str(number)
        return socket

    async def main() -> Outcome:
        server = web.Server(handle, handler_cancellation=True)
        listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
        async with never_reading(listener.sockets[0].getsockname()[1]) as writer:
            await asyncio.sleep(seconds)
            result = outcome(next(made), writer)
        listener.close()
        await server.shutdown(0.1)
        return result

    return asyncio.run(main())


CASE = Case(
    name="stalled_reader",
    what="a WebSocket client asks for 2^31 - 1 elements and never reads: growth of the peak memory of the server",
    limit="bare aiohttp that awaits each message",
    size=60,
    quick=3,
    unit="seconds",
    contestants={
        "rxml": Contestant(
            ours, "App.stream of range | map; that client, and a connect() that stalls"
        ),
        "hand": Contestant(by_hand, "aiohttp.web, await send_str"),
    },
    musts=(Must("within", "allowed_bytes", 1, "peak_growth_bytes"),),
    shown=("peak_growth_bytes", "elements"),
    fresh=True,
    most_rounds=1,
)
