"""Roster: ttl and max_keys against a dict that is walked element by element."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rxml.errors import SchemaError
from rxml.eventtime.keyed.roster import Roster
from rxml.eventtime.keying import Evicted, Keying
from rxml.wire import dumps, loads

Step = tuple[list[tuple[int, int]], int | None]
"""Elements (key, time), and the watermark behind them."""


class Model:
    """Counts the elements of each key, in plain Python."""

    def __init__(self, ttl: int | None, most: int | None) -> None:
        self.ttl, self.most, self.turn = ttl, most, 0
        self.known: dict[int, list[int]] = {}
        self.evicted: list[Evicted] = []

    def late(self, key: int, time: int) -> bool:
        return self.ttl is not None and time > self.known[key][0] + self.ttl

    def evict(self, key: int, reason: str) -> None:
        del self.known[key]
        self.evicted.append(Evicted(key, reason))

    def take(self, key: int, time: int) -> int:
        self.turn += 1
        if key in self.known and self.late(key, time):
            self.evict(key, "ttl")
        if key not in self.known and len(self.known) == self.most:
            oldest = min(self.known, key=lambda each: self.known[each][:2])
            self.evict(oldest, "ttl" if self.late(oldest, time) else "max_keys")
        age = self.turn if self.ttl is None else time
        state = self.known.setdefault(key, [age, 0, 0])
        state[:] = [max(age, state[0]), self.turn, state[2] + 1]
        return state[2]

    def advance(self, watermark: int) -> None:
        for key in [key for key in self.known if self.late(key, watermark)]:
            self.evict(key, "ttl")


class Counting:
    """Counts with a roster, a chunk at a time; now and then it undoes a placement first."""

    def __init__(self, ttl: int | None, most: int | None) -> None:
        self.evicted: list[Evicted] = []
        self.roster = Roster(Keying("key", ttl, most, self.evicted.append))
        self.counts: dict[int, int] = {}

    def take(self, chunk: list[tuple[int, int]], *, undo: bool, column: bool) -> list[int]:
        keys: Any = [key for key, _ in chunk]
        keys = np.array(keys) if column else keys
        times = np.array([time for _, time in chunk], np.int64)
        if undo:
            self.roster.undo(self.roster.place(keys, times))
        placement = self.roster.place(keys, times)
        for slot in placement.fresh:
            self.counts[slot] = 0
        results: list[int] = []
        for slot in placement.codes.tolist():
            self.counts[slot] += 1
            results.append(self.counts[slot])
        self.roster.commit(placement)
        return results


ELEMENTS = st.tuples(st.integers(0, 6), st.integers(-9, 30))
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(st.lists(ELEMENTS, min_size=1, max_size=12), st.none() | st.integers(-9, 30)),
    max_size=8,
)
BOUNDS = st.tuples(st.none() | st.integers(1, 12), st.none() | st.integers(1, 5))


@given(BOUNDS, STEPS, st.data())
def test_keys_come_and_go_as_in_a_dict(
    bounds: tuple[int | None, int | None], steps: list[Step], data: st.DataObject
) -> None:
    model, ours = Model(*bounds), Counting(*bounds)
    for chunk, watermark in steps:
        undo, column = data.draw(st.booleans()), data.draw(st.booleans())
        assert ours.take(chunk, undo=undo, column=column) == [model.take(*each) for each in chunk]
        assert ours.evicted == model.evicted
        if watermark is not None:
            model.advance(watermark)
            ours.roster.advance(watermark)
            assert Counter(map(repr, ours.evicted)) == Counter(map(repr, model.evicted))
            model.evicted, ours.evicted[:] = list(ours.evicted), list(ours.evicted)
        assert set(ours.roster.table.keys_of(ours.roster.table.slots())) == set(model.known)
        if data.draw(st.booleans()):
            state = loads(dumps(ours.roster.snapshot()))
            ours.roster = Roster(Keying("key", *bounds, ours.evicted.append))
            ours.roster.restore(state)
    assert ours.roster.evicted == len(model.evicted) or bounds == (None, None)


@given(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=300), st.integers(1, 30))
def test_the_oldest_gives_way_over_many_chunks(keys: list[int], most: int) -> None:
    model, ours = Model(None, most), Counting(None, most)
    keys = [*keys, *keys[::-1], *keys[::2]]
    results = [
        count
        for at in range(0, len(keys), 16)
        for count in ours.take([(key, 0) for key in keys[at : at + 16]], undo=False, column=True)
    ]
    assert results == [model.take(key, 0) for key in keys]
    assert ours.evicted == model.evicted
    assert ours.roster.table.capacity <= most + 16


def test_nothing_has_changed_after_a_bad_key() -> None:
    ours = Counting(5, 2)
    ours.take([(1, 0), (2, 1)], undo=False, column=False)
    before = dumps(ours.roster.snapshot())
    with pytest.raises(SchemaError, match="hashable"):
        ours.roster.place([3, [], 1], np.array([9, 9, 9]))
    # the slot that 3 had for a moment is free for the next; nothing else tells
    (keys, slots, free), *rest = loads(dumps(ours.roster.snapshot()))
    (was_keys, was_slots, _), *was_rest = loads(before)
    assert (keys, slots) == (was_keys, was_slots)
    assert free == [2]
    assert [part[:16] if isinstance(part, bytes) else part for part in rest] == was_rest
    assert ours.take([(1, 1)], undo=False, column=False) == [2]
    assert ours.evicted == []


def test_slots_of_times_far_apart_do_not_pile_up() -> None:
    ours = Counting(10, None)
    for number in range(3000):
        ours.take([(number, number * 1_000), (-1, number * 1_000)], undo=False, column=False)
        ours.roster.advance(number * 1_000)
    assert len(ours.roster.table) == 2
    assert ours.roster.table.capacity <= 6


def test_what_on_evicted_raises_comes_out_with_a_note() -> None:
    def refuse(evicted: Evicted) -> None:
        raise RuntimeError(evicted.key)

    roster = Roster(Keying("key", None, 1, refuse))
    with pytest.raises(RuntimeError) as caught:
        roster.commit(roster.place(["a", "b"], None))
    assert caught.value.__notes__ == [
        "raised by on_evicted of key_by, told of Evicted(key='a', reason='max_keys')"
    ]


def test_a_placement_that_was_undone_keeps_no_key_for_longer() -> None:
    ours = Counting(640, None)
    ours.take([(1, 0), (2, 300)], undo=False, column=False)
    ours.roster.undo(ours.roster.place([1, 2], np.array([600, 600])))
    ours.roster.advance(645)
    assert [each.key for each in ours.evicted] == [1]
    ours.roster.advance(941)
    assert [each.key for each in ours.evicted] == [1, 2]
