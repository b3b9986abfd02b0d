"""`rxml serve --workers N`: real processes, real kills, and a client that keeps asking."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import override

from tests.cli.helpers import RXML, TREE, rxml, started

pytestmark = pytest.mark.timeout(240)

SERVICE = """
import asyncio, contextlib, os, pathlib, signal
import rxml
from rxml import operators as ops
from rxml.http import App, Limits

folder = pathlib.Path(__file__).parent
(folder / f"{os.getpid()}.begun").touch()
if (folder / "broken").exists():
    raise SystemExit(7)
with contextlib.suppress(FileNotFoundError):
    (folder / "deadly").unlink()
    os.kill(os.getpid(), signal.SIGKILL)
app = App(port=0, admin=0, limits=Limits(drain_seconds=5.0))
app.stream("/pid", rxml.defer(lambda: rxml.of(os.getpid())))

async def later(pid):
    await asyncio.sleep(0.5)
    return pid

app.stream("/slow", rxml.defer(lambda: rxml.of(os.getpid())).pipe(ops.map_async(later, concurrency=1)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "svc.py").write_text(SERVICE, encoding="utf-8")
    return tmp_path


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def maps(pid: int) -> str:
    """What a process has mapped into its memory."""
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def pids(url: str, count: int = 40) -> Counter[int]:
    return Counter(int(get(f"{url}/pid")) for _ in range(count))


def pids_within(url: str, wanted: int, seconds: float = 20.0) -> set[int]:
    """Ask until so many processes have answered, or the time is up."""
    end = time.monotonic() + seconds
    found: set[int] = set()
    while len(found) < wanted and time.monotonic() < end:
        found |= set(pids(url, 10))
    return found


RETRY_SECONDS: Final = 0.05


class Asker(threading.Thread):
    """Asks over and over, each time on a connection of its own, and once more where that failed."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{url}/pid"
        self._end = threading.Event()
        self.answered = 0
        self.retried = 0
        self.failed: list[Exception] = []

    @override
    def run(self) -> None:
        while not self._end.is_set():
            try:
                get(self._url)
            except (OSError, HTTPException):
                self._retry()
            self.answered += 1

    def _retry(self) -> None:
        """After a moment, as clients do: a process that was killed gives back its memory first, and then its port."""
        self.retried += 1
        time.sleep(RETRY_SECONDS)
        try:
            get(self._url)
        except (OSError, HTTPException) as error:
            self.failed.append(error)

    def finish(self) -> None:
        self._end.set()
        self.join(60)
        assert not self.is_alive()


def test_one_port_is_served_by_all_workers_and_one_admin_side_shows_them(folder: Path) -> None:
    with started("serve", "svc:app", "--workers", "3", cwd=folder) as (process, url):
        workers = pids_within(url, 3)
        assert len(workers) == 3
        assert all("aiohttp" in maps(pid) for pid in workers)
        assert "aiohttp" not in maps(process.pid)  # the parent holds nothing of what they do
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out, errors) == (0, "", "")
        with pytest.raises(urllib.error.URLError):
            get(f"{url}/pid")
    assert len(list(folder.glob("*.begun"))) == 3


def test_a_killed_worker_costs_no_more_than_a_retry_and_comes_back(folder: Path) -> None:
    with started("serve", "svc:app", "--workers", "2", cwd=folder) as (process, url):
        before = pids_within(url, 2)
        assert len(before) == 2
        askers = [Asker(url) for _ in range(4)]
        for asker in askers:
            asker.start()
        for victim in sorted(before):
            os.kill(victim, signal.SIGKILL)
            end = time.monotonic() + 30
            while len(list(folder.glob("*.begun"))) < 3 + (victim == max(before)):
                assert time.monotonic() < end
                time.sleep(0.02)
            assert len(pids_within(url, 2)) >= 2
        for asker in askers:
            asker.finish()
        assert [asker.failed for asker in askers] == [[]] * 4
        assert all(asker.answered > 10 for asker in askers)
        assert not pids_within(url, 2) & before
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0
        assert errors.count("was killed by SIGKILL; it is started again in 0.") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_in_any_worker_comes_through(folder: Path, number: int) -> None:
    with started("serve", "svc:app", "--workers", "2", cwd=folder) as (process, url):
        bodies: list[bytes] = []
        asking = [
            threading.Thread(target=lambda: bodies.append(get(f"{url}/slow"))) for _ in range(8)
        ]
        for thread in asking:
            thread.start()
        time.sleep(0.25)
        process.send_signal(number)
        for thread in asking:
            thread.join(30)
        assert process.wait(timeout=60) == 0
        assert len(bodies) == 8


def test_workers_end_when_their_parent_is_killed(folder: Path) -> None:
    with started("serve", "svc:app", "--workers", "2", cwd=folder) as (process, url):
        found = pids_within(url, 2)
        process.kill()
        process.wait(timeout=30)
        end = time.monotonic() + 30
        while any(Path(f"/proc/{pid}/stat").exists() and not _zombie(pid) for pid in found):
            assert time.monotonic() < end, "a worker outlived its parent"
            time.sleep(0.05)


def _zombie(pid: int) -> bool:
    with suppress(OSError):
        return ") Z " in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return True


def test_a_worker_that_is_killed_before_it_listens_is_started_again(folder: Path) -> None:
    (folder / "deadly").touch()
    with started("serve", "svc:app", "--workers", "2", cwd=folder) as (process, url):
        assert len(pids_within(url, 2)) == 2
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "")
        assert "was killed by SIGKILL; it is started again in" in errors
    assert len(list(folder.glob("*.begun"))) == 3


def test_a_service_that_cannot_begin_ends_with_1(folder: Path) -> None:
    (folder / "broken").touch()
    done = rxml("serve", "svc:app", "--workers", "2", cwd=folder)
    assert done.returncode == 1
    assert done.stderr == "worker 0 could not begin; all end\n"
    missing = rxml("serve", "nowhere:app", "--workers", "2", cwd=folder)
    assert missing.returncode == 1
    assert "no module is called 'nowhere'" in missing.stderr


def test_a_service_whose_workers_die_too_often_ends_with_3(folder: Path) -> None:
    with started("serve", "svc:app", "--workers", "1", cwd=folder) as (process, _):
        (folder / "broken").touch()
        (worker,) = folder.glob("*.begun")
        os.kill(int(worker.stem), signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 3
        assert "workers die too often; the last one ended with status 7; all end" in errors


def test_a_port_of_somebody_else_is_not_shared(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        port = taken.getsockname()[1]
        done = rxml("serve", "svc:app", "--workers", "2", "--port", str(port), cwd=folder)
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in done.stderr


def test_json_logs_tell_each_answer(folder: Path) -> None:
    with started("serve", "svc:app", "--workers", "1", "--log", "json", cwd=folder) as (
        process,
        url,
    ):
        get(f"{url}/pid")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    line = json.loads(errors.splitlines()[0])
    assert (line["path"], line["status"]) == ("/pid", 200)


def test_the_slow_parser_is_refused_unless_it_is_asked_for(folder: Path) -> None:
    command = [*RXML, "serve", "svc:app"]
    slow = {**TREE, "AIOHTTP_NO_EXTENSIONS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=slow, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 1
    assert "without its parser in C" in done.stderr
    allowed = {**slow, "RXML_ALLOW_PYTHON_PARSER": "1"}
    with subprocess.Popen(command, cwd=folder, env=allowed, stdout=-1, text=True) as process:
        assert process.stdout is not None
        assert "serving http" in process.stdout.readline()
        process.terminate()
