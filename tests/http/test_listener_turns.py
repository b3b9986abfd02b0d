"""How long reading takes: that alone, by a few looks at the clock."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from rxml.http import listener
from tests.http.helpers import run
from tests.http.ports import MOST, Still, port


class Recording(Still):
    """A valve that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(MOST)
        self.told: list[float] = []

    @override
    def read(self, seconds: float, now: float, open_: int) -> bool:
        self.told.append(seconds)
        return False


def test_reading_is_all_from_the_first_request_of_a_turn_to_its_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is done before `_turned`, such as a batch of a model, is no reading; the clock is read for a few requests."""
    looks = 0
    clock = 10.0

    def look() -> float:
        nonlocal looks
        looks += 1
        return clock

    monkeypatch.setattr(listener, "thread_time", look)

    async def main() -> list[float]:
        nonlocal clock
        valve = Recording()
        async with port(valve) as here:
            for count in (1, 5, 33, 104):
                for _ in range(count):
                    here.listener.works()
                    clock += 0.5
                clock += 1000.0
                await asyncio.sleep(0)
        return valve.told

    assert run(main()) == pytest.approx([0.0, 0.0, 16.0, 51.5])
    assert looks == 4 + 4 + 12
