"""chaos_kill: one of two workers at one port is killed with SIGKILL while both are asked at a quarter of their capacity.

More than a quarter one core could not carry: the worker that comes back takes a second of it to start.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.overload import Load, failures, opened, peak
from benchmarks.serving.targets import served

if TYPE_CHECKING:
    from benchmarks.serving.open_loop import Opened
    from benchmarks.serving.process import Server

LOAD: Final = Load(times=0.25, in_time=0.1, give_up=5.0, connections=1000)
WORKERS: Final = 2
BEFORE_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 10.0
_LISTENS: Final = "0A"
_NEAR_SECONDS: Final = 0.01
"""What was asked so soon after the end may have been sent to a socket that was about to die."""


class Killer(threading.Thread):
    """Kills a worker two seconds from its start, and looks when there are two again.

    Attributes:
        killed: when, by `perf_counter`.
        gone: when the worker had ended: until then it was sent what nobody read any more.
        back: when both listened again; `inf` if they did not within ten seconds.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._worker = next(pid for pid in server.processes() if pid != server.pid)
        self.killed: float = 0.0
        self.gone: float = 0.0
        self.back: float = float("inf")

    @override
    def run(self) -> None:
        time.sleep(BEFORE_SECONDS)
        self.killed = time.perf_counter()
        os.kill(self._worker, signal.SIGKILL)
        while not ended(self._worker):
            time.sleep(0.0005)
        self.gone = time.perf_counter()
        while listening(self._server.port) >= WORKERS:
            time.sleep(0.001)
        while time.perf_counter() < self.killed + PATIENCE_SECONDS:
            if listening(self._server.port) == WORKERS:
                self.back = time.perf_counter()
                return
            time.sleep(0.01)


def ended(pid: int) -> bool:
    """Whether a process has let go of all that it had."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def listening(port: int) -> int:
    """How many sockets of this machine listen on a port."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return sum(each[1].endswith(f":{port:04X}") and each[3] == _LISTENS for each in fields)


def ours(seconds: int) -> Outcome:
    """Two seconds at a quarter of the peak, the kill, and the other seconds.

    `failed` are requests without an answer, `in_flight` those that were under way, in either worker, between the kill and the
    end of the worker: a processor that has other work lets it die later. What failed is told by what became of it.
    """
    if not seconds:
        return Outcome(0)
    aim = served("light_app", "--workers", str(WORKERS))
    with aim.started() as server:
        most = peak(server, aim)
        while listening(server.port) < WORKERS:
            time.sleep(0.01)
        killer = Killer(server)
        killer.start()
        found = opened(server, aim.requests(), LOAD, [(seconds, LOAD.times * most)])
        killer.join()
    kinds = failures(found)
    return Outcome(
        0,
        {
            **kinds,
            "failed": sum(kinds.values()),
            "in_flight": under_way(found, killer.killed - found.began, killer.gone - found.began),
            "dying_seconds": killer.gone - killer.killed,
            "capacity_seconds": killer.back - killer.killed,
            "allowed_seconds": 2.0,
            "offered": LOAD.times * most,
        },
    )


def under_way(found: Opened, since: float, until: float) -> int:
    """How many requests were under way at some moment between the two, or began just after."""
    rows = zip(found.due, found.latencies, strict=True)
    return sum(due <= until + _NEAR_SECONDS and due + late >= since for due, late in rows)


CASE = Case(
    name="chaos_kill",
    what="rxml serve --workers 2, one of them gets SIGKILL under an open loop at a quarter of the peak",
    limit="the requests under way in that worker are lost with it",
    size=6,
    quick=4,
    unit="seconds",
    contestants={"rxml": Contestant(ours, "rxml serve --workers 2, no client asks again")},
    musts=(
        Must("within", "in_flight", 1.0, "failed"),
        Must("within", "allowed_seconds", 1.0, "capacity_seconds"),
    ),
    shown=(
        *("failed", "in_flight", "refused", "unavailable", "too_late", "gave_up", "lost", "unsent"),
        *("otherwise", "dying_seconds", "capacity_seconds", "offered"),
    ),
    fresh=True,
    most_rounds=3,
)
