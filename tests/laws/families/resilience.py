"""Law cases of `rxml.operators.resilience`."""

from __future__ import annotations

import asyncio
from typing import Any

from rxml import compose
from rxml import operators as ops
from rxml.models import ModelSupervisor
from tests.laws.case import Case

RATE = {"rate": True, "ahead": None}


async def share(x: int) -> int:
    """Fails for 0; how long it takes depends on the element."""
    for _ in range(x * x % 3):
        await asyncio.sleep(0)
    return 12 // x


async def double(x: int) -> int:
    await asyncio.sleep(0)
    return 2 * x


def value(answer: ops.Answer[Any]) -> Any:
    return answer.value


def least(quorum: ops.Quorum[int]) -> int:
    return min(quorum.answers.values())


async def spare(x: int) -> int:
    """What `share` answers, and 0 for 0: who of them is asked in the end depends on how `share` fares."""
    await asyncio.sleep(0)
    return 12 // x if x else 0


def arms() -> ModelSupervisor:
    return ModelSupervisor({"share": share, "spare": spare}, weights={"share": 1})


CASES = {
    "deadline": Case(lambda: ops.deadline(5), list),
    "fallback": Case(
        lambda: compose(ops.fallback(share, default=7, concurrency=3), ops.map(value)),
        lambda xs: [12 // x if x else 7 for x in xs],
        options={"ahead": 3},
    ),
    "fallback:rungs": Case(
        lambda: compose(ops.fallback(share, double, concurrency=2), ops.map(value)),
        lambda xs: [12 // x if x else 0 for x in xs],
        options={"ahead": 2},
    ),
    "fallback:none": Case(
        lambda: compose(ops.fallback(share, concurrency=2), ops.map(value)),
        lambda xs: (12 // x for x in xs),
        options={"ahead": 2},
    ),
    "quorum": Case(
        lambda: ops.quorum([share, double], need=1, within=60, combine=least, concurrency=2),
        lambda xs: [min(12 // x, 2 * x) if x else 0 for x in xs],
        options={"ahead": 2},
    ),
    "supervise_models": Case(
        lambda: compose(ops.supervise_models(arms(), concurrency=3), ops.map(value)),
        lambda xs: [12 // x if x else 0 for x in xs],
        options={"ahead": 3},
    ),
    "supervise_models:none": Case(
        lambda: compose(ops.supervise_models({"share": share}, concurrency=2), ops.map(value)),
        lambda xs: (12 // x for x in xs),
        options={"ahead": 2},
    ),
    "shed": Case(lambda: ops.shed(3), None, options=RATE),
    "shed:worth": Case(lambda: ops.shed(2, worth=abs), None, options=RATE),
    "shed:lifo": Case(lambda: ops.shed(2, order="lifo"), None, options=RATE),
    "rate_limit": Case(lambda: ops.rate_limit(2, 2), None, options={"rate": True}),
    "rate_limit:key": Case(lambda: ops.rate_limit(4, key=abs), None, options={"rate": True}),
    "rate_limit:shed": Case(
        lambda: ops.rate_limit(1, key=abs, excess="shed"), None, options={"rate": True}
    ),
    "quarantine": Case(lambda: ops.quarantine(abs), None, options={"rate": True}),
    "watchdog": Case(
        lambda: ops.watchdog(ops.map_async(double, concurrency=2), stall=1e6),
        None,
        options={"rate": True, "ahead": 2},
    ),
}
