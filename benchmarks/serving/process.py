"""Process: a server in a process of its own, on a core of its own, and what it and its children use."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent.parent
START_LIMIT_SECONDS: Final = 90.0
HOST: Final = "127.0.0.1"
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_THERE: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = _THERE[0]
CLIENT_CORE: Final = _THERE[-1]  # the same one if there is only one
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class ServerError(Exception):
    """A server did not start, or ended too early."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def pin_client() -> None:
    """Keep this process to the client's core, from now on."""
    os.sched_setaffinity(0, {CLIENT_CORE})


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """The process and all that it has started, children of children too."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(parents.get(one, []))
    return found


def _stat(pid: int) -> list[str]:
    """From the state on; empty if there is no such process any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _memory(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) * 1024 for x in lines if x.startswith(field + ":")), 0)


class Server:
    """A running server.

    Attributes:
        pid: of its first process.
        port: that it listens on.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port: int = port
        self._log = log

        def prepare() -> None:
            os.sched_setaffinity(0, {SERVER_CORE})
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                preexec_fn=prepare,  # noqa: PLW1509 - no thread runs here
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.pid: int = self._process.pid

    def check(self) -> None:
        """Raises: ServerError: it has ended."""
        if (code := self._process.poll()) is not None:
            raise ServerError(f"the server ended with status {code}: {self.said()}")

    def said(self) -> str:
        """The end of what it has printed."""
        return self._log.read_text(errors="replace")[-1500:]

    def cpu_seconds(self) -> float:
        """Processor time of all its processes that still run, and of those that they have waited for."""
        stats = [_stat(pid) for pid in descendants(self.pid)]
        return sum(sum(map(int, fields[11:15])) for fields in stats if fields) / _TICKS

    def memory_bytes(self, *, peak: bool = False) -> int:
        """Resident now, or at most, added up over its processes."""
        return sum(_memory(pid, "VmHWM" if peak else "VmRSS") for pid in descendants(self.pid))

    def close(self) -> None:
        """Kill it and all that it has started."""
        for pid in reversed(descendants(self.pid)):
            _kill(pid)
        self._process.wait()
        for pid in descendants(os.getpid())[1:]:  # those whose parents had ended came to us
            _kill(pid)
            os.waitpid(pid, 0)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def serving(command: Sequence[str], port: int) -> Generator[Server]:
    """Start a server, and end it with all of its children.

    Args:
        command: what starts it; `{port}` in it has been filled in.
        port: that it will listen on.

    Raises:
        ServerError: it did not listen within 90 s, or ended before.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with tempfile.TemporaryDirectory(prefix="rxml-bench-") as folder:
        server = Server(command, port, Path(folder) / "log")
        try:
            _wait(server)
            yield server
        finally:
            server.close()


def _wait(server: Server) -> None:
    """Until it accepts connections."""
    end = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < end:
        server.check()
        with socket.socket() as asked:
            if asked.connect_ex((HOST, server.port)) == 0:
                return
        time.sleep(0.05)
    raise ServerError(
        f"nobody listens on {server.port} after {START_LIMIT_SECONDS} s: {server.said()}"
    )
