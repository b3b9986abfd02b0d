"""decisions: `examples/ads.py` on one core: a thousand offers a second of a hundred features, 10 ms for each decision."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.serving.dialects import OFFER
from benchmarks.serving.measure import Target, WrongAnswerError, asked, percentile
from benchmarks.serving.overload import Load, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.serving.open_loop import Opened

RATE: Final = 1000.0
LOAD: Final = Load(times=1.0, in_time=0.010, give_up=1.0, connections=1000)
STALLING: Final = 0.02
"""Share of questions to a replica that take 30 ms more."""


def deciding(seconds: int, *options: str) -> dict[str, float]:
    """The p99 of all that were asked, who had no decision counted with a second, and the share of these."""
    command = (sys.executable, "-m", "benchmarks.peers.decisions", "--port", "{port}", *options)
    aim = Target(command, OFFER)
    requests = aim.requests()
    with aim.started() as server:
        opened(server, requests, LOAD, [(1.0, RATE)])
        look(asked(server, requests, connections=1, most=64).bodies)
        found = opened(server, requests, LOAD, [(seconds, RATE)])
        server.check()
    return {
        "p50_seconds": percentile(waited(found), 0.5),
        "p99_seconds": percentile(waited(found), 0.99),
        "undecided_percent": 100 * (1 - found.count(200) / len(found.due)),
        "client_behind_percent": 100 * found.behind,
    }


def waited(found: Opened) -> list[float]:
    """Seconds, of each request; a second for those without a decision."""
    return [
        late if status == 200 else LOAD.give_up
        for late, status in zip(found.latencies, found.statuses, strict=True)
    ]


def look(bodies: Sequence[tuple[int, bytes]]) -> None:
    """At decisions of a server that has little to do: most must be those of the large model.

    Raises:
        WrongAnswerError: they are not, or one is no decision.
    """
    made = [json.loads(body)["value"] for _, body in bodies]
    wrong = [m for m in made if not 0 <= m["lower"] <= m["chance"] <= m["upper"] <= 1]
    others = [m for m in made if m["rung"] != "replica"]
    if wrong or 2 * len(others) > len(made):
        raise WrongAnswerError(f"must be decisions by a replica, got {(wrong or others)[0]}")


def ours(seconds: int) -> Outcome:
    """All well, and then with a stall in one question of fifty, which the other replica answers."""
    if not seconds:
        return Outcome(0)
    well, stalling = deciding(seconds), deciding(seconds, "--stalls", str(STALLING))
    others = {f"stalling_{name}": value for name, value in stalling.items()}
    return Outcome(0, {**well, **others, "allowed_seconds": LOAD.in_time})


def by_hand(seconds: int) -> Outcome:
    """The bare model."""
    return Outcome(0, deciding(seconds, "--hand")) if seconds else Outcome(0)


CASE = Case(
    name="decisions",
    what="examples/ads.py, a thousand offers a second; also while one question of fifty stalls for 30 ms",
    limit="the same model called per request in aiohttp, with no replica, hedge, breaker or rungs",
    size=10,
    quick=2,
    unit="seconds",
    contestants={
        "rxml": Contestant(ours, "App.predict of a guarded, hedged fallback"),
        "hand": Contestant(by_hand, "aiohttp.web, the model a request"),
    },
    musts=(
        Must("within", "allowed_seconds", 1.0, "p99_seconds"),
        Must("within", "allowed_seconds", 1.0, "stalling_p99_seconds"),
    ),
    shown=(
        *("p50_seconds", "p99_seconds", "undecided_percent"),
        *("stalling_p50_seconds", "stalling_p99_seconds", "stalling_undecided_percent"),
        "client_behind_percent",
    ),
    fresh=True,
    most_rounds=3,
)
