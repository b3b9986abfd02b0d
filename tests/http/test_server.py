"""The server's life: its port, its end, and flows beside it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

import rxml
from rxml import operators as ops
from rxml.errors import PortTakenError
from rxml.http import App
from tests.http.helpers import app, collecting, eventually, http, post, raw, run
from tests.http.wire_client import client

ROOT = Path(__file__).resolve().parents[2]


def test_a_taken_port_is_named() -> None:
    async def main() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(
                PortTakenError, match=f"port {port} of 127.0.0.1 is taken"
            ) as caught:
                async with App(port=port).serve():
                    pass
            assert isinstance(caught.value, OSError)

    run(main())


def test_an_app_may_be_served_again_on_another_loop() -> None:
    service = app()
    flow = service.ingest("/in", schema=int)

    async def main() -> None:
        async with service.serve() as server, collecting(flow) as got:
            answers = await asyncio.gather(*[post(server, i) for i in range(5)])
            assert {answer.status for answer in answers} == {202}
            await got.reaches(5)

    run(main())
    run(main())


def test_ipv6_has_an_address_too() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.of(1))
        async with service.serve(host="::1") as server:
            assert server.url == f"http://[::1]:{server.port}"
            assert (await http(server, "/out")).body == b"1\n"

    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    run(main())


def test_what_is_under_way_comes_through_when_the_server_ends() -> None:
    async def main() -> None:
        service = app(drain_seconds=2.0)
        flow = service.ingest("/in", schema=int)
        async with collecting(flow) as got:
            async with service.serve() as server:
                host, port = server.host, server.port
                opened = raw(server)
                slow = await opened.__aenter__()
                await slow.send(
                    b"POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                    b"Content-Type: application/x-ndjson\r\n\r\n1"
                )
                keeping = raw(server)
                idle = await keeping.__aenter__()
                await asyncio.sleep(0.05)

                async def later() -> bytes:
                    await asyncio.sleep(0.1)
                    with pytest.raises(OSError, match="Connect call failed"):
                        await asyncio.open_connection(host, port)
                    await idle.send(b"GET /in HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    assert b" 503 " in await idle.head()
                    await slow.send(b"2")
                    return await slow.head()

                answering = asyncio.create_task(later())
            assert (await answering).startswith(b"HTTP/1.1 202 ")
            assert await got.reaches(1) == [12]
            await opened.__aexit__(None, None, None)
            await keeping.__aexit__(None, None, None)

    run(main())


def test_streams_are_told_that_the_server_ends() -> None:
    async def main() -> None:
        service = app(drain_seconds=0.5)
        service.stream("/out", rxml.never())
        async with service.serve() as server:
            opened = raw(server)
            lines = await opened.__aenter__()
            await lines.send(b"GET /out HTTP/1.0\r\nHost: localhost\r\n\r\n")
            await lines.head()
            plain = await connect(server.url.replace("http", "ws") + "/out")
            spoken = client(server, "/out")
            peer = await spoken.__aenter__()
            await peer.subscribe(1)
            await asyncio.sleep(0.05)
        last = json.loads(await lines.closed())
        assert last["error"]["code"] == "drain"
        await plain.wait_closed()
        assert plain.close_code == 4503
        frame = await peer.hear()
        assert frame["type"] == "drain"
        assert 0 < frame["deadline_ms"] <= 500
        assert (await peer.closed())[0] == 4503
        await spoken.__aexit__(None, None, None)
        await opened.__aexit__(None, None, None)

    run(main())


def test_a_stream_sends_what_is_on_its_way_and_takes_no_more() -> None:
    async def main() -> None:
        begun, told = asyncio.Event(), asyncio.Event()

        async def slowly(x: int) -> int:
            if x == 3:
                begun.set()
            if x:
                await told.wait()
            return x

        service = app(drain_seconds=1000.0)  # far more than the test has: it ends by itself
        flow = rxml.interval(0.01).pipe(ops.map_async(slowly, concurrency=3))
        service.stream("/out", flow)
        serving = service.serve()
        async with client(await serving.__aenter__(), "/out") as peer:
            await peer.subscribe(1000)
            await peer.items(1)
            await begun.wait()
            ending = asyncio.create_task(serving.__aexit__(None, None, None))
            assert (await peer.hear())["type"] == "drain"
            told.set()
            frames = [await peer.hear()]
            while frames[-1]["type"] == "next":
                frames.append(await peer.hear())
            assert frames[-1]["code"] == "drain"
            assert [item for frame in frames[:-1] for item in frame["items"]] == [1, 2, 3]
            assert (await peer.closed())[0] == 4503
        await ending

    run(main())


def test_background_flows_run_as_long_as_the_app_and_what_was_accepted_comes_through() -> None:
    async def main() -> None:
        got: list[int] = []
        service = app()
        flow = service.ingest("/in", schema=int)
        service.background(flow.pipe(ops.do_action(got.append)))
        service.background(rxml.throw("no matter"))
        async with service.serve() as server:
            assert (await post(server, [1, 2, 3])).status == 202
        assert got == [1, 2, 3]

    run(main())


def test_an_error_inside_serve_comes_out_of_it() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with app().serve():
                _ = 1 // 0

    run(main())


SCRIPT = """
import rxml, rxml.http
app = rxml.http.App(port=0)
app.stream("/out", rxml.never())
app.run(ready=lambda server: print(server.port, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.allow_blocking("starts a process")
def test_run_ends_by_a_signal_and_leaves_nothing(number: int) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, cwd=ROOT, stdout=-1, stderr=-1, env=os.environ
        )
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        async with connect(f"ws://127.0.0.1:{port}/out") as peer:
            process.send_signal(number)
            await peer.wait_closed()
            assert peer.close_code == 4503
        out, errors = await process.communicate()
        assert (process.returncode, out.strip(), errors) == (0, b"ended", b"")

    run(main())


def test_connections_that_end_leave_nothing_open() -> None:
    async def main() -> None:
        service = app()
        service.stream("/out", rxml.range(10))
        async with service.serve() as server:
            for _ in range(5):
                await http(server, "/out")
                async with connect(server.url.replace("http", "ws") + "/out") as peer:
                    await peer.wait_closed()
            await eventually(lambda: not server.connections)

    before = len(list(Path("/proc/self/fd").iterdir()))
    run(main())
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
