"""Who leaves before the answer is not waited for, and what it asked counts as what it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rxml.flow.service import Service
from tests.http.helpers import eventually, http, run
from tests.http.test_express import ROW, bare, client_of, request, service
from tests.http.test_heads import wire_of
from tests.http.test_ops_admin import Side, sample
from tests.unit.models.scoring.places import Timed


def test_a_request_whose_client_has_left_is_over() -> None:
    place = Timed(base=0.3)

    async def main() -> None:
        async with service(place, admin=0).serve() as server, client_of(server) as stays:

            async def told() -> str:
                return (await http(Side(server), "/metrics")).body.decode()

            async with client_of(server) as leaves:
                leaves.writer.write(2 * request(ROW))
                await eventually(lambda: len(place.batches) == 3)
                assert sample(await told(), "rxml_http_in_flight") == 1
                leaves.reset()
                await asyncio.sleep(0.05)
            text = await told()
            assert sample(text, "rxml_http_in_flight") == 0
            assert sample(text, "rxml_http_requests_total", path="/predict", status="499") == 1
            assert (await stays.ask(request(ROW)))[0] == 200
            text = await told()
            assert sample(text, "rxml_http_requests_total", path="/predict", status="200") == 3
            assert sample(text, "rxml_http_in_flight") == 0

    run(main())


def test_requests_that_are_more_than_are_parsed_at_once_are_all_answered() -> None:
    async def main() -> None:
        async with service(Timed(base=0.001)).serve() as server, client_of(server) as client:
            client.writer.write(200 * request(ROW))
            for _ in range(200):
                assert (await asyncio.wait_for(client.answer(), 5))[0] == 200
            assert (await client.ask(request(ROW)))[0] == 200

    run(main())


@pytest.mark.parametrize(
    ("wait", "body", "status"), [(None, ROW, 200), (None, b"", 400), (1.0, ROW, 429)]
)
def test_however_many_come_at_once_each_is_answered_as_it_is_taken(
    monkeypatch: pytest.MonkeyPatch, wait: float | None, body: bytes, status: int
) -> None:
    """A model that answers at once, or a refusal: none waits for the one before, nor on its stack."""

    def crowded(_service: Any, _within: float | None) -> float | None:
        return wait

    monkeypatch.setattr(Service, "crowded", crowded)

    async def main() -> None:
        async with service().serve() as server, bare(server) as client:
            await client.ask(request(ROW))
            client.writer.write(3000 * request(body))
            statuses = {(await asyncio.wait_for(client.answer(), 5))[0] for _ in range(3000)}
            assert statuses == {status}

    run(main())


def test_who_asks_on_and_on_before_the_first_answer_is_not_read() -> None:
    place = Timed(base=0.001)

    async def main() -> None:
        async with service(place).serve() as server, client_of(server) as client:
            place.base = 1.5
            client.writer.write(request(ROW))
            await client.writer.drain()

            async def ask_on() -> None:
                for _ in range(400):
                    client.writer.write(1000 * request(ROW))
                    await asyncio.wait_for(client.writer.drain(), 0.5)

            with pytest.raises(TimeoutError):
                await ask_on()
            client.reset()

    run(main())


def test_what_is_no_request_is_answered_behind_what_came_before() -> None:
    place = Timed(base=0.001)

    async def main() -> None:
        async with service(place).serve() as server, client_of(server) as client:
            place.base = 0.02
            begun = len(place.batches)
            client.writer.write(request(ROW))
            await eventually(lambda: len(place.batches) > begun)
            client.writer.write(b"NONSENSE\r\n\r\n")
            assert [(await client.answer())[0] for _ in range(2)] == [200, 400]
            assert await client.reader.read() == b""

    run(main())


@pytest.mark.parametrize(
    ("rest", "status"), [(request(ROW), 200), (request(ROW)[:-3], 400)], ids=["whole", "cut"]
)
def test_who_has_said_all_gets_an_answer_to_each(rest: bytes, status: int) -> None:
    place = Timed(base=0.001)

    async def main() -> None:
        async with service(place).serve() as server, client_of(server) as client:
            place.base = 0.02
            client.writer.write(2 * request(ROW) + rest)
            client.writer.write_eof()
            statuses = [(await asyncio.wait_for(client.answer(), 5))[0] for _ in range(3)]
            assert statuses == [200, 200, status]
            assert await client.reader.read() == b""

    run(main())


def test_a_connection_does_not_rest_while_it_is_answered_however_long_that_takes() -> None:
    place = Timed(base=0.02)

    async def main() -> list[bool]:
        async with service(place).serve() as server:
            wire = await wire_of(server)
            handler: Any = wire.handler
            begun = len(place.batches)
            handler.data_received(request(ROW))
            await eventually(lambda: len(place.batches) > begun)
            closed: list[bool] = []
            for _ in range(2):
                handler._next_keepalive_close_time = 0.0  # as after a day
                handler._process_keepalive()
                closed.append(wire.closed)
                await eventually(lambda: b"200 OK" in wire.written)
            return closed

    assert run(main()) == [False, True]
