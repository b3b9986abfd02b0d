"""Overload: more requests than a server can answer, from clients that do not wait for one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks.case import Outcome
from benchmarks.serving.arrivals import poisson
from benchmarks.serving.measure import WrongAnswerError, asked, percentile
from benchmarks.serving.open_loop import GAVE_UP, LOST, UNSENT, OpenLoop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.serving.measure import Target
    from benchmarks.serving.open_loop import Opened
    from benchmarks.serving.process import Server

CONNECTIONS: Final = 64
SHED: Final = 429
REFUSED: Final = 503
LATE: Final = 504
PEAK_SECONDS: Final = 2.0
ALLOWED_BYTES: Final = 32 * 2**20
"""By which the memory of a server may grow and still be flat."""


@dataclass(frozen=True, slots=True)
class Load:
    """How a server is overloaded.

    Attributes:
        times: what comes, in terms of what a closed loop of 64 connections gets answered.
        in_time: seconds in which an answer is of use.
        give_up: seconds after which clients go away.
        connections: at once, at most.
        headers: of each request.
    """

    times: float
    in_time: float
    give_up: float
    connections: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def peak(server: Server, target: Target) -> float:
    """Answers a second to 64 connections that wait for them, after looking at some."""
    requests = target.requests()
    target.check(asked(server, requests, connections=CONNECTIONS, most=len(requests)).bodies)
    loop = {"connections": CONNECTIONS, "most": 10**9}
    asked(server, requests, seconds=PEAK_SECONDS / 2, keep=10**9, **loop)
    return asked(server, requests, seconds=PEAK_SECONDS, keep=10**9, **loop).rate


def opened(
    server: Server, requests: Sequence[bytes], load: Load, phases: Sequence[tuple[float, float]]
) -> Opened:
    """An open loop of these phases."""
    loop = OpenLoop(server.port, requests, give_up=load.give_up, most=load.connections)
    try:
        return loop.run(poisson(phases))
    finally:
        loop.close()


def overloaded(target: Target, seconds: int, load: Load) -> Outcome:
    """A server at its peak, and then under more than that.

    The measures: `goodput` and `peak` in answers a second, the p99 of those answered and of those refused, what became
    of the others in percent of all, and how the memory has grown.

    Zero seconds measure nothing.

    Raises:
        WrongAnswerError: there was no answer.
    """
    if not seconds:
        return Outcome(0)
    with target.started() as server:
        most = peak(server, target)
        before = server.memory_bytes()
        found = opened(
            server, target.requests(**load.headers), load, [(seconds, load.times * most)]
        )
        growth = server.memory_bytes(peak=True) - before
        server.check()
    if not (answered := found.of(200)):
        raise WrongAnswerError(f"of {len(found.due)} requests none was answered")
    return Outcome(
        0, {**told(found, answered, load, seconds), "peak": most, "growth_bytes": growth}
    )


def failures(found: Opened) -> dict[str, float]:
    """How many requests had no answer with 200, by what became of them."""
    kinds = {
        "refused": SHED,
        "unavailable": REFUSED,
        "too_late": LATE,
        "gave_up": GAVE_UP,
        "lost": LOST,
        "unsent": UNSENT,
    }
    counts = {name: found.count(status) for name, status in kinds.items()}
    others = len(found.due) - found.count(200) - sum(counts.values())
    return {**counts, "otherwise": others}


def told(found: Opened, answered: list[float], load: Load, seconds: float) -> dict[str, float]:
    """What became of the requests."""
    percent = 100 / len(found.due)
    others = (200, SHED, REFUSED, LATE, GAVE_UP, LOST, UNSENT)
    return {
        "goodput": sum(late <= load.in_time for late in answered) / seconds,
        "offered": len(found.due) / seconds,
        "answered_p99_seconds": percentile(answered, 0.99),
        "in_time_seconds": load.in_time,
        "shed_p99_seconds": percentile(found.of(SHED) or [0.0], 0.99),
        "shed_allowed_seconds": 0.02,
        "shed_percent": percent * found.count(SHED),
        "expired_percent": percent * found.count(LATE),
        "gave_up_percent": percent * (found.count(GAVE_UP) + found.count(UNSENT)),
        "lost_percent": percent * found.count(LOST),
        "refused_percent": percent * found.count(REFUSED),
        "failed_percent": percent * sum(status not in others for status in found.statuses),
        "client_behind_percent": 100 * found.behind,
        "allowed_bytes": ALLOWED_BYTES,
    }
