"""Ages: against a dict of ages, and how much is sorted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from rxml.eventtime.keyed import bucket as bucket_module
from rxml.eventtime.keyed.ages import Ages

if TYPE_CHECKING:
    import pytest

SLOTS = 12
RAISED = st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(-20, 40)), max_size=8)
STEPS = st.lists(
    st.tuples(st.just("raise"), RAISED)
    | st.tuples(st.just("undo"), RAISED)
    | st.tuples(st.just("below"), st.integers(-25, 45))
    | st.tuples(st.just("lowest"), st.integers(1, 4))
    | st.tuples(st.just("evict"), st.integers(1, 4))
    | st.tuples(st.just("restore"), st.none()),
    max_size=30,
)


class Both:
    """Ages, and the dict that they are held to."""

    def __init__(self, granule: int) -> None:
        self.granule = granule
        self.ages = Ages(granule)
        self.ages.make_room(SLOTS)
        self.known: dict[int, int] = {}
        self.ties = np.arange(SLOTS)[::-1].copy()

    def do_raise(self, raised: list[tuple[int, int]]) -> None:
        for slot, age in raised:
            self.known[slot] = max(age, self.known.get(slot, age))
        slots, ages = self._arrays(raised)
        self.ages.raise_to(slots, ages)

    def do_undo(self, raised: list[tuple[int, int]]) -> None:
        """Raised and taken back, as by a roster whose chunk has failed."""
        raised = [each for each in raised if each[0] in self.known]
        slots, ages = self._arrays(raised)
        before = self.ages.ages[slots]
        self.ages.raise_to(slots, ages)
        self.ages.ages[slots] = before
        self.ages.register(slots)

    def do_below(self, age: int) -> None:
        found = self.ages.below(age)
        assert sorted(found.tolist()) == sorted(
            slot for slot in self.known if self.known[slot] < age
        )
        self._forget(found.tolist())

    def do_lowest(self, count: int) -> list[int]:
        found: list[int] = self.ages.lowest(count, self.ties).tolist()
        assert found == sorted(self.known, key=lambda slot: (self.known[slot], -slot))[:count]
        return found

    def do_evict(self, count: int) -> None:
        self._forget(self.do_lowest(count))

    def do_restore(self, _: None) -> None:
        ages = self.ages.ages.copy()
        self.ages = Ages(self.granule)
        self.ages.restore(ages, np.array(list(self.known), np.intp))

    def _forget(self, slots: list[int]) -> None:
        self.ages.forget(slots)
        for slot in slots:
            del self.known[slot]

    def _arrays(self, raised: list[tuple[int, int]]) -> Any:
        return (
            np.array([slot for slot, _ in raised], np.intp),
            np.array([age for _, age in raised], np.int64),
        )


@given(STEPS, st.sampled_from([1, 4, 1000]))
def test_the_lowest_and_those_below_are_those_of_a_dict(steps: list[Any], granule: int) -> None:
    both = Both(granule)
    for name, argument in steps:
        getattr(both, f"do_{name}")(argument)
    both.do_below(1000)
    assert len(both.ages.lowest(1, both.ties)) == 0


def test_a_slot_that_comes_again_and_again_takes_no_more_room() -> None:
    ages = Ages(4)
    ages.make_room(8)
    slots = np.arange(8)
    for number in range(20_000):
        ages.raise_to(slots, np.full(8, number * 10))
    assert len(ages) < 10_000
    assert ages.lowest(3, slots).tolist() == [0, 1, 2]


def test_the_bucket_in_which_a_search_ends_is_not_sorted_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: list[int] = []
    plainly = bucket_module.ordered

    def ordered(ages: Any, slots: Any) -> Any:
        counted.append(len(ages))
        return plainly(ages, slots)

    monkeypatch.setattr(bucket_module, "ordered", ordered)
    count, searches = 1 << 12, 256
    ages = Ages(1 << 40)
    ages.make_room(count)
    slots = np.arange(count)
    ages.raise_to(slots, slots * 10)
    for number in range(searches):
        ages.raise_to(slots[-8:], np.full(8, 10 * count + number))
        found = ages.below(number * 100)
        ages.forget(found)
    assert sum(counted) < 3 * count
