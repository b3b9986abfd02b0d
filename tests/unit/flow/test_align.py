"""Alignment, fences and turnstiles: signals and results in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.flow.combining.align import Alignment, Fences
from rxml.flow.context import Context, Outcome
from rxml.flow.context_joining import joined, split
from rxml.flow.workers.turnstile import DONE, FAILED, LEFT_OUT, AsTheyCome, Entry, InOrder

if TYPE_CHECKING:
    from rxml.flow.chunk import Chunk


@given(
    st.integers(1, 3),
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["mark", "end"]), st.integers(0, 9)),
        max_size=20,
    ),
)
def test_the_watermark_is_the_least_and_never_goes_back(inputs: int, script: list[Any]) -> None:
    alignment = Alignment()
    marks: dict[int, int | None] = {}
    for key in range(inputs):
        alignment.enter(key)
        marks[key] = None
    passed: list[int] = []
    for key, what, value in script:
        if key not in marks:
            continue
        if what == "end":
            alignment.leave(key)
            del marks[key]
        else:
            alignment.note(key, {"watermark": value})
            marks[key] = max(value, marks[key] or 0)
        due = alignment.due()
        if "watermark" in due:
            passed.append(due["watermark"])
        known = [mark for mark in marks.values() if mark is not None]
        if marks and len(known) == len(marks):
            assert passed[-1] >= min(known)
        assert alignment.due() == {}
    assert passed == sorted(set(passed))


def test_a_barrier_waits_for_all_and_is_not_held_back_by_one_that_ends() -> None:
    alignment = Alignment()
    for key in "abc":
        alignment.enter(key)
    alignment.note("a", {"barrier": 1})
    assert alignment.due() == {}
    assert alignment.waiting == {"a"}
    alignment.note("b", {"barrier": 1, "watermark": 3})
    alignment.leave("c")
    assert alignment.due() == {"barrier": 1}
    assert alignment.waiting == set()


def test_the_last_watermark_comes_when_all_have_ended() -> None:
    alignment = Alignment()
    alignment.enter("a")
    alignment.enter("b", 2)
    alignment.note("a", {"watermark": 7})
    assert alignment.due() == {"watermark": 2}
    alignment.leave("b")
    assert alignment.due() == {"watermark": 7}
    alignment.leave("a")
    assert alignment.due() == {}


def test_signals_wait_for_what_came_before_them() -> None:
    fences = Fences()
    first = fences.enter()
    fences.put({"watermark": 1})
    second = fences.enter()
    fences.put({"watermark": 2})
    fences.leave(second)
    assert fences.due() == {}
    fences.leave(first)
    assert fences.due() == {"watermark": 2}


def test_signals_that_follow_one_another_behind_a_slow_element_are_one() -> None:
    fences = Fences()
    slow = fences.enter()
    for mark in range(1000):
        fences.put({"watermark": mark})
    assert len(fences._fences) == 2  # pyright: ignore[reportPrivateUsage]
    fences.leave(slow)
    assert fences.due() == {"watermark": 999}


def test_a_barrier_shuts_until_it_has_passed() -> None:
    fences = Fences()
    inside = fences.enter()
    fences.put({"barrier": 1})
    assert fences.shut
    fences.leave(inside)
    assert fences.due() == {"barrier": 1}
    assert not fences.shut


def entries(count: int) -> list[Entry]:
    return [Entry(number, None) for number in range(count)]


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)), st.integers(1, 4))
def test_in_order_lets_out_what_is_done_as_far_as_nothing_is_missing(
    order: list[int], left_out: set[int], n: int
) -> None:
    turnstile, row = InOrder(), entries(6)
    turnstile.enter(row, dated=False)
    got: list[int] = []
    for number in order:
        row[number].progress = LEFT_OUT if number in left_out else DONE
        turnstile.finish(row[number])
        while len(taken := turnstile.take(n).elements):
            got.extend(taken)
    assert got == [number for number in range(6) if number not in left_out]
    assert turnstile.held == 0


@given(st.permutations(range(6)), st.integers(0, 5))
def test_in_order_lets_out_exactly_what_is_before_a_failure(order: list[int], bad: int) -> None:
    turnstile, row = InOrder(), entries(6)
    turnstile.enter(row, dated=False)
    got: list[int] = []
    gone: list[Entry] = []
    for number in order:
        if row[number] in gone:
            continue
        if number == bad:
            row[number].progress, row[number].item = FAILED, ValueError("x")
            gone = turnstile.cut(row[number])
        else:
            row[number].progress = DONE
            turnstile.finish(row[number])
        got.extend(turnstile.take(9).elements)
    assert got == list(range(bad))
    assert [entry.item for entry in reversed(gone)][-1:] == ([5] if bad < 5 else [])
    assert isinstance(turnstile.error, ValueError)


def test_as_they_come_ignores_what_was_cut() -> None:
    turnstile, row = AsTheyCome(), entries(3)
    turnstile.enter(row, dated=False)
    row[1].progress, row[1].item = FAILED, ValueError("x")
    assert set(turnstile.cut(row[1])) == {row[0], row[2]}
    row[0].progress = DONE
    assert not turnstile.finish(row[0])
    assert list(turnstile.take(9).elements) == []
    assert isinstance(turnstile.error, ValueError)


def test_signals_stand_between_results() -> None:
    turnstile, row = InOrder(), entries(2)
    turnstile.enter(row[:1], dated=False)
    turnstile.put({"watermark": 1})
    turnstile.put({"watermark": 2, "barrier": 3})
    turnstile.put({"barrier": 4})
    turnstile.enter(row[1:], dated=False)
    for entry in row:
        entry.progress = DONE
        turnstile.finish(entry)
    chunks = [turnstile.take(9) for _ in range(3)]
    assert [(list(c.elements), c.signals()) for c in chunks] == [
        ([0], {"watermark": 2, "barrier": 3}),
        ([], {"barrier": 4}),
        ([1], {}),
    ]


OUTCOMES = st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=5)


@given(OUTCOMES)
def test_an_element_that_went_several_ways_is_settled_once_when_all_have_ended(
    outcomes: list[Outcome],
) -> None:
    settled: list[Outcome] = []
    copies = split(Context(fact_id="f", settle=settled.append), len(outcomes))
    for copy, outcome in zip(copies, outcomes, strict=True):
        assert settled == []
        assert copy.fact_id == "f"
        copy.settled(outcome)
    order = [Outcome.DEAD_LETTERED, Outcome.ANSWERED, Outcome.SHED, Outcome.DROPPED]
    assert settled == [next(each for each in order if each in outcomes)]


@given(OUTCOMES)
def test_an_element_made_of_several_settles_each(outcomes: list[Outcome]) -> None:
    settled: list[int] = []
    parts = [Context(settle=lambda _, i=i: settled.append(i)) for i in range(len(outcomes))]  # type: ignore[misc]
    joined(parts).settled(outcomes[0])
    assert settled == list(range(len(outcomes)))


def test_contexts_that_nobody_waits_for_are_not_copied() -> None:
    context = Context(fact_id="f")
    assert split(context, 3) == [context] * 3
    assert joined([context]) is context
    assert joined([context, context]).settle is None


@pytest.mark.parametrize("turnstile", [InOrder, AsTheyCome])
def test_contexts_come_out_with_their_results(turnstile: Any) -> None:
    gate = turnstile()
    dated = [Entry(1, Context(fact_id="1")), Entry(2, None)]
    gate.enter(dated, dated=True)
    for entry in dated:
        entry.progress = DONE
        gate.finish(entry)
    chunk: Chunk[Any] = gate.take(5)
    assert [context.fact_id for context in chunk.contexts or ()] == ["1", None]
