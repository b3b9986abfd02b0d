"""isolation: two models behind one server; while one gets more than it can answer, what does the other notice?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.dialects import SLOW
from benchmarks.serving.measure import percentile
from benchmarks.serving.overload import Load, opened
from benchmarks.serving.targets import served

if TYPE_CHECKING:
    from benchmarks.serving.open_loop import Opened

LOAD: Final = Load(
    times=1.5, in_time=0.1, give_up=1.0, connections=1000, headers={"X-Request-Timeout-Ms": "100"}
)
CAPACITY: Final = 400.0
"""Rows a second of the slow model: 8 in 20 ms, which it spends asleep."""

EACH: Final = 1.5 * CAPACITY
"""Requests a second to either model."""


def ours(seconds: int) -> Outcome:
    """The light model alone; with half as many requests to the slow one, which it can answer; with as many, 1.5 times that.

    The measures: p99 of the light model in each, and of the last how many of the slow one's were answered and refused.
    What it is beside a model that is well tells what mere company costs: 8 answers of the other in one turn, 50 times a second,
    are more than one in a hundred requests come upon. `starved_percent` is the time for which others had the server's processor.
    """
    aim = served("two_apps")
    slow = replace(aim, dialect=SLOW).requests(**LOAD.headers)
    light = aim.requests()
    both = [request for pair in zip(light, slow, strict=True) for request in pair]
    calm = [each for n in range(0, len(light), 2) for each in (*light[n : n + 2], slow[n])]
    if not seconds:
        return Outcome(0)
    with aim.started() as server:
        opened(server, light, LOAD, [(1.0, EACH)])
        starved = server.starved_seconds()
        alone = opened(server, light, LOAD, [(seconds, EACH)])
        well = opened(server, calm, LOAD, [(1.0 + seconds, 1.5 * EACH)])
        mixed = opened(server, both, LOAD, [(1.0 + seconds, 2 * EACH)])
        starved = server.starved_seconds() - starved
    return Outcome(
        0,
        {
            "alone_p99_seconds": percentile(alone.of(200), 0.99),
            "company_p99_seconds": percentile(_light(well, 3), 0.99),
            "beside_p99_seconds": percentile(_light(mixed, 2), 0.99),
            "light_failed": _failed(mixed, 0) + sum(s != 200 for s in alone.statuses),
            "slow_answered": sum(n % 2 and s == 200 for n, s in _pairs(mixed)),
            "slow_refused": _failed(mixed, 1),
            "starved_percent": 100 * starved / (2 + 3 * seconds),
        },
    )


def _pairs(found: Opened) -> list[tuple[int, int]]:
    return list(zip(found.numbers, found.statuses, strict=True))


def _failed(found: Opened, which: int) -> int:
    return sum(number % 2 == which and status != 200 for number, status in _pairs(found))


def _light(found: Opened, every: int) -> list[float]:
    """Latencies of the light model, from the second second on; each so many-th request is the other's."""
    rows = zip(found.numbers, found.due, found.latencies, found.statuses, strict=True)
    return [
        late for n, due, late, status in rows if _asked(n, every) and due >= 1 and status == 200
    ]


def _asked(number: int, every: int) -> bool:
    return number % every < every - 1


CASE = Case(
    name="isolation",
    what="600 requests a second to a light model, alone and while 600 go to a model that can answer 400",
    limit="the same server while the other model has nothing to do",
    size=10,
    quick=3,
    unit="seconds",
    contestants={"rxml": Contestant(ours, "two paths of one App")},
    musts=(Must("within", "alone_p99_seconds", 1.1, "beside_p99_seconds"),),
    shown=(
        *("alone_p99_seconds", "company_p99_seconds", "beside_p99_seconds", "light_failed"),
        *("slow_answered", "slow_refused", "starved_percent"),
    ),
    fresh=True,
    most_rounds=3,
)
