"""Panes by the clock: what they cost, and that elements come between them however long they take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from rxml import aggregates as agg
from rxml import windows as w
from rxml.eventtime.windows.kernel import TICK
from rxml.eventtime.windows.keys import Keys
from rxml.eventtime.windows.ticking import TickStage
from rxml.flow.kinds import stage
from rxml.testing import run, scripted
from tests.unit.windows.running import Hand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rxml.flow.operator import Operator

NS = 1e-9


def test_elements_come_between_marks_however_long_these_take() -> None:
    ticks: Operator[Any, Any] = stage(
        "early", lambda env, node: TickStage(env, node, 1), rate=True, passes=True
    )

    async def slowly() -> list[Any]:
        seen: list[Any] = []
        async with scripted(1, 2, 3).pipe(ticks).open() as inlet:
            while len(seen) < 20 and not (chunk := await inlet.request(1)).end:
                seen += ["tick" if each is TICK else each for each in chunk.elements]
                await asyncio.sleep(2)
        return seen

    assert run(slowly()) == [1, "tick", 2, "tick", 3, "tick"]


@pytest.mark.parametrize("windowing", [w.tumbling(7 * NS), w.session(4 * NS)])
def test_a_mark_looks_only_at_windows_with_something_new(
    windowing: w.Windowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand(windowing, {"n": agg.count()}, emit=w.early(1), delay=10_000)
    for at in range(500):
        hand.take({"t": 10 * at, "k": at})
    assert len(hand.kernel.push_all([TICK])) == 500
    hand.take({"t": 33, "k": 3})
    ranked: list[int] = []
    rank = Keys.rank

    def seen(keys: Keys, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        ranked.append(len(codes))
        return rank(keys, codes)

    monkeypatch.setattr(Keys, "rank", seen)
    rows = hand.kernel.push_all([TICK])
    assert [(row["k"], row["n"], row["timing"]) for row in rows] == [(3, 2, "early")]
    assert ranked == [1]
