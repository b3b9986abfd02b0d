"""The alarm of coverage is that of the monitor, and costs little."""

from __future__ import annotations

import numpy as np
import pytest

from rxml.evaluation.anytime import MissMonitor
from rxml.learning import Coverage
from rxml.learning.calibrating.alarm import CoverageAlarm


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("times", [0.0, 1.0, 1.7, 2.0])
def test_it_comes_with_the_same_label(alpha: float, times: float) -> None:
    missed = np.random.default_rng(int(100 * alpha * times)).random(1500) < alpha * times
    monitor, alarm = MissMonitor(alpha, 0.05, side="above"), CoverageAlarm(alpha, 0.05)
    monitor.update(np.zeros(len(missed), np.intp), missed)
    alarm.hear((~missed[:700]).tolist())
    later = CoverageAlarm(alpha, 0.05)
    later.restore(alarm.snapshot())
    later.hear((~missed[700:]).tolist())
    assert later.at == monitor.alarmed_at([0])[0]


def test_the_evidence_is_rarely_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(self: CoverageAlarm) -> float:
        asked.append(1)
        return 0.0

    monkeypatch.setattr(CoverageAlarm, "_evidence", counted)
    alarm = CoverageAlarm(0.1, 0.05)
    alarm.hear((np.random.default_rng(3).random(20_000) >= 0.1).tolist())
    alarm.hear([True] * 20_000)
    assert not asked


def test_a_level_out_of_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        Coverage(1.0)
    with pytest.raises(ValueError, match="delta"):
        Coverage(0.9, delta=0.0)
