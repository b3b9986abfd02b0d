"""The chart of `docs/overload.md`: what servers answer in time, from half to five times what they can do.

python -m benchmarks.overload_chart measure [--rounds 3] [--seconds 4]   # into benchmarks/overload.json
python -m benchmarks.overload_chart draw                                 # from there into docs/overload.svg
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.cases.overload_model import LOAD
from benchmarks.contest import PEERS
from benchmarks.machine import machine
from benchmarks.plot import Line, Panel, picture
from benchmarks.serving.measure import Target
from benchmarks.serving.overload import opened, peak, told
from benchmarks.serving.process import ROOT
from benchmarks.serving.targets import target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.serving.process import Server

DATA: Final = ROOT / "benchmarks" / "overload.json"
CHART: Final = ROOT / "docs" / "overload.svg"
TIMES: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
SERVERS: Final = {"ours": "rxml", "per_request": "aiohttp, by hand", "fastapi": "FastAPI"}
COLOURS: Final = {"ours": "#0072b2", "per_request": "#d55e00", "fastapi": "#009e73"}
THERE: Final = sorted(os.sched_getaffinity(0))
TICKS: Final = os.sysconf("SC_CLK_TCK")
DISTURBED: Final = 0.1
"""Share of the server's core that other processes may have without disturbing it."""

PATIENCE: Final = 5.0
"""Seconds that a measurement waits for the machine to have nothing else to do."""

TRIES: Final = 2
"""Measurements more, if others have disturbed them."""

BEHIND: Final = 5.0
"""Percent of the requests that a client may look at late; beyond that a point says more about the client."""


class Point(msgspec.Struct, frozen=True):
    """A server under one load.

    Attributes:
        times: what came, in terms of what it can answer.
        goodput: answers within 100 ms, as a share of what it can answer.
        p99: of all that it answered with 200, in seconds.
        shed: share that it turned away (429).
        shed_p99: how long that took, in seconds; 0 if it turned none away.
        unanswered: share whose client went away after a second, or lost its connection.
        others: what other processes had of the server's core meanwhile, as a share of it.
    """

    times: float
    goodput: float
    p99: float
    shed: float
    shed_p99: float
    unanswered: float
    others: float


class Found(msgspec.Struct, frozen=True):
    """All that was measured, and where."""

    machine: dict[str, str]
    points: dict[str, list[Point]]

    def problem(self) -> str | None:
        """Why this is not worth keeping; None if it is."""
        short = [SERVERS[name] for name, points in self.points.items() if len(points) < len(TIMES)]
        if short:
            return f"{', '.join(short)} could not be measured under every load"
        most = max(each.others for points in self.points.values() for each in points)
        if most > DISTURBED:
            return f"other processes had {most:.0%} of the server's core, {DISTURBED:.0%} at most"
        return None


def point(served: Target, times: float, seconds: int) -> list[Point]:
    """One measurement; none if the client could not keep up, or there was no answer at all.

    Args:
        served: a server that is started for this.
        times: what comes, in terms of what it can answer.
        seconds: for which it comes.
    """
    wait_for_quiet()
    with served.started() as server:
        others = Others(server)
        most = peak(server, served)
        found = opened(server, served.requests(**LOAD.headers), LOAD, [(seconds, times * most)])
        others_had = others.share()
    answered = found.of(200)
    if not answered or 100 * found.behind > BEHIND:
        return []
    figures = told(found, answered, LOAD, seconds)
    return [
        Point(
            times,
            figures["goodput"] / most,
            figures["answered_p99_seconds"],
            figures["shed_percent"] / 100,
            figures["shed_p99_seconds"],
            (figures["gave_up_percent"] + figures["lost_percent"]) / 100,
            others_had,
        )
    ]


class Others:
    """What other processes have of a server's core, from now on.

    Args:
        server: alone on its core, if it is.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._began, self._before = time.monotonic(), self._busy()

    def share(self) -> float:
        """Of the time so far."""
        return (self._busy() - self._before) / (time.monotonic() - self._began)

    def _busy(self) -> float:
        return busy(THERE[0]) - self._server.cpu_seconds()


def busy(core: int) -> float:
    """Seconds for which a core was not idle, since the machine has started."""
    lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    fields = next(line for line in lines if line.startswith(f"cpu{core} ")).split()[1:]
    user, nice, system, _, _, hard, soft, *_ = map(int, fields)
    return (user + nice + system + hard + soft) / TICKS


def wait_for_quiet() -> None:
    """Until both cores have had little to do for a second, or patience is at an end."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        cores = {THERE[0], THERE[-1]}
        before = {core: busy(core) for core in cores}
        time.sleep(1.0)
        if all(busy(core) - before[core] < 2 * DISTURBED for core in cores):
            return


def middle(points: Sequence[Point]) -> Point:
    """The median of each number."""
    rows = zip(*(msgspec.structs.astuple(each) for each in points), strict=True)
    return Point(*(float(f"{median(row):.4g}") for row in rows))


def measured(rounds: int, seconds: int) -> Found:
    """All servers under all loads, in turns, so that what else the machine does meets all alike.

    Args:
        rounds: measurements of each, of which the least disturbed count; more only while all were disturbed.
        seconds: of each.
    """
    servers = {name: _served(name) for name in SERVERS}
    points: dict[str, list[Point]] = {name: [] for name in servers}
    for times in TIMES:
        rows: dict[str, list[Point]] = {name: [] for name in servers}
        for _ in range(rounds + TRIES):
            for name, served in servers.items():
                if sum(each.others <= DISTURBED for each in rows[name]) < rounds:
                    rows[name] += point(served, times, seconds)
        for name, kept in rows.items():
            least = sorted(kept, key=lambda each: each.others)[:rounds]
            points[name] += [middle(least)] if least else []
            print(f"{times:g}x {name}: {points[name][-1] if least else 'nothing'}", flush=True)
    return Found({name: str(value) for name, value in machine().items()}, points)


def _served(name: str) -> Target:
    found = target(name, "--busy")
    python = PEERS / name / "bin" / "python"
    command = (str(python), *found.command[1:]) if python.exists() else found.command
    return Target(command, found.dialect)


def chart(points: Mapping[str, Sequence[Point]]) -> str:
    """The chart as SVG."""
    shares = [_line(name, each, "goodput", 100) for name, each in points.items()]
    times = [_line(name, each, "p99", 1000) for name, each in points.items()]
    return picture(
        "What comes, in terms of what the server can answer",
        TIMES,
        (
            Panel("Answers within 100 ms, % of what it can do", shares, (0, 25, 50, 75, 100)),
            Panel("p99 of what it answers, ms", times, (1, 10, 100, 1000), logarithmic=True),
        ),
    )


def _line(name: str, points: Sequence[Point], field: str, factor: float) -> Line:
    rows = [(each.times, factor * float(getattr(each, field))) for each in points]
    return Line(SERVERS[name], COLOURS[name], rows)


def load(path: Path = DATA) -> Found:
    """What was measured."""
    return msgspec.json.decode(path.read_bytes(), type=Found)


def main(given: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload_chart")
    parser.add_argument("what", choices=("measure", "draw"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args(given)
    if options.what == "measure":
        found = measured(options.rounds, options.seconds)
        if problem := found.problem():
            sys.exit(f"nothing is kept: {problem}")
        DATA.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    CHART.write_text(chart(load().points), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
