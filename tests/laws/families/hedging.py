"""Law cases of `rxml.operators.hedging`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

CAPACITY = 8
_DOUBTS = [(0.5, 3.0), (3.0, 0.5), (2.0, 3.0), (3.0, 2.0), (-1.0, 2.0), (-1.0,)]
ROWS: SearchStrategy[Any] = st.sampled_from(
    [{"x": x, "u": doubts} for doubts in _DOUBTS for x in range(3)]
)
"""How unsure each of two models is, of which at most one is sure enough; below 0 it fails, as does one that has none."""


async def said(row: Any, of: int) -> dict[str, Any]:
    """How long it takes depends on the element."""
    for _ in range(row["x"] * (of + 1) % 3):
        await asyncio.sleep(0)
    if of >= len(row["u"]) or row["u"][of] < 0:
        raise ArithmeticError
    return {"value": 10 * of + row["x"], "doubt": row["u"][of]}


async def small(row: Any) -> dict[str, Any]:
    return await said(row, 0)


async def big(row: Any) -> dict[str, Any]:
    return await said(row, 1)


def surest(rows: list[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        known = {of: doubt for of, doubt in enumerate(row["u"]) if doubt >= 0}
        if not known:
            raise ArithmeticError
        of = min(known, key=known.__getitem__)
        why = "unsure" if len(known) == 2 else "error: ArithmeticError"
        told = {"rung": ("small", "big")[of], "reason": why if known[of] > 1 else ""}
        yield {**row, "value": 10 * of + row["x"], "doubt": known[of], **told}


def hedge() -> Any:
    models = {"small": small, "big": big}
    return ops.hedge(models, when="doubt", above=1, within=60, concurrency=CAPACITY)


CASES = {
    "hedge": Case(hedge, surest, ROWS, {"ahead": CAPACITY}),
}
