"""Counts, quantiles, keys and poison against lists."""

from __future__ import annotations

from math import ceil
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rxml import wire
from rxml.resilience.keyed import Keyed
from rxml.resilience.poison import Poison
from rxml.resilience.quantile import RecentQuantile
from rxml.resilience.window import WindowedCounts
from tests.unit.resilience.ticking import FEW, Ticking


class CountsMachine(Ticking):
    def __init__(self) -> None:
        super().__init__()
        self.counts = WindowedCounts(6.0, 3, 2)
        self.events: list[tuple[float, int, int]] = []

    @rule(a=st.integers(0, 3), b=st.integers(0, 3))
    def add(self, a: int, b: int) -> None:
        self.counts.add(self.now, a, b)
        self.events.append((self.now, a, b))

    @rule()
    def clear(self) -> None:
        self.counts.clear()
        self.events.clear()

    @invariant()
    def agree(self) -> None:
        recent = [each for each in self.events if self.now // 2 - each[0] // 2 < 3]
        wanted = sum(each[1] for each in recent), sum(each[2] for each in recent)
        assert self.counts.totals(self.now) == wanted


TestCounts = CountsMachine.TestCase
TestCounts.settings = FEW


@given(st.lists(st.floats(0, 9), max_size=30), st.integers(1, 8), st.floats(0, 1))
def test_a_quantile_is_that_of_the_newest(values: list[float], size: int, q: float) -> None:
    recent = RecentQuantile(size)
    for value in values:
        recent.add(value)
    newest = sorted(values[-size:])
    assert len(recent) == len(newest)
    assert recent.quantile(q) == (newest[max(0, ceil(q * len(newest)) - 1)] if newest else None)


def test_nan_has_no_place_among_numbers() -> None:
    with pytest.raises(ValueError, match="wants a number, got nan"):
        RecentQuantile().add(float("nan"))


class KeyedMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.keyed: Keyed[int] = Keyed(3)
        self.rows: list[tuple[int, int]] = []

    def pull(self, key: int) -> int | None:
        found = [row for row in self.rows if row[0] == key]
        self.rows = [row for row in self.rows if row[0] != key]
        return found[0][1] if found else None

    @rule(key=st.integers(0, 5), value=st.integers(1, 9))
    def put(self, key: int, value: int) -> None:
        self.keyed.put(key, value)
        self.pull(key)
        self.rows = [*self.rows, (key, value)][-3:]

    @rule(key=st.integers(0, 5))
    def get(self, key: int) -> None:
        value = self.pull(key)
        if value is not None:
            self.rows.append((key, value))
        assert self.keyed.get(key) == value

    @rule(key=st.integers(0, 5))
    def pop(self, key: int) -> None:
        assert self.keyed.pop(key) == self.pull(key)

    @invariant()
    def agree(self) -> None:
        assert self.keyed.keys() == tuple(key for key, _ in self.rows)


TestKeyed = KeyedMachine.TestCase
TestKeyed.settings = FEW


class PoisonMachine(RuleBasedStateMachine):
    """With room for all keys, a dict of counts is the whole truth."""

    def __init__(self) -> None:
        super().__init__()
        self.poison = Poison(3, keys=4)
        self.counts = dict.fromkeys(range(4), 0)

    @rule(key=st.integers(0, 3))
    def fail(self, key: int) -> None:
        self.counts[key] += 1
        assert self.poison.failed(key) == (self.counts[key] >= 3)

    @rule(key=st.integers(0, 3))
    def succeed(self, key: int) -> None:
        self.poison.succeeded(key)
        if self.counts[key] < 3:
            self.counts[key] = 0

    @rule(key=st.integers(0, 3))
    def release(self, key: int) -> None:
        assert self.poison.release(key) == (self.counts[key] >= 3)
        if self.counts[key] >= 3:
            self.counts[key] = 0

    @rule()
    def move_house(self) -> None:
        state: Any = self.poison.snapshot()
        self.poison = Poison(3, keys=4)
        self.poison.restore(state)

    @invariant()
    def agree(self) -> None:
        shut = {key for key, count in self.counts.items() if count >= 3}
        assert set(self.poison.keys()) == shut
        assert {key for key in self.counts if self.poison.quarantined(key)} == shut


def test_keys_of_several_parts_outlive_the_wire() -> None:
    poison, again, key = Poison(1), Poison(1), ("a", (1, "b"))
    assert poison.failed(key)
    state: Any = wire.loads(wire.dumps(poison.snapshot()))
    again.restore(state)
    assert again.quarantined(key)


TestPoison = PoisonMachine.TestCase
TestPoison.settings = FEW


def test_a_flood_of_failing_keys_takes_no_more_room() -> None:
    poison = Poison(1, keys=10)
    for key in range(1000):
        poison.failed(key)
    assert poison.keys() == tuple(range(990, 1000))
