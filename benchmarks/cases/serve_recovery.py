"""serve_recovery: a spike of three times what a model can answer, and how long its traces last."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.measure import percentile
from benchmarks.serving.overload import Load, opened, peak
from benchmarks.serving.targets import target

if TYPE_CHECKING:
    from benchmarks.serving.open_loop import Opened

LOAD: Final = Load(
    times=3.0,
    in_time=0.1,
    give_up=1.0,
    connections=4096,
    headers={"X-Request-Timeout-Ms": "100"},
)
CALM: Final = 0.5
WINDOW: Final = 0.1
"""Seconds; the first window from which on all are as before the spike ends the recovery."""


def through(name: str, seconds: int) -> Outcome:
    """Half of the peak, three times the peak, half of the peak again, for so many seconds each.

    `recovery_seconds` is from the end of the spike until the p99 of what is asked is back at no more than twice what it
    was before, and 10 ms.
    """
    if not seconds:
        return Outcome(0)
    aim = target(name, "--busy")
    with aim.started() as server:
        most = peak(server, aim)
        phases = [(seconds, CALM * most), (seconds, LOAD.times * most), (seconds, CALM * most)]
        found = opened(server, aim.requests(**LOAD.headers), LOAD, phases)
    normal = percentile(found.of(200, seconds / 3, seconds), 0.99)
    return Outcome(
        0,
        {
            "recovery_seconds": recovery(found, 2 * seconds, 3 * seconds, 2 * normal + 0.01),
            "allowed_seconds": 1.0,
            "normal_p99_seconds": normal,
            "peak": most,
        },
    )


def recovery(found: Opened, since: float, until: float, most: float) -> float:
    """Seconds from `since` to the end of the last window with more than 1 % of requests worse than `most`."""
    count = round((until - since) / WINDOW)
    asked, bad = [0] * count, [0] * count
    for due, latency, status in zip(found.due, found.latencies, found.statuses, strict=True):
        if since <= due < until:
            window = min(count - 1, int((due - since) / WINDOW))
            asked[window] += 1
            bad[window] += status != 200 or latency > most
    worse = [number for number in range(count) if bad[number] > max(1, asked[number] // 100)]
    return WINDOW * (worse[-1] + 1) if worse else 0.0


CASE = Case(
    name="serve_recovery",
    what="half of the peak of a model of 0.5 ms a row, a spike to 3x, and half again, so many seconds each",
    limit="the queue that is there when the spike ends, and the deadline of 100 ms of what is in it",
    size=4,
    quick=3,
    unit="seconds",
    contestants={
        "rxml": Contestant(partial(through, "ours"), "App.predict of score(model)"),
        "hand": Contestant(partial(through, "per_request"), "aiohttp.web, the model a request"),
    },
    musts=(Must("within", "allowed_seconds", 1.0, "recovery_seconds"),),
    shown=("recovery_seconds", "normal_p99_seconds", "peak"),
    fresh=True,
    most_rounds=3,
)
