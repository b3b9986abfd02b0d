"""What stands in the terminal: names of strangers, rows, lines, and the word before the end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest
from rich.console import Console
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from rxml.cli.board import Board
from rxml.cli.forecast import MACHINE, SENSORS, Forecast
from rxml.cli.plain import plain, plain_json, plain_lines
from rxml.cli.rows import ROWS, Rows
from tests.cli.helpers import RXML, TREE, demo, post, started

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.timeout(240)

HOSTILE = "a\x1b[2J\x1b]0;pwned\x07\nb\x9b31m\u202e"

SERVICE = """
import asyncio

import rxml
from rxml import operators as ops
from rxml.http import App


async def late(seconds):
    await asyncio.sleep(seconds)
    return seconds


app = App()
readings = app.ingest("/readings")
app.stream("/ticks", rxml.interval(0.05))
app.stream("/late", rxml.of(0, 60).pipe(ops.map_async(late, concurrency=1)))
"""


def forecast(sensor: str, value: float = 1.0) -> Forecast:
    return Forecast(sensor, 0.0, value, 5.0, value)


def test_nothing_that_a_terminal_would_obey_is_left_of_a_text() -> None:
    assert plain("Größe 日本") == "Größe 日本"
    assert plain(HOSTILE).isprintable()
    assert plain("x\x1b\n") == r"x\x1b\n"
    assert plain("x" * 31, 30) == "x" * 29 + "…"
    assert plain_lines("a\nb\r") == "a\nb\\r"


def test_json_stays_the_same_json() -> None:
    line = json.dumps({HOSTILE + "\U000e0001": "日本"}, ensure_ascii=False)
    assert plain_json(line).isprintable()
    assert json.loads(plain_json(line)) == json.loads(line)


@pytest.mark.parametrize("watched", [True, False])
def test_names_of_sensors_do_not_write_into_the_terminal(watched: bool) -> None:
    async def shown() -> str:
        console = Console(width=140, force_terminal=watched, color_system=None)
        board = Board(watched=watched, console=console)
        with console.capture() as capture:
            board.show(forecast(HOSTILE * 20))
            console.print(board.table)
            board.conclude()
        return capture.get()

    text = asyncio.run(shown())
    assert r"a\x1b[2J\x1b]0;pwned" in text
    assert "…" in text
    assert text.replace("\n", "").isprintable()


def test_a_sensor_keeps_its_row_while_it_speaks() -> None:
    rows = Rows()
    names = [f"s{i:04}" for i in range(200)]
    for name in (MACHINE, *names):
        rows.hear(forecast(name), 0.0)
    first = [row.forecast.sensor for row in rows.shown(0.0)]
    assert len(first) == ROWS
    assert rows.more == 201 - ROWS
    for name in (*first, *names):
        rows.hear(forecast(name), 5.0)
    assert [row.forecast.sensor for row in rows.shown(5.0)] == first
    for name in names[:3]:
        rows.hear(forecast(name), 20.0)
    assert {row.forecast.sensor for row in rows.shown(20.0)} > set(names[:3])


def test_rows_are_as_bounded_as_the_sensors() -> None:
    rows = Rows()
    rows.hear(forecast(MACHINE), 0.0)
    for i in range(SENSORS + 100):
        rows.hear(forecast(str(i)), 0.0)
    assert rows.more == SENSORS - ROWS
    assert rows.shown(100.0)[0].forecast.sensor == MACHINE


def test_without_a_terminal_each_sensor_has_a_line_at_a_time() -> None:
    with demo("--seconds", "3") as (process, url):
        for value in range(10):
            post(url, [{"sensor": f"s{i}", "value": value} for i in range(15)])
        out, err = process.communicate(timeout=60)
    assert err == ""
    assert out.count("in 5 s") == 1
    assert "and 4 more" in out


@pytest.fixture
def service(tmp_path: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    (tmp_path / "service.py").write_text(SERVICE, encoding="utf-8")
    says = r"^serving (http:\S+): /readings \(ingest\), /ticks \(stream\), .*\. Ctrl-C ends\.$"
    with started("serve", "service:app", "--port", "0", cwd=tmp_path, url=says) as running:
        yield running


@contextmanager
def tailing(url: str) -> Generator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    """A `tail` that has printed its first line, and its two outputs."""
    command = [*RXML, "tail", url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=TREE, stdout=pipe, stderr=pipe, text=True) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert tail.stdout.readline() == "0\n"
        yield tail, tail.stdout, tail.stderr
        tail.kill()


def test_a_second_signal_cuts_and_the_first_says_so(
    service: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = service
    assert process.stderr is not None
    protocol = [Subprotocol("rxml.v1+json")]
    with connect(f"{url.replace('http', 'ws')}/late", subprotocols=protocol) as socket:
        for frame in ({"type": "hello"}, {"type": "subscribe", "id": 1, "n": 2}):
            socket.send(json.dumps(frame))
            assert json.loads(socket.recv())["type"] in {"ready", "next"}
        # The demand for a second element, which does not come, is there.
        process.send_signal(signal.SIGINT)
        assert "at most 5 s; Ctrl-C again cuts" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=3) == 0


def test_a_reader_that_leaves_is_no_error(service: tuple[subprocess.Popen[str], str]) -> None:
    with tailing(f"{service[1]}/ticks") as (tail, out, err):
        out.close()
        assert err.read() == ""
        assert tail.wait(timeout=60) == 0
