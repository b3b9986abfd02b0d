"""The container recipe: who it runs as, and what it runs, without a container."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = [
    line.strip()
    for line in re.sub(r"\\\n", " ", RECIPE).splitlines()
    if line.strip() and line[0] != "#"
]

pytestmark = pytest.mark.timeout(120)


def last(word: str) -> str:
    """What the last line that begins with a word says."""
    return [line.removeprefix(word).strip() for line in LINES if line.startswith(f"{word} ")][-1]


def command(text: str) -> list[str]:
    assert text.startswith("["), "a shell in between would not hand SIGTERM on"
    found: list[str] = json.loads(text)
    return found


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    users = [number for number, line in enumerate(LINES) if line.startswith("USER ")]
    entry = next(number for number, line in enumerate(LINES) if line.startswith("ENTRYPOINT"))
    assert users
    assert users[-1] < entry
    assert int(last("USER")) >= 1000
    assert last("STOPSIGNAL") == "SIGTERM"


def test_what_is_installed_is_checked() -> None:
    installs = [
        part
        for line in LINES
        if line.startswith("RUN")
        for part in line.split("&&")
        if " install " in part
    ]
    assert len(installs) == 2
    assert "--require-hashes -r requirements/demo.txt" in installs[0]
    assert "--no-deps" in installs[1]


def test_everything_that_is_copied_is_let_in() -> None:
    let_in = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line[:1] == "!"
    }
    assert {
        "rxml",
        "operators",
        "pyproject.toml",
        "requirements/demo.txt",
        "README.md",
        "LICENSE",
    } <= let_in
    assert all((ROOT / each).exists() for each in let_in)
    for line in LINES:
        if line.startswith("COPY") and "--from" not in line and not line.endswith(". ."):
            assert (ROOT / line.split()[1]).exists()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def test_what_the_image_runs_serves_is_healthy_and_drains(tmp_path: Path) -> None:
    ports = {"8080": str(free_port()), "9090": str(free_port())}
    run = [ports.get(each, each) for each in (*command(last("ENTRYPOINT")), *command(last("CMD")))]
    probe = [sys.executable, *command(last("HEALTHCHECK").partition(" CMD ")[2])[1:]]
    probe[-1] = probe[-1].replace("9090", ports["9090"])
    environment = dict(each.split("=", 1) for each in shlex.split(last("ENV")))
    environment.update(PATH="/usr/bin:/bin", PYTHONPATH=str(ROOT), ADMIN_PORT=ports["9090"])
    shutil.copy(ROOT / "examples" / "service.py", tmp_path / "service.py")
    assert run[0] == "rxml"
    with subprocess.Popen(
        [sys.executable, "-m", *run], cwd=tmp_path, env=environment, stdout=-1, stderr=-1, text=True
    ) as process:
        assert process.stdout is not None
        assert "by 2 workers: /squares (stream)" in process.stdout.readline()
        assert subprocess.run(probe, check=False).returncode == 0
        url = f"http://127.0.0.1:{ports['8080']}/squares"
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert len(answer.read().splitlines()) == 1000
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0
    assert all(json.loads(line) for line in errors.splitlines())
    assert subprocess.run(probe, check=False, stderr=-3).returncode != 0
