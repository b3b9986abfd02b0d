"""What the serving cases count as failed: by what became of it, and not what a late client or a slow death has made of it."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from typing_extensions import override

from benchmarks.cases.chaos_kill import under_way
from benchmarks.serving import open_loop
from benchmarks.serving.open_loop import GAVE_UP, LOST, UNSENT, Opened, OpenLoop
from benchmarks.serving.overload import failures

if TYPE_CHECKING:
    import pytest

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def one_each(listener: socket.socket, ended: threading.Event) -> None:
    """Answers one request of each of two connections, and closes it."""
    for _ in range(2):
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(WHOLE)
        ended.set()


class Sleeper(OpenLoop):
    """A client that others keep from working once it has its first answer, until the server has closed that connection."""

    def __init__(self, port: int, ended: threading.Event) -> None:
        super().__init__(port, [REQUEST], give_up=60.0, most=5)
        self.ended = ended
        self.slept = 0.0

    def now(self) -> float:
        return time.perf_counter() + self.slept

    @override
    def _work(self, wait: float) -> None:
        super()._work(wait)
        if self._idle and not self.slept:
            assert self.ended.wait(30.0)
            self.slept = 10.0


def test_a_client_that_is_late_does_not_ask_on_a_connection_that_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()
        thread = threading.Thread(target=one_each, args=(listener, ended))
        thread.start()
        loop = Sleeper(listener.getsockname()[1], ended)
        monkeypatch.setattr(open_loop, "time", SimpleNamespace(perf_counter=loop.now))
        found = loop.run([0.0, 5.0])
        loop.close()
        thread.join()
    assert found.statuses.tolist() == [200, 200]


def test_what_failed_is_told_by_what_became_of_it() -> None:
    found = Opened()
    for number, status in enumerate([200, 200, 429, 503, 504, GAVE_UP, LOST, LOST, UNSENT, 500]):
        found.add(0.1 * number, 0.01, status, number)
    assert failures(found) == {
        "refused": 1,
        "unavailable": 1,
        "too_late": 1,
        "gave_up": 1,
        "lost": 2,
        "unsent": 1,
        "otherwise": 1,
    }


def test_under_way_is_what_a_worker_that_takes_its_time_to_die_may_have_been_sent() -> None:
    found = Opened()
    for due, latency in [(0.5, 0.4), (0.9, 0.2), (1.05, 0.01), (1.1, 0.3), (1.2, 0.01)]:
        found.add(due, latency, LOST, 0)
    assert under_way(found, 1.0, 1.1) == 3
    assert under_way(found, 1.0, 1.0) == 1
