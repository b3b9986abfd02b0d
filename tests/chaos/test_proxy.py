"""The proxy does what it says: else the tests that stand on it show nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.chaos.proxy import Fault, Proxy, seeded
from tests.http.helpers import run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.chaos.proxy import Event

SENT = bytes(range(256)) * 400


@asynccontextmanager
async def through(
    fault: Fault,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection by the proxy to a server that sends `SENT` and then what it is sent."""

    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(SENT)
            writer.write(await reader.read())
        writer.close()
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Proxy(port, lambda _: fault) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
    await served.wait()
    await asyncio.sleep(0)


@pytest.mark.parametrize("fault", [Fault(), Fault(delay=0.001), Fault(rate=5e6)])
def test_all_comes_through_in_order(fault: Fault) -> None:
    async def main() -> None:
        async with through(fault) as (reader, writer):
            writer.write(b"end")
            writer.write_eof()
            assert await reader.read() == SENT + b"end"

    run(main())


@pytest.mark.parametrize("event", ["truncate", "half_close"])
def test_an_end_in_order_comes_after_so_many_bytes(event: Event) -> None:
    async def main() -> None:
        async with through(Fault(event, 1000)) as (reader, _):
            assert await reader.read() == SENT[:1000]

    run(main())


def test_a_reset_is_one() -> None:
    async def main() -> None:
        async with through(Fault("reset", 1000)) as (reader, _):
            with pytest.raises(ConnectionResetError):
                await reader.read()

    run(main())


def test_a_stall_neither_sends_nor_ends() -> None:
    async def main() -> None:
        async with through(Fault("stall", 1000)) as (reader, _):
            assert await reader.readexactly(1000) == SENT[:1000]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.05)

    run(main())


def test_a_seed_draws_the_same_faults_again() -> None:
    one, other = (seeded(seed, size=10**6, faulty=20) for seed in (7, 8))
    assert [one(i) for i in range(25)] == [seeded(7, size=10**6, faulty=20)(i) for i in range(25)]
    assert [one(i) for i in range(20)] != [other(i) for i in range(20)]
    assert all(one(i).event is None for i in range(20, 25))
