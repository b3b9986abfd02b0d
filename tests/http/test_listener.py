"""The port: who is taken, who waits in the kernel, who is refused, and what becomes of them when the server ends."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, cast

import pytest
import trustme

from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.http import App, listener
from rxml.http.stale import turn_away, waited
from rxml.http.valve import READING, WINDOW
from tests.http.helpers import eventually, run
from tests.http.ports import MOST, Still, echoed, port

if TYPE_CHECKING:
    from rxml.http.server import Server

MODEL = models.from_function(lambda rows: rows["x"], inputs=Schema.of(x="float64"))
ASK = b'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n{"x": 1}'


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_all_are_taken_while_nothing_is_the_matter() -> None:
    async def main() -> None:
        async with port() as here:
            clients = [await here.client() for _ in range(MOST)]
            assert [await echoed(*each) for each in clients] == [b"hello"] * MOST
            for _, writer in clients:
                writer.close()

    run(main())


def test_who_is_too_many_waits_in_the_kernel_until_one_leaves() -> None:
    async def main() -> None:
        async with port(Still(MOST)) as here:
            here.narrow(1)
            first = await here.client()
            assert await echoed(*first) == b"hello"
            second = await here.client()
            second[1].write(b"hello")
            await turns()
            assert len(here.open) == 1
            first[1].close()
            assert await second[0].readexactly(5) == b"hello"
            second[1].close()

    run(main())


def test_it_opens_by_itself_when_nothing_is_asked() -> None:
    async def main() -> None:
        async with port() as here:
            here.narrow(1)
            clients = [await here.client() for _ in range(5)]
            assert [await echoed(*each) for each in clients] == [b"hello"] * 5
            assert here.valve.limit > 1
            for _, writer in clients:
                writer.close()

    run(main())


def test_it_opens_when_the_valve_does() -> None:
    async def main() -> None:
        async with port() as here:
            here.narrow(32)
            clients = [await here.client() for _ in range(40)]
            await eventually(lambda: len(here.open) == 32)
            while here.valve.limit < 40:
                here.valve.read(READING / 10, here.valve.limit * WINDOW * 1000, 32)
            here.listener.look()
            await eventually(lambda: len(here.open) == 40)
            for _, writer in clients:
                writer.close()

    run(main())


def test_no_more_connections_end_with_their_answer_than_are_too_many() -> None:
    async def main() -> None:
        async with port() as here:
            clients = [await here.client() for _ in range(10)]
            await eventually(lambda: len(here.open) == 10)
            assert not here.listener.leaves()
            here.narrow(7)
            assert [here.listener.leaves() for _ in range(10)] == [True] * 3 + [False] * 7
            for _, writer in clients[:3]:
                writer.close()
            await eventually(lambda: len(here.open) == 7)
            assert not here.listener.leaves()
            here.narrow(6)
            assert [here.listener.leaves() for _ in range(3)] == [True, False, False]
            for _, writer in clients:
                writer.close()

    run(main())


class Spent:
    """A listening socket that has no descriptor for the first connection."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def accept(self) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return self.real.accept()


def test_without_a_descriptor_it_tries_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "_PAUSE", 0.01)

    async def main() -> None:
        async with port() as here:
            there: Any = here.listener
            loop = asyncio.get_running_loop()
            loop.remove_reader(there._sockets[0])
            spent: Any = Spent(there._sockets[0])
            there._sockets = [spent]
            loop.add_reader(spent, there._take, spent)
            client = await here.client()
            assert await echoed(*client) == b"hello"
            assert spent.asked > 1
            client[1].close()

    run(main())
    assert "no connection can be taken" in caplog.text


def test_what_has_waited_too_long_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PATIENCE", -1.0)

    async def main() -> None:
        async with port(Still(MOST)) as here:
            here.narrow(0)
            reader, writer = await here.client()
            writer.write(b"hello")
            await turns()
            here.narrow(50)
            here.listener.look()
            answer = await reader.read()
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nRetry-After: 1\r\n" in head
            assert b"waited too long" in body
            assert here.refused == 1
            assert not here.open
            writer.close()

    run(main())


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


def test_only_what_has_come_and_was_not_read_waits() -> None:
    client, taken = pair()
    with client, taken:
        assert waited(taken) == 0.0
        client.sendall(b"x")
        for _ in range(1_000_000):
            if waited(taken) > 0.0:
                break
        assert 0.0 < waited(taken) < 60.0
        client.shutdown(socket.SHUT_WR)
        assert waited(taken) == inf
    left, right = socket.socketpair()
    with left, right:
        assert waited(left) == 0.0


def test_who_has_said_nothing_yet_is_told_as_well() -> None:
    client, taken = pair()
    taken.settimeout(0.0)
    with client:
        turn_away(taken, secure=False)
        client.settimeout(5.0)
        assert client.recv(4096).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("secure", [False, True])
def test_who_is_turned_away_is_told_unless_it_wants_tls(secure: bool) -> None:
    client, taken = pair()
    with client:
        client.sendall(ASK)
        taken.settimeout(1.0)
        turn_away(taken, secure=secure)
        client.settimeout(5.0)
        said = client.recv(4096)
    assert said.startswith(b"" if secure else b"HTTP/1.1 503 ")
    assert bool(said) is not secure
    assert taken.fileno() == -1


def test_a_client_that_does_not_speak_tls_keeps_nobody_else_out() -> None:
    authority: Any = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def main() -> None:
        async with port(ssl=context, ssl_handshake_timeout=5.0) as here:
            _, rude = await here.client()
            rude.write(b"GET / HTTP/1.1\r\n\r\n")
            client = await asyncio.open_connection(
                "127.0.0.1", here.number, ssl=trusting, server_hostname="localhost"
            )
            assert await echoed(*client) == b"hello"
            assert len(here.open) == 1
            for writer in (rude, client[1]):
                writer.close()

    run(main())


def test_no_more_are_let_shake_hands_than_may_be_open() -> None:
    authority: Any = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    async def main() -> None:
        async with port(Still(3), ssl=context, ssl_handshake_timeout=30.0) as here:
            silent = [await here.client() for _ in range(5)]
            await eventually(lambda: here.refused == 2)
            ends = [asyncio.ensure_future(reader.read()) for reader, _ in silent]
            done, waiting = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 2:
                more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                done |= more
            assert len(waiting) == 3
            for end in waiting:
                end.cancel()
            await asyncio.wait(waiting)
            for _, writer in silent:
                writer.close()

    run(main())


async def answered(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(
        line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")
    )
    return head, await reader.readexactly(int(size.partition(b": ")[2]))


def narrow(server: Server, limit: int) -> None:
    valve = Still(MOST)
    valve.limit = limit
    cast("Any", server)._listener._valve = valve


def service() -> App:
    app = App(port=0)
    app.predict("/predict", ops.score(MODEL, name="model"))
    return app


def test_who_waits_at_the_port_when_the_server_ends_is_told() -> None:
    async def main() -> None:
        async with service().serve() as server:
            kept, first = await asyncio.open_connection("127.0.0.1", server.port)
            first.write(ASK)
            assert (await answered(kept))[0].startswith(b"HTTP/1.1 200 ")
            narrow(server, 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(ASK)
            await turns()
            assert server.connections == 1
            first.close()
        head, body = await answered(reader)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"about to end" in body
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    run(main())


@pytest.mark.parametrize("extra", ["", "Authorization: Bearer none\r\n"])
def test_connections_that_are_too_many_end_with_their_answer(extra: str) -> None:
    asked = ASK.replace(b"Content-Length", extra.encode() + b"Content-Length")

    async def main() -> None:
        async with service().serve() as server:
            clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(4)]
            for reader, writer in clients:
                writer.write(asked)
                assert b"connection: close" not in (await answered(reader))[0].lower()
            narrow(server, 3)
            ends = 0
            for reader, writer in clients:
                writer.write(asked)
                head, _ = await answered(reader)
                assert head.startswith(b"HTTP/1.1 200 ")
                if b"connection: close" in head.lower():
                    ends += 1
                    assert await reader.read() == b""
            assert ends == 1
            for _, writer in clients:
                writer.close()

    run(main())
