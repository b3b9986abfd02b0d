"""Who waits in the kernel until there is room: nobody is dropped there, and so sent away for a second, without need."""

from __future__ import annotations

import asyncio
import select
import socket
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from rxml.http import listener
from rxml.http.backlog import FEW
from tests.http.helpers import eventually, run
from tests.http.ports import Still, port
from tests.http.test_listener import ASK, answered, narrow, service

if TYPE_CHECKING:
    import pytest


_SOON = 30
"""Milliseconds in which the kernel of a busy machine lets somebody in; whoever is dropped tries again after a thousand."""


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class Narrowing(Still):
    """A valve that lets 32 in from its first look on."""

    @override
    def read(self, seconds: float, now: float, open_: int) -> bool:
        self.limit = 32
        return True


def arrived(number: int, count: int) -> list[socket.socket]:
    """Of so many connections that are begun while the loop does something else, those that the kernel has let in."""
    poll = select.poll()
    begun: dict[int, socket.socket] = {}
    for _ in range(count):
        made = socket.socket()
        made.setblocking(False)
        made.connect_ex(("127.0.0.1", number))
        begun[made.fileno()] = made
        poll.register(made, select.POLLOUT)
    found: list[socket.socket] = []
    while begun and (come := poll.poll(_SOON)):
        for descriptor, _ in come:
            poll.unregister(descriptor)
            found.append(begun.pop(descriptor))
    for made in begun.values():
        made.close()
    return found


def test_a_burst_that_comes_in_a_pause_waits_and_is_not_sent_away() -> None:
    async def main() -> None:
        async with port(Still(300)) as here:
            clients = arrived(here.number, 300)
            assert len(clients) == 300
            await eventually(lambda: len(here.open) == 300)
            for each in clients:
                each.close()

    run(main())


def test_nobody_is_sent_away_for_a_second_because_fewer_may_be_open_for_a_moment() -> None:
    """What the kernel drops is tried again after one second, then after three, even if there was room at once."""

    async def main() -> None:
        async with port(Narrowing(300)) as here:
            clients = arrived(here.number, 150)
            here.listener.works()
            await turns()
            assert here.valve.limit == len(here.open) == 32
            clients += arrived(here.number, 150)
            assert len(clients) == 300
            here.narrow(300)
            here.listener.look()
            await eventually(lambda: len(here.open) == 300)
            for each in clients:
                each.close()

    run(main())


def test_few_wait_in_the_kernel_once_some_have_waited_for_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "PATIENCE", 0.05)

    async def main() -> None:
        async with port(Narrowing(300)) as here:
            clients = arrived(here.number, 100)
            here.listener.works()
            await turns()
            assert len(here.open) == 32
            await eventually(lambda: here.waits == FEW)
            clients += arrived(here.number, 200)
            assert 32 + FEW <= len(clients) <= 32 + FEW + 1
            here.narrow(300)
            here.listener.look()
            await eventually(lambda: here.waits == 300 and len(here.open) == len(clients))
            for each in clients:
                each.close()

    run(main())


def test_it_is_over_with_the_last_who_waited_however_many_are_taken_in_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "PATIENCE", 0.05)

    async def main() -> None:
        async with port(Still(300)) as here:
            here.narrow(0)
            clients = arrived(here.number, 16)  # as many as are taken in one
            await eventually(lambda: here.waits == FEW)
            here.narrow(299)
            here.listener.look()
            await eventually(lambda: len(here.open) == 16)
            assert here.waits == 300
            for each in clients:
                each.close()

    run(main())


def test_who_asks_nothing_keeps_nobody_out() -> None:
    """Fewer may be open than are, but most of those have not asked lately: they cost nothing."""

    async def main() -> None:
        async with service().serve() as server:
            idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(4)]
            for reader, writer in idle:
                writer.write(ASK)
                await answered(reader)
            cast("Any", server)._http.activity.end = 0.0  # as if that was long ago
            narrow(server, 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for _ in range(2):
                writer.write(ASK)
                head, _ = await answered(reader)
                assert head.startswith(b"HTTP/1.1 200 ")
                assert b"connection: close" not in head.lower()
            assert server.connections == 5
            for _, each in [*idle, (reader, writer)]:
                each.close()

    run(main())
