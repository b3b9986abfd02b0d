"""Commands as a person types them: real processes, real sockets, real signals."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).resolve().parents[2]
RXML = [sys.executable, "-m", "rxml"]
TREE = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
"""The environment in which a command in another folder runs this tree."""


def rxml(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [*RXML, *arguments]
    return subprocess.run(
        command, cwd=cwd, env=TREE, capture_output=True, text=True, check=False, timeout=200
    )


@contextmanager
def started(
    *arguments: str, cwd: Path = ROOT, url: str = r"(http://[\w.]+:\d+)"
) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A running command, and the address that its first line names."""
    with subprocess.Popen(
        [*RXML, *arguments],
        cwd=cwd,
        env=TREE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            found = re.search(url, process.stdout.readline())
            assert found, process.stderr and process.stderr.read()
            yield process, found[1]
        finally:
            process.kill()


@contextmanager
def demo(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A running demo, and its address."""
    with started("demo", "--port", "0", *arguments, url=r"(http://\S+)/predictions") as running:
        yield running


def post(url: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{url}/events", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status, json.load(response)
