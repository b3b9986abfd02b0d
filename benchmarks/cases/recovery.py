"""recovery: a keyed pipeline that is killed again and again, and what comes out of it in the end."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.case import Case, Contestant, Must, Outcome

EVENTS_A_DEATH: Final = 600
MOST_RESULTS: Final = 120
ALLOWED_SECONDS: Final = 1.0
"""From the start of the process to its first result, beside what is read again: 100 events at most."""


def _count(deaths: int) -> int:
    return EVENTS_A_DEATH * (deaths + 1)


def _checksum(windows: dict[tuple[str, int], tuple[int, int]]) -> int:
    """Of windows by key and start, in whatever order they came."""
    return sum(
        random.Random(f"{key} {start} {count} {total}").getrandbits(52)
        for (key, start), (count, total) in windows.items()
    )


def ours(deaths: int) -> Outcome:
    """Ours: windows by key into a table of the store, kill -9 after at most 120 results, as often as is said."""
    from benchmarks.dying import STORE, lives, write_events  # noqa: PLC0415
    from rxml.stores import SqliteStore  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_events(folder, _count(deaths))
        lived = lives(folder, "joined", deaths, MOST_RESULTS, seed=3)
        rows = asyncio.run(SqliteStore(folder / STORE).read("windows").to_list())
    assert sum(life.killed for life in lived) == deaths
    found = {(row["key"], row["start"]): (row["n"], row["total"]) for row in rows}
    assert len(found) == len(rows)
    first = [life.first_seconds for life in lived[1:] if life.first_seconds is not None]
    measures = {
        "restart_seconds": median(first),
        "worst_restart_seconds": max(first),
        "allowed_seconds": ALLOWED_SECONDS,
    }
    return Outcome(_checksum(found), measures)


def by_hand(deaths: int) -> Outcome:
    """The same windows in a dict, in one process that nobody kills."""
    from benchmarks.dying import windows_by_hand, write_events  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        windows = windows_by_hand(write_events(Path(name), _count(deaths)))
    return Outcome(
        _checksum(windows),
        {"restart_seconds": 0.0, "worst_restart_seconds": 0.0, "allowed_seconds": ALLOWED_SECONDS},
    )


CASE = Case(
    name="recovery",
    what="windows by key, kill -9 at random places: the output is that of a run that never died; time to come back",
    limit="a dict of windows in a process that is never killed, for the output",
    size=20,
    quick=3,
    unit="deaths",
    contestants={
        "rxml": Contestant(
            ours, "with_event_time | key_by | window | sink, checkpoint every 100 events"
        ),
        "hand": Contestant(by_hand, "a loop, once, not killed"),
    },
    musts=(Must("within", "allowed_seconds", 1, "restart_seconds"),),
    shown=("restart_seconds", "worst_restart_seconds", "seconds"),
    most_rounds=1,
)
