"""The client of the serving cases: what it reads, when it asks, what it does with servers that fail."""

from __future__ import annotations

import math
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given

from benchmarks.cases.serve_recovery import WINDOW, recovery
from benchmarks.serving.answers import ProtocolError, parse
from benchmarks.serving.arrivals import poisson
from benchmarks.serving.closed import ClosedLoop
from benchmarks.serving.dialects import PLAIN
from benchmarks.serving.measure import Target, WrongAnswerError, percentile
from benchmarks.serving.open_loop import GAVE_UP, LOST, UNSENT, Opened, OpenLoop
from benchmarks.serving.rows import FEATURES, probability, regression, rows
from benchmarks.serving.websocket import masked, split

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

BODY = b'{"value":0.5}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n" + BODY
CHUNKED = (
    b"HTTP/1.1 429 Too Many Requests\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b'5;x=1\r\n{"val\r\n8\r\nue":0.5}\r\n0\r\n\r\n'
)


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED])
def test_an_answer_is_there_when_its_last_byte_is(answer: bytes) -> None:
    for end in range(1, len(answer)):
        found = parse(answer[:end])
        # The two bytes after the last chunk tell nothing more.
        assert found is None or (answer is CHUNKED and end >= len(answer) - 2)
    found = parse(answer)
    assert found is not None
    assert found.body == BODY
    assert (found.status, found.closes) == ((200, False) if answer is WHOLE else (429, True))


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", WHOLE + b"x", b"HTTP/1.1 200 OK\r\n\r\nbody", b"HTTP/2"]
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse(data)


@given(st.lists(st.binary(max_size=300) | st.just(b"x" * 70_000), max_size=5), st.integers(0, 200))
def test_frames_come_out_as_they_went_in(payloads: list[bytes], cut: int) -> None:
    # As a server sends them: without the bit of the mask and the mask.
    sent = [_unmasked(masked(payload), len(payload)) for payload in payloads]
    data = b"".join(sent)
    frames, rest = split(data[:cut])
    more, left = split(rest + data[cut:])
    assert [payload for _, payload in frames + more] == payloads
    assert left == b""


def _unmasked(frame: bytes, length: int) -> bytes:
    head = frame[: len(frame) - length - 4]
    return head[:1] + bytes([head[1] & 0x7F]) + head[2:] + frame[len(frame) - length :]


def test_requests_are_due_as_often_as_was_said() -> None:
    due = poisson([(10.0, 1000.0), (10.0, 100.0)])
    first = sum(at < 10.0 for at in due)
    assert due == sorted(due)
    assert abs(first - 10_000) < 400
    assert abs(len(due) - first - 1000) < 130
    assert due == poisson([(10.0, 1000.0), (10.0, 100.0)])


def test_the_model_of_the_servers_is_that_of_the_client() -> None:
    some = rows(5)
    assert len(some[0]) == FEATURES
    values = regression().predict_proba(some)[:, 1]
    assert values == pytest.approx([probability(row) for row in some], rel=1e-12)
    target = Target((), PLAIN)
    target.check([(0, b'{"value": %.12f}' % probability(some[0]))])
    with pytest.raises(WrongAnswerError, match="row 1"):
        target.check([(1, b'{"value": %.12f}' % probability(some[0]))])


@contextmanager
def server(answers: Callable[[socket.socket, int], None]) -> Generator[int]:
    """A thread for each connection, which is called with it and its number."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answers, args=(connection, number), daemon=True).start()
            number += 1

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def always(connection: socket.socket, _: int) -> None:
    with connection:
        while connection.recv(4096):
            connection.sendall(WHOLE)


def first_is_cut(connection: socket.socket, number: int) -> None:
    if number:
        always(connection, number)
    connection.close()


def never(connection: socket.socket, _: int) -> None:
    with connection:
        while connection.recv(4096):
            pass


REQUEST = b"GET / HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize(("answers", "lost"), [(always, 0), (first_is_cut, 1)])
def test_a_closed_loop_asks_until_it_has_enough(
    answers: Callable[[socket.socket, int], None], lost: int
) -> None:
    with server(answers) as port:
        loop = ClosedLoop(port, [REQUEST], 3)
        found = loop.run(30.0, 50)
        loop.close()
    assert 50 <= len(found.latencies) <= 52 + 3  # of one look at the sockets, and then on their way
    assert found.lost == lost
    assert found.bodies[0] == (0, BODY) or lost
    assert all(body == BODY for _, body in found.bodies)


@pytest.mark.parametrize(
    ("answers", "most", "statuses"),
    [
        (always, 10, {200}),
        (never, 10, {GAVE_UP}),
        (never, 1, {GAVE_UP, UNSENT}),
    ],
)
def test_an_open_loop_accounts_for_each_request(
    answers: Callable[[socket.socket, int], None], most: int, statuses: set[int]
) -> None:
    give_up = 0.05 if answers is never else 30.0
    due = [number * 1e-4 for number in range(8)]
    with server(answers) as port:
        loop = OpenLoop(port, [REQUEST], give_up=give_up, most=most, keep=1)
        found = loop.run(due)
        loop.close()
    assert sorted(found.due) == due
    assert {*found.statuses} == statuses
    assert min(found.latencies) > 0
    assert all(late >= give_up for late in found.of(GAVE_UP))
    assert len(found.bodies) == found.count(200)


def test_a_port_where_nobody_listens_loses_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    loop = OpenLoop(port, [REQUEST], give_up=1.0, most=5)
    found = loop.run([0.0, 0.001])
    loop.close()
    assert found.statuses.tolist() == [LOST, LOST]


def test_a_spike_is_over_with_its_last_bad_window() -> None:
    found = Opened()
    for number in range(1000):
        due = number / 100
        found.add(due, 0.5 if 4.0 <= due < 6.25 else 0.001, 200, number)
    assert recovery(found, 5.0, 10.0, 0.1) == pytest.approx(1.3)
    assert recovery(found, 7.0, 10.0, 0.1) == 0.0
    found.add(9.99, 0.0, GAVE_UP, 0)
    found.add(9.99, 0.0, GAVE_UP, 0)
    assert recovery(found, 5.0, 10.0, 0.1) == pytest.approx(50 * WINDOW)


def test_percentiles() -> None:
    assert percentile([3.0], 0.99) == 3.0
    assert math.isnan(percentile([], 0.5))
    assert percentile([float(i) for i in range(101)], 0.99) == pytest.approx(99.0)
