"""How long reading takes: by one look at the clock before it and one behind it, however much is read in a turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from rxml.http import listener
from tests.http.helpers import run
from tests.http.ports import MOST, Still, port

if TYPE_CHECKING:
    import pytest


class Recording(Still):
    """A valve that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(MOST)
        self.told: list[float] = []

    @override
    def read(self, seconds: float, now: float, open_: int) -> bool:
        self.told.append(seconds)
        return False


def test_all_that_is_read_in_a_turn_counts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([1.0, 1.25, 2.0, 2.5])
    monkeypatch.setattr(listener, "thread_time", lambda: next(times))

    async def main() -> list[float]:
        valve = Recording()
        async with port(valve) as here:
            for _ in range(2):
                for _ in range(3):
                    here.listener.works()
                await asyncio.sleep(0)
        return valve.told

    assert run(main()) == [0.25, 0.5]
