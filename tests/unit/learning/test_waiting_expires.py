"""What waits for labels, in any order of times: `Waiting` settles as `Ledger` does."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from rxml.learning.delaying.waiting import Waiting
from rxml.uncertain.calibration.labels import Counts, Ledger

_NAMES = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)
_TIMES = st.integers(0, 30)
_STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "take", "abstain", "advance", "save"]), _NAMES, _TIMES),
    max_size=30,
)


def test_who_is_old_waits_no_more_though_it_came_behind_who_is_young() -> None:
    waiting = Waiting(10, expire=5)
    waiting.put(["young", "old"], [100, 0], [0, 0], [(), ()])
    waiting.advance(50)
    assert (len(waiting), waiting.counts) == (1, Counts(predicted=2, expired=1))
    assert [kept.time for kept in waiting.take(["old", "young"], [None, None])] == [100]
    assert waiting.counts.late == 1


def settled(room: Any, step: str, names: list[int], time: int) -> list[int]:
    """Do a step; the times of what was kept of those that were taken."""
    if step == "advance":
        room.advance(time)
    if step == "abstain":
        room.abstain(names)
    if step == "put":
        rows = [[float(time)]] * len(names) if isinstance(room, Ledger) else [(time,)] * len(names)
        room.put(names, [time] * len(names), [0] * len(names), rows)
    if step != "take":
        return []
    taken: Any = room.take(names, [time] * len(names))
    kept: Any = taken.values if isinstance(room, Ledger) else [each.values for each in taken]
    return [int(value) for (value,) in kept]


@given(_STEPS)
def test_whatever_happens_it_settles_as_a_ledger_of_numbers_does(steps: Any) -> None:
    waiting, ledger = Waiting(5, expire=7), Ledger(1, 5, expire=7)
    for step, names, time in steps:
        if step == "save":
            saved, waiting = waiting.snapshot(), Waiting(5, expire=7)
            waiting.restore(saved)
        assert settled(waiting, step, names, time) == settled(ledger, step, names, time)
        assert (waiting.counts, len(waiting)) == (ledger.counts, len(ledger))
