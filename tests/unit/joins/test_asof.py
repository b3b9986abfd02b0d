"""asof_join gives what was known then, whatever the inputs do; elements one by one."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import hypothesis.strategies as st
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.errors import BufferOverflowError, SchemaError
from rxml.eventtime import bounded
from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.joins.results import AsOf
from rxml.flow.chunk import Chunk
from rxml.flow.run import Run
from rxml.testing import Fail, Never, Sleep, Watermark, run, scripted
from tests.unit.flow.ledger import ANSWERED, DROPPED, Ledger, read
from tests.unit.joins.timed import NS, Item, Played, again, newest, played

TOLERANCES = st.none() | st.integers(0, 10)


def joined(left: Played, right: Played, tolerance: int | None = None) -> list[Any]:
    old = None if tolerance is None else tolerance * NS
    return run(left.flow().pipe(ops.asof_join(right.flow(), tolerance=old)).to_list())


@given(played(), played(), TOLERANCES)
def test_it_is_the_nested_loop_join_of_what_was_on_time(
    left: Played, right: Played, tolerance: int | None
) -> None:
    assert joined(left, right, tolerance) == newest(left.on_time, right.on_time, tolerance)


def test_a_row_that_comes_behind_a_newer_one_of_its_key_does_not_hide_that() -> None:
    rows = [Item("b", 4, 0), Item("b", 1, 1), Item("a", 8, 2)]
    left = Played([Item("b", 4, 0)], 0, [Chunk([Item("b", 4, 0)])])
    right = Played(rows, 3, [Chunk(rows[:1]), Sleep(1), Chunk(rows[1:])])
    assert joined(left, right) == [AsOf(Item("b", 4, 0), Item("b", 4, 0))]


def test_rows_are_kept_for_elements_that_wait_behind_newer_ones() -> None:
    items = [Item("a", 0, 0), Item("a", 1, 1), Item("a", 0, 2)]
    left = Played(items, 3, [Chunk([each]) for each in items])
    right = Played(items[:2], 0, [Sleep(1), Chunk(items[:2])])
    assert [answer.right.time for answer in joined(left, right)] == [0, 1, 0]


@given(st.data(), played(), played())
def test_neither_speed_nor_chunking_changes_the_result_or_its_order(
    data: st.DataObject, left: Played, right: Played
) -> None:
    assert joined(left, right) == joined(data.draw(again(left)), data.draw(again(right)))


def test_an_element_waits_until_the_watermark_of_the_right_is_behind_it() -> None:
    async def main() -> list[tuple[float, Any]]:
        left = scripted(Chunk(["2"]), Watermark(2), Chunk(["3"]))
        right = scripted("1", Sleep(5), Watermark(3), Sleep(5), "3", Watermark(4), Never())
        flow = left.pipe(ops.asof_join(right, time=int))
        seen: list[tuple[float, Any]] = []
        async with Run[Any](flow) as live:
            while not (chunk := await live.subscription.request(9)).end:
                told: list[Any] = list(chunk.elements)
                told += [] if chunk.watermark is None else [chunk.watermark]
                seen += [(live.clock.time(), each) for each in told]
        return seen

    assert run(main()) == [(5, AsOf("2", "1")), (5, 2), (10, AsOf("3", "3"))]


def seconds(text: str) -> int:
    return int(text[1:])


def letter(text: str) -> str:
    return text[0]


def timed(*elements: Any, behind: float = 0) -> Any:
    return scripted(*elements).pipe(ops.with_event_time(seconds, bounded(behind), unit="s"))


def test_late_elements_of_either_side_are_counted_and_settled() -> None:
    ledger = Ledger()
    left = ledger.source("a3", "a1", "a5").pipe(ops.with_event_time(seconds, unit="s"))
    right = ledger.source("a4", "a2").pipe(ops.with_event_time(seconds, unit="s"))
    result = read(left.pipe(ops.asof_join(right, key=letter)))
    assert result.results == [AsOf("a3", None), AsOf("a5", "a4")]
    assert list(result.dropped.values()) == [2]
    assert ledger[ANSWERED] == "a3a5"


def test_the_context_of_an_element_stays_with_its_answer() -> None:
    ledger = Ledger()
    left = ledger.source("a1", "b2", Never()).pipe(ops.with_event_time(seconds, unit="s"))
    result = read(left.pipe(ops.asof_join(timed("a1", "a2"), key=letter)), 1, most=1)
    assert result.results == [AsOf("a1", "a1")]
    assert ledger.outcomes == {"a1": ANSWERED, "b2": DROPPED}


def test_what_waits_when_the_run_is_left_ends_as_dropped() -> None:
    ledger = Ledger()
    left = ledger.source(ledger.chunk("a1", "a9")).pipe(ops.with_event_time(seconds, unit="s"))
    right = scripted("a5", Never()).pipe(ops.with_event_time(seconds, unit="s"))
    result = read(left.pipe(ops.asof_join(right)), most=1)
    assert list(result.dropped.values()) == [1]
    assert ledger.outcomes == {"a1": ANSWERED, "a9": DROPPED}


@pytest.mark.parametrize("fast", ["left", "right"])
def test_the_input_that_is_ahead_is_held_back_at_its_capacity(fast: str) -> None:
    many = [f"a{second}" for second in range(100)]
    left, right = (many, ["a50"]) if fast == "left" else (["a50"], many)
    flow = timed(*left).pipe(ops.asof_join(timed(*right), key=letter, capacity=4))
    answers: list[Any] = run(flow.to_list())
    assert answers[-1].right == "a50"
    assert len(answers) == len(left)


def test_an_input_without_watermarks_is_an_error_that_says_so() -> None:
    left, right = scripted(*"123456789"), scripted(*"123456789", Never())
    with pytest.raises(
        BufferOverflowError, match=r"left: 4 elements, watermark none.*with_event_time"
    ):
        run(left.pipe(ops.asof_join(right, time=int, capacity=4)).to_list())


def test_only_the_newest_of_each_key_is_kept_once_the_left_has_passed() -> None:
    async def main() -> list[int]:
        right = timed(*[f"{'ab'[second % 2]}{second}" for second in range(1000)])
        left = timed("a500", "a998", Never())
        flow = left.pipe(ops.asof_join(right, key=letter))
        async with Run[Any](flow) as live:
            held: list[int] = []
            for _ in range(2):
                while not len((await live.subscription.request(1)).elements):
                    pass
                held.append(live.statistics().stages[-1].buffered)
        return held

    assert run(main())[-1] <= 2


class Large:
    """An element that tells whether it is still held."""

    def __init__(self, time: int, living: WeakSet[Large]) -> None:
        self.time = time
        living.add(self)


def time_of_left(answer: Any) -> Any:
    return answer.left


def test_an_element_that_nobody_can_ask_for_is_let_go_at_once() -> None:
    living = WeakSet[Large]()
    right = rxml.from_iterable(lambda: (Large(time, living) for time in range(9_000)))
    left = scripted(*range(0, 9_000, 100), Never())
    flow: Any = left.pipe(ops.with_event_time(lambda x: x, unit="ns"))
    joined_: Any = flow.pipe(
        ops.asof_join(
            right.pipe(ops.with_event_time("time", unit="ns")), right_time="time", capacity=500
        ),
        ops.map(time_of_left),
    )

    async def main() -> int:
        most = 0
        async with joined_.open() as live:
            for _ in range(90):
                await live.request(1)
                most = max(most, len(living))
        return most

    assert run(main()) <= 2 * 500 + 1_024


def test_the_newest_of_each_key_counts_in_what_is_declared() -> None:
    flow: Any = timed("a1").pipe(ops.asof_join(timed("a1"), capacity=10, max_keys=100))
    assert flow.spec.capacity == 10 + 2 * (10 + 100) + 100 + 1_024


def test_of_too_many_keys_the_oldest_gives_way_and_is_counted() -> None:
    keys = [chr(0x4E00 + number) for number in range(3_000)]
    right = timed(*[f"{key}{place}" for place, key in enumerate(keys)])
    left = timed(*[f"{key}30000" for key in (keys[0], keys[-1])])
    result = read(left.pipe(ops.asof_join(right, key=letter, max_keys=100)))
    assert [each.found for each in result.results] == [False, True]
    assert 2_900 - 2 * 1024 <= sum(result.dropped.values()) <= 2_900


def test_an_element_without_a_key_is_for_the_supervisor() -> None:
    keys = {"a1": "a", "a3": "a"}
    answers: Any = timed("a1", "a2", "a3").pipe(ops.asof_join(timed("a1"), key=keys.__getitem__))
    result = read(answers)
    assert isinstance(result.error, KeyError)
    assert result.results == [AsOf("a1", "a1")]
    resumed = read(answers.pipe(ops.supervise("resume")))
    assert resumed.results == [AsOf("a1", "a1"), AsOf("a3", "a1")]


def test_a_key_that_cannot_be_hashed_is_for_the_supervisor() -> None:
    def unhashable(text: str) -> list[str]:
        return [text]

    flow: Any = timed("a1").pipe(ops.asof_join(timed("a1"), key=unhashable))
    error = read(flow).error
    assert isinstance(error, SchemaError)
    assert "key must be hashable, got ['a1']" in str(error)


@pytest.mark.parametrize("failing", ["left", "right"])
@pytest.mark.parametrize("slow", ["left", "right"])
def test_a_failure_comes_behind_what_was_certain_before_it(failing: str, slow: str) -> None:
    fault = SchemaError("fault")
    elements = {"left": ["a1", "a2", "a3"], "right": ["a1", "a2", "a3"]}
    elements[failing].append(Fail(fault))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    elements[slow].insert(0, Sleep(5))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    if failing == "right":
        elements["left"].append("a9")
    result = read(timed(*elements["left"]).pipe(ops.asof_join(timed(*elements["right"]))))
    assert result.error is fault
    whole = [AsOf("a1", "a1"), AsOf("a2", "a2"), AsOf("a3", "a3")]
    assert result.results == (whole if failing == "left" else whole[:2])


def test_an_idle_input_is_not_waited_for() -> None:
    right = scripted("a1", Never()).pipe(ops.with_event_time(seconds, unit="s", idle_after=3))
    answers = read(timed("a5", "a6").pipe(ops.asof_join(right, key=letter)))
    assert answers.results == [AsOf("a5", "a1"), AsOf("a6", "a1")]


def test_what_the_left_brings_after_a_rest_is_late_only_behind_the_watermark_of_the_right() -> None:
    left = scripted("a1", Sleep(9), "a2", "a4", "a6").pipe(
        ops.with_event_time(seconds, unit="s", idle_after=3)
    )
    right = timed("a0", "a3", Sleep(5), "a5")
    result = read(left.pipe(ops.asof_join(right, key=letter)))
    assert result.results == [AsOf("a1", "a0"), AsOf("a6", "a5")]
    assert list(result.dropped.values()) == [2]


def test_the_answer_has_the_time_of_its_element() -> None:
    flow: Any = timed("a3").pipe(ops.asof_join(timed("a1")))
    found = event_time_of("test", flow)
    assert found.of([AsOf("a3", "a1"), AsOf("a4", None)]).tolist() == [3 * 10**9, 4 * 10**9]


def test_what_is_wrong_is_said_when_the_operator_is_made() -> None:
    right: Any = timed("a1")
    with pytest.raises(ValueError, match="suffix of at least one character"):
        ops.asof_join(right, suffix="")
    with pytest.raises(TypeError, match="suffix of at least one character, got 5"):
        ops.asof_join(right, suffix=5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"tolerance.*>= 0, got -1"):
        ops.asof_join(right, tolerance=-1)
    with pytest.raises(ValueError, match="int >= 1, got 0"):
        ops.asof_join(right, capacity=0)


def test_items_tell_themselves_apart() -> None:
    """The model takes of two rows of one time the one that came last, and so does the join."""
    twice = [Item("a", 1, 0), Item("a", 1, 1)]
    assert newest([Item("a", 1, 0)], twice)[0].right == twice[1]
    left, right = Played(twice[:1], 0, [Chunk(twice[:1])]), Played(twice, 0, [Chunk(twice)])
    assert joined(left, right) == [AsOf(twice[0], twice[1])]
