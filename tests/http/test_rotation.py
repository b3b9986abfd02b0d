"""Of many that are ready, a few are read in a turn, each has its turn, and how long reading all takes is still known."""

from __future__ import annotations

import asyncio
import socket
import sys
from selectors import EVENT_READ, EVENT_WRITE
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from rxml.http import App, listener, rotation
from rxml.http.rotation import MOST, new_loop, unread
from tests.http.helpers import run
from tests.http.ports import MOST as OPEN
from tests.http.ports import Still, port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.http.server import Server

linux = pytest.mark.skipif(sys.platform != "linux", reason="only epoll tells of some")


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """So many that there are three turns, each with something to read."""
    made = [socket.socketpair() for _ in range(2 * MOST + 10)]
    for left, _ in made:
        left.send(b"x")
    yield made
    for left, right in made:
        left.close()
        right.close()


@linux
def test_each_has_its_turn_though_none_is_read(
    pairs: list[tuple[socket.socket, socket.socket]],
) -> None:
    selector = rotation.Rotation()
    for number, (_, right) in enumerate(pairs):
        selector.register(right, EVENT_READ, number)
    told: list[int] = []
    for _ in range(3):
        found = selector.select(0)
        assert len(found) <= MOST
        assert selector.more
        assert all(events == EVENT_READ for _, events in found)
        told += [key.data for key, _ in found]
    assert {*told} == {*range(len(pairs))}
    selector.close()


@linux
def test_it_tells_what_any_selector_tells() -> None:
    selector = rotation.Rotation()
    left, right = socket.socketpair()
    selector.register(left, EVENT_READ, "a")
    assert selector.select(0) == []
    assert not selector.more
    selector.modify(left, EVENT_READ | EVENT_WRITE, "b")
    assert [(key.data, events) for key, events in selector.select(None)] == [("b", EVENT_WRITE)]
    right.close()
    found = selector.select(1.0)
    assert [(key.data, events) for key, events in found] == [("b", EVENT_READ | EVENT_WRITE)]
    selector.modify(left, EVENT_READ, "c")
    assert [(key.data, events) for key, events in selector.select(-1)] == [("c", EVENT_READ)]
    selector.unregister(left)
    assert selector.select(0) == []
    left.close()
    selector.close()


@linux
def test_a_loop_with_it_does_what_a_loop_does() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, rotation.RotatingLoop)
        assert not unread(loop)()
        assert await asyncio.to_thread(lambda: 5) == 5
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "exit(3)")
        assert await process.wait() == 3

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


class Other(asyncio.SelectorEventLoop):
    """A loop of another sort."""


def test_a_loop_that_a_policy_asks_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "new_event_loop", Other)
    loop = new_loop()
    assert type(loop) is Other
    assert not unread(loop)()
    loop.close()


@linux
def test_an_app_that_runs_by_itself_has_such_a_loop() -> None:
    rotating: list[bool] = []

    def ready(server: Server) -> None:
        rotating.append(isinstance(asyncio.get_running_loop(), rotation.RotatingLoop))
        server.ask_to_end()

    App(port=0).run(ready=ready)
    assert rotating == [True]


class Recording(Still):
    """A valve that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(OPEN)
        self.told: list[tuple[float, int]] = []

    @override
    def read(self, seconds: float, now: float, open_: int) -> bool:
        self.told.append((seconds, open_))
        return False


def test_reading_is_that_of_all_turns_until_each_has_been_read_or_none_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, more = 10.0, True
    monkeypatch.setattr(listener, "thread_time", lambda: clock)

    async def main() -> list[tuple[float, int]]:
        nonlocal clock, more
        valve = Recording()
        async with port(valve) as here:
            there: Any = here.listener
            there._unread = lambda: more
            there._open = lambda: 100
            for count, left in ((41, True), (41, True), (41, True), (41, True), (41, False)):
                more = left
                for _ in range(count):
                    here.listener.works()
                    clock += 0.5
                clock += 1000.0
                await asyncio.sleep(0)
        return valve.told

    told = run(main())
    assert [open_ for _, open_ in told] == [100, 100]
    assert [seconds for seconds, _ in told] == pytest.approx([60.0, 40.0])
