"""Clients that go away, and networks that stall, reset, cut short and throttle: everybody else is answered as ever."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.flow.context import Outcome
from rxml.models import ModelSupervisor
from rxml.resilience import Breaker, Ejection
from tests.chaos.client import Bystander, Client, who
from tests.chaos.faulty import doubled
from tests.chaos.proxy import HEALTHY, Fault, Proxy, seeded
from tests.http.helpers import app, eventually, run

if TYPE_CHECKING:
    from rxml.http import App

X = Schema.of(x="float64")


def served() -> App:
    service = app()
    service.predict("/double", ops.score(models.from_function(doubled, inputs=X), name="double"))
    return service


async def asked(port: int, x: float, *, seconds: float = 5.0) -> Any:
    """The value that the server gives, over a connection of its own.

    Raises:
        TimeoutError: not in time.
        aiohttp.ClientError: the connection has failed.
    """
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with asyncio.timeout(seconds):
            reply = await session.post(f"http://127.0.0.1:{port}/double", json={"x": x})
            return (await reply.json(content_type=None))["value"]


async def leaves(port: int, random: Random) -> None:
    """Sends a request, or some of it, and is gone."""
    body = json.dumps({"x": 1.0}).encode()
    head = f"POST /double HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request[: random.choice([len(request), random.randrange(len(request))])])
    if random.random() < 0.5:
        await writer.drain()
        await asyncio.sleep(0)
    writer.transport.abort()


def test_clients_that_go_away_take_nothing_from_those_who_stay() -> None:
    async def main() -> None:
        random = Random(1)
        async with served().serve() as server:
            for x in range(40):
                gone = [leaves(server.port, random) for _ in range(5)]
                value, *_ = await asyncio.gather(asked(server.port, float(x)), *gone)
                assert value == 2.0 * x
            async with asyncio.timeout(5):
                await eventually(lambda: server.connections == 0)

    run(main())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_through_a_bad_network_a_retry_is_answered_and_nobody_beside_notices(seed: int) -> None:
    async def insists(port: int, x: float) -> Any:
        while True:
            try:
                return await asked(port, x, seconds=0.2)
            except (TimeoutError, aiohttp.ClientError, ConnectionError, ValueError):
                await asyncio.sleep(0)

    async def main() -> None:
        async with (
            served().serve() as server,
            Proxy(server.port, seeded(seed, size=400, faulty=15)) as bad,
        ):
            for x in range(10):
                asks = [insists(bad.port, x), insists(bad.port, -x), asked(server.port, x)]
                values: list[Any] = await asyncio.gather(*asks)
                assert values == [2.0 * x, -2.0 * x, 2.0 * x]
            assert bad.connections > 20
            await bad.cut()
            async with asyncio.timeout(5):
                await eventually(lambda: server.connections == 0)

    run(main())


FAULTS = {
    "stall": Fault("stall", 0),
    "reset": Fault("reset", 50),
    "half_close": Fault("half_close", 10),
    "truncate": Fault("truncate", 60),
    "throttle": Fault(rate=50.0),
    "slow": Fault(delay=0.5),
    "stall up": Fault("stall", 20, way="up"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_behind_a_bad_network_is_left_for_one_that_is_near_and_comes_back(
    fault: str,
) -> None:
    async def main() -> None:
        now = [HEALTHY]
        async with served().serve() as server, Proxy(server.port, lambda _: now[0]) as proxy:

            async def remote(row: dict[str, float]) -> Any:
                return await asked(proxy.port, row["x"])

            async def local(row: dict[str, float]) -> Any:
                return 2 * row["x"]

            given = ModelSupervisor(
                {"remote": remote, "local": local},
                weights={"remote": 1.0},
                within=1.0,
                breaker=partial(Breaker, least=4, wait=0.05, most=0.1, probes=1),
                ejection=partial(Ejection, seconds=0.05, most=0.1),
            )
            async with (
                Bystander() as bystander,
                Client(ops.supervise_models(given, ordered=False)) as client,
            ):
                assert "remote" in map(who, await client.keep_asking(20))
                now[0] = FAULTS[fault]
                assert "local" in map(who, await client.keep_asking(60))
                await bystander.require_unharmed()
                now[0] = HEALTHY
                async with asyncio.timeout(10):
                    await client.until_answered("remote")
                await bystander.require_unharmed()
            client.require_right()
            assert client.outcomes() == {Outcome.ANSWERED: len(client.ends)}

    run(main(), 20)
