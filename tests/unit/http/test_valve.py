"""The valve: bounds, when it narrows and widens, and that one pause is not taken for overload."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rxml.http.valve import READING, WINDOW, Valve

LEAST = 32


def windows(valve: Valve, count: int, seconds: float, open_: int, start: float = 0.0) -> list[int]:
    """The limits after so many windows in each of which reading took so long, ten times."""
    limits: list[int] = []
    for number in range(count):
        for part in range(10):
            valve.read(seconds, start + (number + part / 10) * WINDOW, min(open_, valve.limit))
        limits.append(valve.limit)
    return limits


def test_reading_that_is_quick_changes_nothing() -> None:
    valve = Valve(1000)
    assert windows(valve, 20, READING / 3, 900) == [1000] * 20
    assert not valve.narrowed


def test_what_is_too_long_for_less_than_three_windows_is_not_overload() -> None:
    valve = Valve(1000)
    assert windows(valve, 2, 2 * READING, 900) == [1000] * 2
    windows(valve, 1, READING / 3, 900, 0.2)
    assert windows(valve, 3, 2 * READING, 900, 0.3) == [1000] * 3
    assert windows(valve, 1, 2 * READING, 900, 0.6)[0] < 1000


def test_one_pause_is_not_overload() -> None:
    valve = Valve(1000)
    windows(valve, 3, READING / 3, 900)
    assert not valve.read(1.0, 10.0, 900)
    assert not valve.read(READING / 3, 10.0 + WINDOW, 900)
    assert valve.limit == 1000


@pytest.mark.parametrize("pause", [0.03, 0.06, 0.1, 0.3])
def test_what_has_gathered_in_pauses_is_not_overload(pause: float) -> None:
    """At half of what can be answered, from 900 clients."""
    valve = Valve(1000)
    came, answered, now = 14_000.0, 28_000.0, 10.0
    for _ in range(20):
        now, end = now + pause, now + pause + WINDOW
        waiting = min(900.0, pause * came)
        while now < end:
            turn = max(1.0, waiting) / answered
            valve.read(8e-6 * waiting, now, 900)
            waiting, now = min(900.0, turn * came), now + turn
        assert valve.limit == 1000


def test_reading_that_stays_long_narrows_to_what_can_be_read_in_time() -> None:
    valve = Valve(1000)
    for number in range(200):
        now, open_ = number * WINDOW / 5, min(900, valve.limit)
        valve.read(open_ * 40e-6, now, open_)
    assert valve.narrowed
    assert valve.limit * 40e-6 <= READING
    assert valve.limit * 40e-6 >= 0.3 * READING


def test_between_half_and_all_of_what_reading_may_take_it_rests() -> None:
    valve = Valve(1000)
    windows(valve, 5, 3 * READING, 400)
    limit = valve.limit
    assert windows(valve, 20, 0.75 * READING, limit, 10.0)[2:] == [valve.limit] * 18


def test_there_are_never_fewer_than_32() -> None:
    valve = Valve(1000)
    assert windows(valve, 50, 1.0, 900)[-1] == LEAST
    few = Valve(5)
    assert windows(few, 50, 1.0, 5)[-1] == 5


def test_it_opens_again_when_reading_is_quick() -> None:
    valve = Valve(1000)
    windows(valve, 50, 1.0, 900)
    limits = windows(valve, 60, READING / 10, 900, 5.0)
    assert limits[:6] == [LEAST, 2 * LEAST, 4 * LEAST, 8 * LEAST, 16 * LEAST, 1000]
    assert limits[-1] == 1000
    assert not valve.narrowed


def test_it_stays_where_nobody_is_kept_out_until_that_has_lasted() -> None:
    valve = Valve(1000)
    windows(valve, 50, 1.0, 900)
    windows(valve, 3, READING / 10, 900, 5.0)
    limits = windows(valve, 30, READING / 10, 20, 5.3)
    assert limits[:7] == [128] * 7
    assert limits[-1] == 1000


def test_who_leaves_and_comes_again_does_not_make_it_swing() -> None:
    """Of what was closed there come only a few again in a window: meanwhile reading is short, and says nothing."""
    valve, open_, limits = Valve(1000), 1000, list[int]()
    for number in range(600):
        now = number * WINDOW / 6
        open_ = min(valve.limit, open_ + 10)
        valve.read(20e-6 * open_, now, open_)
        if valve.limit < open_:
            open_ = valve.limit // 2
        limits.append(valve.limit)
    assert len({*limits[100:]}) == 1
    assert 0.5 * READING <= 20e-6 * limits[-1] <= READING


def test_a_window_without_work_doubles_it() -> None:
    valve = Valve(1000)
    windows(valve, 50, 1.0, 900)
    valve.rested(100.0)
    assert valve.limit == 2 * LEAST
    for number in range(10):
        valve.rested(101.0 + number)
    assert valve.limit == 1000


@pytest.mark.parametrize("open_", [0, 1, 31])
def test_who_has_few_connections_keeps_the_least(open_: int) -> None:
    valve = Valve(1000)
    windows(valve, 10, 1.0, open_)
    assert valve.limit == LEAST


class Any(RuleBasedStateMachine):
    """Whatever happens, the limit stays in its bounds, moves by bounded steps, and only when there is a reason."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 400
        self.valve = Valve(self.most)
        self.now = 0.0
        self.seen: list[float] = []
        self.long_before = False

    @rule(
        seconds=st.floats(0, 3 * READING),
        later=st.floats(0, WINDOW / 3),
        open_=st.integers(0, 500),
    )
    def read(self, seconds: float, later: float, open_: int) -> None:
        before, self.now = self.valve.limit, self.now + later
        decided = self.now >= self._end
        changed = self.valve.read(seconds, self.now, open_)
        assert changed == (self.valve.limit != before)
        assert decided or not changed
        if decided:
            self._judge(before, open_)
        self.seen.append(seconds)

    def _judge(self, before: int, open_: int) -> None:
        after, self._end = self.valve.limit, self.now + WINDOW
        longest = max(self.seen, default=0.0)
        if after < before:
            assert longest > READING
            assert self.long_before
            assert after >= max(LEAST, 0.25 * min(before, open_) - 1)
        if after > before:
            assert min(self.seen, default=0.0) < 0.75 * READING
            assert after <= 2 * before
        self.long_before, self.seen = longest > READING, []

    @precondition(lambda self: self.seen)
    @rule()
    def rest(self) -> None:
        before, self.now = self.valve.limit, self.now + 2 * WINDOW
        self.valve.rested(self.now)
        self._end, self.seen, self.long_before = self.now + WINDOW, [], False
        assert self.valve.limit == min(self.most, 2 * before)

    @invariant()
    def in_bounds(self) -> None:
        assert LEAST <= self.valve.limit <= self.most
        assert self.valve.narrowed == (self.valve.limit < self.most)

    _end = 0.0


TestAny = Any.TestCase
TestAny.settings = settings(max_examples=40, stateful_step_count=40)
