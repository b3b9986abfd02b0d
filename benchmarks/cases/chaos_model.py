"""chaos_model: one of three models behind a supervisor fails half of the time, then hangs, then is well again."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.arrivals import poisson
from benchmarks.serving.dialects import PLAIN
from benchmarks.serving.measure import percentile
from benchmarks.serving.open_loop import OpenLoop
from benchmarks.serving.rows import SICK
from benchmarks.serving.targets import served

if TYPE_CHECKING:
    from benchmarks.serving.measure import Target
    from benchmarks.serving.open_loop import Opened
    from benchmarks.serving.process import Server

RATE: Final = 400.0
"""Requests a second, which the two others can answer by themselves."""

HEADERS: Final = {"X-Request-Timeout-Ms": "1000"}
GIVE_UP: Final = 2.0
PHASES: Final = ("well", "fails", "hangs", "back")


def ours(seconds: int) -> Outcome:
    """So many seconds each: all is well, one model fails half of the time, it hangs, it is well again.

    The shares are those of its answers in the second half of each phase; failed are all that got no answer, in percent.
    """
    if not seconds:
        return Outcome(0)
    with tempfile.NamedTemporaryFile() as signal:
        os.environ["RXML_CHAOS"] = signal.name
        aim = replace(served("supervised_app"), dialect=PLAIN)
        with aim.started() as server:
            changer = threading.Thread(target=_sicken, args=(Path(signal.name), seconds))
            changer.start()
            found = asked(server, aim, len(PHASES) * seconds)
            changer.join()
    aim.check([(number % len(aim.requests()), body) for number, body in found.bodies])
    shares = {f"{name}_share": share(found, at, seconds) for at, name in enumerate(PHASES)}
    failed = sum(status != 200 for status in found.statuses)
    return Outcome(
        0,
        {
            **shares,
            "failed_percent": 100 * failed / len(found.statuses),
            "allowed_percent": 0.1,
            "most_share": 0.02,
            "answered_p99_seconds": percentile(found.of(200), 0.99),
            "hanging_p99_seconds": percentile(found.of(200, 2.0 * seconds, 3.0 * seconds), 0.99),
        },
    )


def asked(server: Server, aim: Target, seconds: float) -> Opened:
    """An open loop that keeps all answers."""
    loop = OpenLoop(server.port, aim.requests(**HEADERS), give_up=GIVE_UP, most=1000, keep=1)
    try:
        return loop.run(poisson([(seconds, RATE)]))
    finally:
        loop.close()


def _sicken(signal: Path, seconds: float) -> None:
    for length in (1, 2, 0):
        time.sleep(seconds)
        with signal.open("r+b") as file:
            file.truncate(length)


def share(found: Opened, phase: int, seconds: float) -> float:
    """Of the answers to what was due in the second half of a phase, those of the model that was sick."""
    due = dict(zip(found.numbers, found.due, strict=True))
    since, until = (phase + 0.5) * seconds, (phase + 1.0) * seconds
    makers = [
        json.loads(body)["model"] for number, body in found.bodies if since <= due[number] < until
    ]
    return makers.count(SICK) / max(1, len(makers))


CASE = Case(
    name="chaos_model",
    what="400 requests a second; one of three models fails half of the time, hangs, and is well, so many seconds each",
    limit="the two models that are well",
    size=8,
    quick=4,
    unit="seconds",
    contestants={
        "rxml": Contestant(ours, "supervise_models of three models in threads behind App.predict")
    },
    musts=(
        Must("within", "allowed_percent", 1.0, "failed_percent"),
        Must("within", "most_share", 1.0, "hangs_share"),
        Must("within", "well_share", 0.5, "fails_share"),
        Must("within", "back_share", 2.0, "well_share"),
    ),
    shown=(
        *("failed_percent", "well_share", "fails_share", "hangs_share", "back_share"),
        *("answered_p99_seconds", "hanging_p99_seconds"),
    ),
    fresh=True,
    most_rounds=3,
)
