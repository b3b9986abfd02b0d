"""Acceptance of the monitor of misses: rare false alarms over 2000 looks, and a soon true one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml.evaluation.anytime import MissMonitor

LOOKS = 2000


def alarms(side: Any, share: float, runs: int, seed: int) -> np.ndarray[Any, Any]:
    monitor = MissMonitor(0.1, 0.05, side=side, keys=runs)
    slots = np.arange(runs)
    missed = np.random.default_rng(seed).random((LOOKS, runs)) < share
    monitor.update(np.tile(slots, LOOKS), missed.reshape(-1))
    return monitor.alarmed_at(slots)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("side", ["both", "above"])
def test_a12_alarms_are_seldom_false_and_soon_true(side: str) -> None:
    assert (alarms(side, 0.1, 1000, 3) > 0).mean() <= 0.05
    late = alarms(side, 0.15, 500, 4)
    assert np.median(np.where(late > 0, late, LOOKS)) <= 600
