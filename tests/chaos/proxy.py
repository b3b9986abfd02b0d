"""A TCP proxy that does to connections what networks do: delays, throttles, stalls, resets, half-closes, truncates."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from random import Random
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Event: TypeAlias = Literal["stall", "reset", "half_close", "truncate"]
EVENTS: Final[tuple[Event, ...]] = ("stall", "reset", "half_close", "truncate")
_PIECE: Final = 16 * 2**10


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one connection, on its `way` down from the server or up to it, once `after` bytes have passed.

    Nothing more passes (stall), RST both ways (reset), an end in order of this way (half_close), or of both (truncate).
    Each piece waits for `delay` seconds, and passes at `rate` bytes a second.
    """

    event: Event | None = None
    after: int = 0
    delay: float = 0.0
    rate: float | None = None
    way: Literal["down", "up"] = "down"


HEALTHY: Final = Fault()


def seeded(seed: int, *, size: int, faulty: int, events: tuple[Event, ...] = EVENTS) -> Callable[[int], Fault]:  # fmt: skip
    """The first `faulty` connections each meet some event within `size` bytes, drawn from the seed; later ones none."""

    def fault(number: int) -> Fault:
        random = Random(f"{seed}:{number}")
        event, after = random.choice(events), random.randrange(size)
        return Fault(event, after) if number < faulty else HEALTHY

    return fault


class Proxy:
    """Listens inside `async with`; each connection goes on to `target` and meets the fault of its number, from 0."""

    def __init__(self, target: int, fault: Callable[[int], Fault] = lambda _: HEALTHY) -> None:
        self._target = target
        self._fault = fault
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_PIECE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """End the connections that there are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault, self.connections = self._fault(self.connections), self.connections + 1
        task = asyncio.create_task(self._join(reader, writer, fault))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault) -> None:  # fmt: skip
        both = [writer]
        up, down = (fault, HEALTHY) if fault.way == "up" else (HEALTHY, fault)
        try:
            onward, back = await asyncio.open_connection("127.0.0.1", self._target, limit=_PIECE)
            both.append(back)
            async with asyncio.TaskGroup() as group:
                for way in ((reader, back, up), (onward, writer, down)):
                    _ = group.create_task(_pass(*way))
        except* EOFError:
            pass  # both ways end in order
        except* OSError:
            _linger(*both)
        finally:
            for each in both:
                each.close()


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter, fault: Fault) -> None:
    passed = 0
    while data := await source.read(_PIECE):
        cut = len(data) if fault.event is None else max(0, fault.after - passed)
        passed += len(data)
        await asyncio.sleep(fault.delay + (len(data) / fault.rate if fault.rate else 0.0))
        target.write(data[:cut])
        await target.drain()
        if cut < len(data):
            await _happen(fault.event, target)
    target.write_eof()


async def _happen(event: Event | None, target: asyncio.StreamWriter) -> None:
    if event in ("reset", "truncate"):
        raise ConnectionResetError if event == "reset" else EOFError
    if event == "half_close":
        target.write_eof()
    await asyncio.Event().wait()


def _linger(*writers: asyncio.StreamWriter) -> None:
    """RST instead of FIN: what lingers for 0 seconds is not closed in order."""
    for writer in writers:
        if (found := writer.get_extra_info("socket")).fileno() >= 0:
            found.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
