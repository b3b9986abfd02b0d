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
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent.parent
START_LIMIT_SECONDS: Final = 60.0
HOST: Final = "127.0.0.1"
MARK: Final = "RXML_BENCHMARK_SERVER"
"""In the environment of a server: its children inherit it, also those that leave its session."""

_THERE: Final = sorted(os.sched_getaffinity(0))
_PR_SET_PDEATHSIG: Final = 1
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class ServerError(Exception):
    """A server did not start, or ended too early."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def pinned() -> Generator[None]:
    """Keep this process, the client, to the last core; servers have the first one."""
    os.sched_setaffinity(0, {_THERE[-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, _THERE)


def _stat(pid: int) -> list[str]:
    """From the state on; empty if there is no such process any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _starved(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def _memory(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) * 1024 for x in lines if x.startswith(field + ":")), 0)


def _bears(environment: Path, mark: bytes) -> bool:
    try:
        return mark in environment.read_bytes().split(b"\0")
    except OSError:  # it is gone, or another user's
        return False


class Server:
    """A running server.

    Attributes:
        pid: of its first process.
        port: that it listens on.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port: int = port
        self._log = log
        self._mark = token_hex(8)

        def prepare() -> None:
            os.sched_setaffinity(0, {_THERE[0]})
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            MARK: self._mark,
        }
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                preexec_fn=prepare,  # noqa: PLW1509 - no other thread runs here
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

    def processes(self) -> list[int]:
        """Its processes: those that bear its mark, and their children, which may have overwritten it."""
        wanted = f"{MARK}={self._mark}".encode()
        found: list[int] = []
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(pid := int(entry.name))):
                children.setdefault(int(fields[1]), []).append(pid)
                if _bears(entry / "environ", wanted):
                    found.append(pid)
        reached = list(found)
        for pid in reached:  # those that are added are looked at too
            reached.extend(children.get(pid, ()))
        return [*dict.fromkeys(reached)]

    def cpu_seconds(self) -> float:
        """Processor time of its processes that still run, and of those that they have waited for."""
        stats = [_stat(pid) for pid in self.processes()]
        return sum(sum(map(int, fields[11:15])) for fields in stats if fields) / _TICKS

    def starved_seconds(self) -> float:
        """For how long its processes could have run and had no processor: others of the machine had it."""
        return sum(_starved(pid) for pid in self.processes())

    def memory_bytes(self, *, peak: bool = False) -> int:
        """Resident now, or at most, added up over its processes."""
        return sum(_memory(pid, "VmHWM" if peak else "VmRSS") for pid in self.processes())

    def close(self) -> None:
        """Kill it and all that it has started."""
        while left := [pid for pid in self.processes() if _stat(pid)[:1] != ["Z"]]:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def serving(command: Sequence[str], port: int) -> Generator[Server]:
    """Start a server, and end it with all that it has started.

    Args:
        command: what starts it.
        port: that it will listen on.

    Raises:
        ServerError: it did not listen within a minute, or ended before.
    """
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
        time.sleep(0.01)
    raise ServerError(f"nobody listens after {START_LIMIT_SECONDS} s: {server.said()}")
