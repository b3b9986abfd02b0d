"""The commands as a person types them: real processes, real sockets, real signals."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.helpers import demo, post, rxml

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(240)


def test_the_demo_ends_by_itself_with_a_summary() -> None:
    done = rxml("demo", "--seconds", "2", "--port", "0")
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+ forecasts; .*:\n +cpu: ", done.stdout)
    assert done.stderr == ""


def test_the_demo_forecasts_what_is_posted_and_drains_on_ctrl_c() -> None:
    with demo() as (process, url):
        stream = urllib.request.urlopen(f"{url}/predictions", timeout=60)
        assert post(url, {"sensor": "mine", "value": 1.23}) == (
            202,
            {"accepted": 1, "rejected": 0, "errors": []},
        )
        forecasts = (json.loads(line) for line in stream)
        mine = next(each for each in forecasts if each["sensor"] == "mine")
        assert mine["value"] == 1.23
        assert mine["for_at"] == pytest.approx(mine["at"] + 5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "mine: none yet" in out


@pytest.mark.parametrize(
    "body",
    [
        {"sensor": "x", "value": 1e308},
        {"sensor": "x", "value": 1, "at": 1e308},
        {"sensor": "cpu", "value": 1},
        {"sensor": "x" * 101, "value": 1},
        {"sensor": "", "value": 1},
        {"sensor": "x", "value": None},
    ],
)
def test_the_demo_refuses_what_would_spoil_it(body: Any) -> None:
    with demo() as (_, url):
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(url, body)
        assert refused.value.code == 422
        refused.value.close()
        assert post(url, {"sensor": "mine", "value": 1, "beside": [0] * 1000})[0] == 202


def test_tail_prints_elements_a_line() -> None:
    with demo() as (_, url):
        done = rxml("tail", url.replace("http", "ws") + "/predictions", "-n", "2")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["sensor"] for line in done.stdout.splitlines()] == ["cpu", "cpu"]


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = rxml("demo", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"rxml demo: port {port} of 127.0.0.1 is taken; --port 0 takes any that is free\n"
    )


def test_draw_prints_the_graph_and_the_budget(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import rxml\nfrom rxml import operators as ops\n"
        "flow = rxml.range(9).pipe(ops.map(abs), ops.buffer(3))\n"
        "def make():\n    return flow\n",
        encoding="utf-8",
    )
    for target in ("mine:flow", "mine:make", "mine.py:flow"):
        done = rxml("draw", target, "--budget", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("flowchart LR")
        assert "map(abs)" in done.stdout
        assert "sum" in done.stdout
    assert rxml("draw", "mine:flow", "--svg", cwd=tmp_path).stdout.startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["draw", "nowhere:flow"], "no module is called 'nowhere'"),
        (["draw", "json:flow"], "json has no 'flow'"),
        (["draw", "json:dumps.x"], "json has no 'dumps.x'"),
        (["draw", "json:JSONDecoder"], "not a Flowable"),
        (["draw", "json"], "wants module:name"),
        (["draw", "rxml:range"], "rxml:range wants arguments"),
        (["serve", "json:dumps"], "not an rxml.http.App"),
        (["serve", "rxml.http:Limits"], "is a type, not an rxml.http.App"),
        (["serve", "x:y", "--port", "65536"], "wants a port from 0 to 65535, got 65536"),
        (["tail", "127.0.0.1:9/x"], "did you mean ws://127.0.0.1:9/x?"),
        (["tail", "ws://[::1"], "ws://"),
        (["tail", "ws://127.0.0.1:9/none"], "127.0.0.1:9"),
        (["demo", "--seconds", "soon"], "wants a number of seconds > 0, got soon"),
        (["demo", "--seconds", "-1"], "wants a number of seconds > 0"),
        (["tail", "ws://x", "-n", "0"], "wants a count >= 1"),
    ],
)
def test_mistakes_are_told_in_a_line(arguments: list[str], said: str) -> None:
    done = rxml(*arguments)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_alone_shows_what_there_is() -> None:
    done = rxml()
    assert done.returncode == 2
    for name in ("demo", "serve", "tail", "draw", "--version"):
        assert re.search(rf"^ +{name} ", done.stdout, re.MULTILINE)
    assert rxml("--version").stdout.startswith("rxml 0.")
