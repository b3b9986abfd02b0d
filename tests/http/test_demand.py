"""Demand reaches the socket: what nobody asks for is not read, and what is not asked for in time is told so."""

from __future__ import annotations

import asyncio
import json

from rxml.http.pace import Pace
from tests.http.helpers import app, collecting, eventually, post, raw, run

HEAD = b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
LINE = b'{"x": "%s"}\n' % (b"y" * 20_000)


def test_a_body_is_not_read_while_nothing_is_wanted() -> None:
    async def main() -> None:
        service = app(drain_seconds=0.1)
        flow = service.ingest("/in", deadline=30.0)
        async with service.serve() as server, raw(server) as client:
            await client.send(HEAD + b"Content-Length: %d\r\n\r\n" % (1_500 * len(LINE)))
            sent = 0

            async def push() -> None:
                nonlocal sent
                for _ in range(1_500):
                    await client.send(LINE)
                    sent += 1

            async with flow.open() as subscription:
                pushing = asyncio.create_task(push())
                await asyncio.sleep(0.3)
                stalled = sent
                await asyncio.sleep(0.1)
                assert sent == stalled < 750  # the kernel's buffers are full, not the server's
                taken = 0
                while taken < 1_000:
                    taken += len(await subscription.request(100))
                await eventually(lambda: sent > stalled)
                pushing.cancel()
                await asyncio.wait([pushing])

    run(main())


def test_a_run_gets_exactly_what_it_asks_for() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", deadline=0.2)
        async with service.serve() as server, flow.open() as subscription:
            posting = asyncio.create_task(post(server, [{"i": i} for i in range(10)]))
            assert len(await subscription.request(3)) == 3
            answer = await posting
            assert answer.status == 429
            assert answer.json["accepted"] == answer.json["next"] == 3
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            posting = asyncio.create_task(post(server, [{"i": i} for i in range(3, 10)]))
            got = [element["i"] for element in (await subscription.request(100)).elements]
            assert got == list(range(3, 10))
            assert (await posting).status == 202

    run(main())


def test_elements_before_the_stop_keep_their_errors() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int, deadline=0.1)
        async with service.serve() as server, flow.open() as subscription:
            posting = asyncio.create_task(post(server, ["x", 1, "x", 2, 3, "x"]))
            assert list((await subscription.request(1)).elements) == [1]
            answer = await posting
            assert answer.status == 429
            assert [answer.json[name] for name in ("accepted", "rejected", "next")] == [1, 2, 3]

    run(main())


def test_with_a_capacity_elements_wait_for_demand() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int, deadline=0.1, capacity=5)
        async with service.serve() as server, flow.open() as subscription:
            posting = asyncio.create_task(post(server, list(range(10))))
            assert list((await subscription.request(1)).elements) == [0]
            answer = await posting
            assert (answer.status, answer.json["next"]) == (429, 6)
            left = [
                element for _ in range(2) for element in (await subscription.request(9)).elements
            ]
            assert left == [1, 2, 3, 4, 5]

    run(main())


def test_nobody_who_reads_is_told_apart() -> None:
    async def main() -> None:
        service = app()
        _ = service.ingest("/in", deadline=0.05)
        async with service.serve() as server:
            answer = await post(server, {})
            assert answer.status == 429
            assert "nothing reads /in" in answer.json["error"]

    run(main())


def test_many_senders_take_turns() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        async with service.serve() as server, collecting(flow, n=1) as got:
            answers = await asyncio.gather(*[post(server, [i] * 5) for i in range(20)])
            assert {answer.status for answer in answers} == {202}
            assert sorted(await got.reaches(100)) == sorted(list(range(20)) * 5)

    run(main())


def test_a_client_that_vanishes_loses_only_what_was_not_accepted() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in", schema=int)
        async with service.serve() as server, collecting(flow) as got:
            async with raw(server) as client:
                await client.send(HEAD + b"Content-Length: 1000\r\n\r\n1\n2\n3\n4")
                await got.reaches(3)
            assert (await post(server, 5)).status == 202
            assert await got.reaches(4) == [1, 2, 3, 5]

    run(main())


def test_a_client_that_asks_first_is_told_to_go_on_only_when_its_body_is_wanted() -> None:
    async def main() -> None:
        service = app()
        flow = service.ingest("/in")
        async with service.serve() as server, raw(server) as client:
            body = json.dumps({"x": 1}).encode()
            head = b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            await client.send(
                head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            going_on = asyncio.create_task(client.head())
            await asyncio.sleep(0.05)
            assert not going_on.done()
            async with collecting(flow) as got:
                assert (await going_on).startswith(b"HTTP/1.1 100 ")
                await client.send(body)
                assert await got.reaches(1) == [{"x": 1}]
                assert (await client.head()).startswith(b"HTTP/1.1 202 ")

    run(main())


def test_retry_after_follows_from_the_pace() -> None:
    pace = Pace()
    assert pace.wait(1, now=0.0, most=60) == 60
    for second in range(100):
        pace.record(50, float(second))
    assert 45 < pace.rate(99.0) < 55
    assert pace.wait(500, now=99.0, most=60) in (10, 11)
    assert pace.wait(1, now=99.0, most=60) == 1
    assert pace.wait(10_000, now=99.0, most=60) == 60
    assert pace.rate(1000.0) < 1e-6
