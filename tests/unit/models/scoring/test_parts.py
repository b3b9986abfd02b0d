from __future__ import annotations

import weakref
from math import inf
from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given

from rxml.flow.context import Context
from rxml.models.scoring.cost import Cost
from rxml.models.scoring.waiting import Ask, Waiting


@given(
    st.floats(1e-6, 1e-2),
    st.floats(0, 1e-1),
    st.lists(st.integers(1, 500), min_size=8, max_size=60),
)
@example(1e-6, 0.0625, [23, *[1] * 7])
def test_the_cost_of_a_line_is_found(slope: float, base: float, sizes: list[int]) -> None:
    cost = Cost(budget=1.0, most=1000)
    for rows in [*sizes, *(1, 400) * 20]:
        cost.record(rows, slope * rows + base)
    for rows in (1, 100, 400):
        expected = slope * rows + base
        assert abs(cost.expected(rows) - expected) <= 0.02 * expected + 1e-9


@given(st.lists(st.tuples(st.integers(1, 2000), st.floats(0, 10)), max_size=50))
def test_the_size_stays_within_its_bounds_whatever_is_measured(
    measured: list[tuple[int, float]],
) -> None:
    cost = Cost(budget=0.02, most=256)
    for rows, seconds in measured:
        cost.record(rows, seconds)
        assert 1 <= cost.size <= 256
        assert cost.expected(10) >= 0


def test_one_pause_does_not_shrink_batches_for_long() -> None:
    cost = Cost(budget=0.1, most=1000)
    for rows in (10, 20, 40, 50, 60, 10, 20, 40) * 4:
        cost.record(rows, 0.001 * rows)
    before = cost.size
    cost.record(50, 5.0)
    for _ in range(40):
        cost.record(cost.size, 0.001 * cost.size)
    assert cost.size > before / 2


CONTEXTS = st.none() | st.builds(
    Context,
    deadline=st.none() | st.floats(0, 100),
    priority=st.integers(-2, 2),
)


@given(
    st.lists(st.tuples(CONTEXTS, st.integers(1, 3)), max_size=30),
    st.lists(st.integers(1, 6), max_size=30),
)
def test_the_order_is_that_of_a_sorted_list(
    puts: list[tuple[Context | None, int]], takes: list[int]
) -> None:
    waiting = Waiting()
    asks = [Ask(i, context, rows, float(i), 0) for i, (context, rows) in enumerate(puts)]
    for ask in asks:
        waiting.put(ask)

    def rank(ask: Ask) -> Any:
        return (-(ask.context.priority if ask.context else 0), ask.deadline, ask.item)

    left = sorted(asks, key=rank)
    for rows in takes:
        wanted: list[Ask] = []
        room = rows
        while left and (not wanted or left[0].rows <= room) and room > 0:
            room -= left[0].rows
            wanted.append(left.pop(0))
        assert waiting.take(rows, 0.0) == wanted
        assert waiting.entries == len(left)
        assert waiting.rows == sum(ask.rows for ask in left)


@given(st.lists(st.floats(0, 50) | st.just(inf), max_size=30), st.floats(0, 60))
def test_all_that_are_late_leave_and_no_other(deadlines: list[float], moment: float) -> None:
    waiting = Waiting()
    for i, deadline in enumerate(deadlines):
        context = Context(deadline=None if deadline == inf else deadline)
        waiting.put(Ask(i, context, 1, 0.0, 0))
    late = waiting.late(moment)
    assert {ask.item for ask in late} == {i for i, each in enumerate(deadlines) if each < moment}
    rest = waiting.take(1000, 0.0)
    assert {ask.item for ask in rest} == {i for i, each in enumerate(deadlines) if each >= moment}
    assert not waiting


def test_the_newest_go_first_when_the_oldest_has_waited_too_long() -> None:
    waiting = Waiting(patience=1.0)
    for i in range(6):
        waiting.put(Ask(i, None, 1, float(i), 0))
    assert [ask.item for ask in waiting.take(2, 0.5)] == [0, 1]
    assert [ask.item for ask in waiting.take(2, 10.0)] == [5, 4]
    assert [ask.item for ask in waiting.take(2, 2.5)] == [2, 3]
    assert waiting.oldest(20.0) == 0.0


def test_the_newest_of_the_most_urgent_go_first_when_the_oldest_has_waited_too_long() -> None:
    waiting = Waiting(patience=1.0)
    for i in range(6):
        waiting.put(Ask(i, Context(priority=i % 2), 1, float(i), 0))
    assert [ask.item for ask in waiting.take(4, 10.0)] == [5, 3, 1, 4]


def test_what_has_left_is_not_kept_until_its_deadline() -> None:
    class Item:
        pass

    waiting, seen = Waiting(), list[weakref.ref[Item]]()
    for i in range(1000):
        item = Item()
        seen.append(weakref.ref(item))
        waiting.put(Ask(item, Context(deadline=1e9), 1, float(i), 0))
        waiting.take(1, float(i))
        del item
    assert sum(each() is not None for each in seen) <= 100
