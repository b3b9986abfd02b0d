"""A receiver of webhooks that answers as it is told, and keeps what came."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rxml import Backoff, wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

SECRET = b"0123456789abcdef"
QUICK: Any = {"backoff": Backoff(0.001, 2.0, 0.01)}


@dataclass
class Hook:
    """A receiver: answers by a function of what came, and keeps it."""

    answer: Callable[[Any], tuple[int, dict[str, str], bytes]]
    bodies: list[Any] = field(default_factory=list[Any])
    heads: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    raw: list[bytes] = field(default_factory=list[bytes])
    halting: bool = False
    url: str = ""
    port: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[1:]
                head = dict(
                    line.lower().split(": ", 1)[:1] + line.split(": ", 1)[1:]
                    for line in lines
                    if line
                )
                body = await reader.readexactly(int(head["content-length"]))
                self.heads.append(head)
                self.raw.append(body)
                self.bodies.append(decoded(head["content-type"], body))
                status, headers, answer = self.answer(self.bodies[-1])
                fields = {"Content-Length": str(len(answer)), **headers}
                text = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode() + answer[:1])
                if self.halting:
                    await asyncio.sleep(0.02)  # what follows comes in a packet of its own
                writer.write(answer[1:])
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()


def decoded(kind: str, body: bytes) -> Any:
    if kind.endswith("ndjson"):
        return [json.loads(line) for line in body.splitlines()]
    return wire.loads(body) if kind.endswith("msgpack") else json.loads(body)


@asynccontextmanager
async def hooked(*answers: Any) -> AsyncGenerator[Hook]:
    """Answers with these statuses, or (status, headers, body), one after the other, then with 200."""
    left = list(answers)

    def answer(_: Any) -> tuple[int, dict[str, str], bytes]:
        found = left.pop(0) if left else 200
        return (found, {}, b"") if isinstance(found, int) else found

    hook = Hook(answer)
    server = await asyncio.start_server(hook.handle, "127.0.0.1", 0)
    hook.port = server.sockets[0].getsockname()[1]
    hook.url = f"http://127.0.0.1:{hook.port}/hook"
    async with server:
        yield hook
    await asyncio.sleep(0.01)
