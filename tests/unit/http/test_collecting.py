"""The garbage collector of a process that serves."""

from __future__ import annotations

import gc
from typing import Any

from rxml.http.collecting import TIMES, seldom


def test_cycles_are_collected_seldom_and_as_before_afterwards() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with seldom():
        assert gc.get_threshold() == (TIMES * before[0], *before[1:])
        assert gc.get_freeze_count() > frozen
        cycle: list[Any] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
