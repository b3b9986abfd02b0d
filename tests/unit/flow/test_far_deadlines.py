from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rxml.flow.deadlines import TICK, Deadlines
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Callable


def test_deadlines_that_are_taken_back_leave_nothing_behind_however_far_they_were() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        handles: list[asyncio.TimerHandle] = []

        class Counting:
            def call_at(
                self, when: float, call: Callable[[int], object], tick: int
            ) -> asyncio.TimerHandle:
                handles.append(loop.call_at(when, call, tick))
                return handles[-1]

        told: list[int] = []
        as_loop: Any = Counting()
        deadlines = Deadlines[int](as_loop, told.append)
        for number in range(20_000):
            deadlines.take_back(number, deadlines.set(number, 3600 + number * TICK))
        assert sum(not each.cancelled() for each in handles) <= 1024
        deadlines.set(-1, 1.0)
        kept = deadlines.set(-2, 3600)
        deadlines.set(-3, 3600)
        deadlines.take_back(-2, kept)
        await asyncio.sleep(4000)
        assert told == [-1, -3]
        deadlines.set(-4, 4001)
        deadlines.clear()
        await asyncio.sleep(10)
        assert told == [-1, -3]
        assert all(each.cancelled() or each.when() < 4000 for each in handles)

    run(main())
