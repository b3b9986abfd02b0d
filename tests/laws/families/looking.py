"""Law cases of `rxml.operators.looking`."""

from __future__ import annotations

import asyncio
from typing import Any

from rxml import operators as ops
from rxml.eventtime.joins.results import Looked
from tests.laws.case import Case


async def share(x: int) -> int:
    """Fails for 0; how long it takes depends on the key."""
    for _ in range(x * x % 3):
        await asyncio.sleep(0)
    return 12 // x


def itself(x: int) -> int:
    return x


def looked(xs: list[Any]) -> list[Looked[int, int | None]]:
    return [Looked(x, 12 // x) if x else without(x) for x in xs]


def without(x: int) -> Looked[int, int | None]:
    error = ZeroDivisionError("integer division or modulo by zero")
    return Looked(x, None, found=False, reason="error", error=error)


CASES = {
    "lookup_join": Case(
        lambda: ops.lookup_join(share, key=itself, cache=4, concurrency=3),
        looked,
        options={"ahead": 3},
    ),
    "lookup_join:one": Case(
        lambda: ops.lookup_join(share, key=itself, cache=0, concurrency=1),
        looked,
        options={"ahead": 1},
    ),
    "lookup_join:ttl": Case(
        lambda: ops.lookup_join(share, key=itself, cache=4, ttl=1, timeout=1, concurrency=3),
        None,
        options={"rate": True},
    ),
}
