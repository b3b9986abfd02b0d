"""swap: a model is replaced twenty times by the next version while it is asked at half of its capacity, then rolled back."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.measure import TOLERANCE, WrongAnswerError, percentile
from benchmarks.serving.overload import Load, failures, opened, peak
from benchmarks.serving.rows import BACK, probability, rows
from benchmarks.serving.targets import served

if TYPE_CHECKING:
    from benchmarks.serving.open_loop import Opened

LOAD: Final = Load(times=0.5, in_time=0.1, give_up=5.0, connections=4096)
EVERY_SECONDS: Final = 0.25
CALM_SECONDS: Final = 2.0
ROLLBACK_SECONDS: Final = 1.0


def ours(swaps: int) -> Outcome:
    """Calm, then so many swaps and a rollback, at half of the peak all the time.

    `calm_p99_seconds` is before the first swap, `swaps_p99_seconds` while they go on; `rollback_seconds` from the word that
    the alias is to go back until the version before has answered. Errors are told by what became of those requests; `unsent`
    ones found all connections of the client busy. `starved_percent` is the time for which others had the server's processor.

    Raises:
        WrongAnswerError: an answer is not that of the version that it names, or versions were left out.
    """
    with tempfile.NamedTemporaryFile() as signal:
        os.environ["RXML_SWAPS"] = signal.name
        aim = served("swapping_app")
        with aim.started() as server:
            most = peak(server, aim)
            swapper = Swapper(Path(signal.name), swaps)
            swapper.start()
            requests = aim.requests()
            seconds = CALM_SECONDS + swaps * EVERY_SECONDS + ROLLBACK_SECONDS
            starved = server.starved_seconds()
            found = opened(server, requests, LOAD, [(seconds, LOAD.times * most)])
            starved = server.starved_seconds() - starved
            swapper.join()
    versions = _versions(found, len(requests))
    if len(versions) != swaps + 1:
        raise WrongAnswerError(f"{swaps + 1} versions were to be seen, not {sorted(versions)}")
    kinds = failures(found)
    return Outcome(
        swaps,
        {
            **kinds,
            "errors": sum(kinds.values()),
            "no_errors": 0.5,
            "starved_percent": 100 * starved / seconds,
            "calm_p99_seconds": percentile(found.of(200, 0.5, CALM_SECONDS), 0.99),
            "swaps_p99_seconds": percentile(found.of(200, CALM_SECONDS), 0.99),
            "rollback_seconds": returned(found, str(swaps), swapper.back - found.began),
            "allowed_seconds": ROLLBACK_SECONDS,
            "offered": LOAD.times * most,
        },
    )


class Swapper(threading.Thread):
    """Wants a swap every quarter of a second, and at last the version before.

    Attributes:
        back: when it wanted that, by `perf_counter`.
    """

    def __init__(self, signal: Path, swaps: int) -> None:
        super().__init__(daemon=True)
        self._signal = signal
        self._swaps = swaps
        self.back: float = inf

    @override
    def run(self) -> None:
        time.sleep(CALM_SECONDS)
        with self._signal.open("ab", buffering=0) as file:
            for _ in range(self._swaps):
                file.write(b".")
                time.sleep(EVERY_SECONDS)
            self.back = time.perf_counter()
            file.truncate(BACK)


def returned(found: Opened, version: str, since: float) -> float:
    """Seconds until this version has answered for the first time what was due from then on; inf if it never has."""
    rows = zip(found.numbers, found.due, found.latencies, strict=True)
    ends = {number: due + late for number, due, late in rows if due >= since}
    answers = ((ends.get(number, inf), body) for number, body in found.bodies)
    ended = [end - since for end, body in answers if json.loads(body)["version"] == version]
    return min(ended, default=inf)


def _versions(found: Opened, count: int) -> set[str]:
    """Which versions have answered; each answer must be that of its version."""
    return {_checked(number % count, json.loads(body)) for number, body in found.bodies}


def _checked(row: int, said: dict[str, Any]) -> str:
    version: str = said["version"]
    right = probability(rows(row + 1)[row], int(version))
    if not abs(said["value"] - right) <= TOLERANCE:
        raise WrongAnswerError(f"version {version} answers {right} to row {row}, got {said}")
    return version


CASE = Case(
    name="swap",
    what="an alias of the registry is moved to the next version every 250 ms, open loop at half of the peak",
    limit="the same server before the first swap",
    size=20,
    quick=5,
    unit="swaps",
    contestants={"rxml": Contestant(ours, "score(registry.watch(alias)) behind App.predict")},
    musts=(
        Must("within", "no_errors", 1.0, "errors"),
        Must("within", "calm_p99_seconds", 1.5, "swaps_p99_seconds"),
        Must("within", "allowed_seconds", 1.0, "rollback_seconds"),
    ),
    shown=(
        *("errors", "refused", "unavailable", "too_late", "gave_up", "lost", "unsent", "otherwise"),
        *("calm_p99_seconds", "swaps_p99_seconds", "rollback_seconds", "offered"),
        "starved_percent",
    ),
    most_rounds=3,
)
