"""Dying: a pipeline in a process of its own that is killed at random places, and started again until it has ended."""

from __future__ import annotations

import fcntl
import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).resolve().parent.parent
EVENTS: Final = "events.jsonl"
STORE: Final = "store.db"
RESULTS: Final = "results.txt"
FACTS: Final = "facts.db"
WINDOWS: Final = "windows.db"
DSN: Final = "dsn.txt"

BARRIER: Final = 100
"""Events between two checkpoints."""

SECOND: Final = 1_000_000_000
START: Final = 1_700_000_000 * SECOND
SPACING: Final = SECOND // 50
KEYS: Final = 10
BOUND_SECONDS: Final = 0.5
WINDOW_SECONDS: Final = 1.0
_PIPE: Final = 4096


def write_events(folder: Path, count: int, seed: int = 7) -> list[dict[str, int | str]]:
    """Events of ten keys, 50 a second, each up to half a second out of place; written as lines of JSON."""
    made = random.Random(seed)
    jitter = int(BOUND_SECONDS * SECOND) // 2
    events: list[dict[str, int | str]] = [
        {
            "ts": START + number * SPACING + made.randrange(-jitter, jitter),
            "key": f"k{made.randrange(KEYS)}",
            "value": made.randrange(100),
        }
        for number in range(count)
    ]
    with (folder / EVENTS).open("w") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    return events


def windows_by_hand(
    events: Iterable[dict[str, int | str]],
) -> dict[tuple[str, int], tuple[int, int]]:
    """Count and sum of each window, by key and start."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    size = int(WINDOW_SECONDS * SECOND)
    for event in events:
        where = (str(event["key"]), int(event["ts"]) // size * size)
        count, total = found.get(where, (0, 0))
        found[where] = (count + 1, total + int(event["value"]))
    return found


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the pipeline.

    Attributes:
        killed: it was killed; else it came to its end.
        results: that it told of.
        first_seconds: from its start to its first result; None if it had none.
    """

    killed: bool
    results: int
    first_seconds: float | None


def live(folder: Path, how: str, kill_after: int | None) -> Life:
    """Start it, and kill it once it has told of so many results; None: let it come to its end.

    Raises:
        RuntimeError: it ended by itself, and not well.
    """
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.dying_child", str(folder), how]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE)
    results, first = -1, None  # the first line says that it has begun
    with process:
        while results != kill_after and process.stdout.readline():
            results += 1
            if results == 1:
                first = time.perf_counter() - began
        if results == kill_after:
            process.send_signal(signal.SIGKILL)
    code = process.returncode
    if code not in {0, -signal.SIGKILL}:
        message = f"the pipeline ended with {code}"
        raise RuntimeError(message)
    return Life(code != 0, max(results, 0), first)


def lives(folder: Path, how: str, deaths: int, most: int, seed: int) -> list[Life]:
    """So many lives that are killed, each after at most so many results, and one that comes to its end."""
    drawn = random.Random(seed)
    lived = [live(folder, how, drawn.randrange(most)) for _ in range(deaths)]
    return [*lived, live(folder, how, None)]
