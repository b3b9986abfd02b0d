"""interval_join equals nested loops, whatever the inputs do."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.errors import BufferOverflowError, PipelineError
from rxml.eventtime.event_time import event_time_of
from rxml.flow.run import Run
from rxml.testing import Fail, Never, Sleep, Watermark, run, scripted
from tests.unit.flow.ledger import ANSWERED, DROPPED, Ledger, read
from tests.unit.joins.timed import NS, Item, Played, again, nested_loops, played

HOWS = st.sampled_from(["inner", "left"])
REACHES = st.tuples(st.integers(-6, 6), st.integers(0, 6)).map(lambda d: (d[0], d[0] + d[1]))


def joined(left: Played, right: Played, reach: tuple[int, int], how: Any = "inner") -> list[Any]:
    lo, hi = reach
    return run(
        left.flow().pipe(ops.interval_join(right.flow(), lo * NS, hi * NS, how=how)).to_list()
    )


@given(played(), played(), REACHES, HOWS)
def test_it_is_the_nested_loop_join_of_what_was_on_time(
    left: Played, right: Played, reach: tuple[int, int], how: str
) -> None:
    model = nested_loops(left.on_time, right.on_time, *reach, outer=how == "left")
    assert joined(left, right, reach, how) == model


@given(st.data(), played(), played(), REACHES)
def test_neither_speed_nor_chunking_changes_the_result_or_its_order(
    data: st.DataObject, left: Played, right: Played, reach: tuple[int, int]
) -> None:
    once = joined(left, right, reach, "left")
    twice = joined(data.draw(again(left)), data.draw(again(right)), reach, "left")
    assert once == twice


@given(played(), played(), REACHES, HOWS)
def test_nothing_is_held_once_the_watermark_has_passed_everything(
    left: Played, right: Played, reach: tuple[int, int], how: Any
) -> None:
    async def main() -> int:
        lo, hi = reach
        stop = [Watermark(1000), Never()]
        flow = rising(left, *stop).pipe(
            ops.interval_join(
                rising(right, *stop), lo * NS, hi * NS, how=how, key="key", time="time"
            )
        )
        async with Run[Any](flow) as live:
            while (await live.subscription.request(5)).watermark != 1000:
                pass
            return live.statistics().stages[-1].buffered

    assert run(main()) == 0


def rising(input_: Played, *more: Any) -> Any:
    """Without `with_event_time`: the watermark comes by script."""
    return scripted(*input_.steps, *more)


def test_a_pair_has_the_later_time_for_what_is_behind_it() -> None:
    left = Played([], 0, []).flow()
    flow = left.pipe(ops.interval_join(Played([], 0, []).flow(), 0, 1))
    pair = nested_loops([Item("a", 3, 0)], [Item("a", 4, 0)], 0, 1)[0]
    assert event_time_of("test", flow).of_one(pair) == 4


def test_pairs_wait_for_the_watermark_and_the_watermark_for_pairs() -> None:
    async def main() -> list[Any]:
        left = timed([("a", 1), ("a", 5)])
        right = timed([("a", 1), ("a", 2), ("a", 9)])
        flow = left.pipe(ops.interval_join(right, 0, 1, key=first))
        seen: list[Any] = []
        async with Run[Any](flow) as live:
            while not (chunk := await live.subscription.request(1)).end:
                seen += [(pair.left[1], pair.right[1]) for pair in chunk.elements]
                seen += [] if chunk.watermark is None else [f"up to {chunk.watermark // 10**9}"]
        return seen

    assert run(main()) == ["up to 1", (1, 1), "up to 2", (1, 2), "up to 5", "up to 9"]


def first(pair: tuple[str, int]) -> str:
    return pair[0]


def second(pair: tuple[str, int]) -> int:
    return pair[1]


def timed(pairs: list[tuple[str, int]], *more: Any) -> Any:
    """Pairs of key and seconds, one by one."""
    return scripted(*pairs, *more).pipe(ops.with_event_time(second, unit="s"))


def test_late_elements_are_counted_and_settled() -> None:
    ledger = Ledger()
    left = ledger.source("3", "1").pipe(ops.with_event_time(int, unit="s"))
    right = ledger.source("4", "2").pipe(ops.with_event_time(int, unit="s"))
    result = read(left.pipe(ops.interval_join(right, 0, 2)))
    assert [(pair.left, pair.right) for pair in result.results] == [("3", "4")]
    assert list(result.dropped.values()) == [2]
    assert (ledger[ANSWERED], sorted(ledger[DROPPED])) == ("34", ["1", "2"])


def test_an_element_ends_when_all_its_pairs_have() -> None:
    ledger = Ledger()
    left = ledger.source("3", "5").pipe(ops.with_event_time(int, unit="s"))
    right = ledger.source("2", "4", "9").pipe(ops.with_event_time(int, unit="s"))
    result = read(left.pipe(ops.interval_join(right, -1, 1)), 1)
    assert len(result.results) == 3
    assert (sorted(ledger[ANSWERED]), ledger[DROPPED]) == (["2", "3", "4", "5"], "9")


def test_what_waits_when_the_run_is_left_ends_as_dropped() -> None:
    ledger = Ledger()
    left = ledger.source("3", Never()).pipe(ops.with_event_time(int, unit="s"))
    right = ledger.source("2", "9", Never()).pipe(ops.with_event_time(int, unit="s"))
    result = read(left.pipe(ops.interval_join(right, -2, 1, how="left"), ops.take(0)))
    assert result.results == []
    assert set(ledger.outcomes.values()) <= {DROPPED}


@pytest.mark.parametrize("ahead", ["left", "right"])
def test_the_input_that_is_ahead_is_held_back_at_its_capacity(ahead: str) -> None:
    fast = [("a", second) for second in range(100)]
    slow = [("a", 50)]
    left, right = (timed(fast), timed(slow)) if ahead == "left" else (timed(slow), timed(fast))
    flow = left.pipe(ops.interval_join(right, 0, 0, key=first, capacity=4))
    pairs = run(flow.to_list())
    assert [(pair.left, pair.right) for pair in pairs] == [(("a", 50), ("a", 50))]


def test_bounds_that_hold_more_than_the_capacity_are_an_error_that_says_so() -> None:
    many = [("a", second) for second in range(10)]
    flow = timed(many).pipe(ops.interval_join(timed(many), -100, 100, key=first, capacity=4))
    with pytest.raises(BufferOverflowError, match=r"capacity of 4 .*watermark 3000000000.*larger"):
        run(flow.to_list())


def test_a_failure_comes_behind_what_was_certain_before_it() -> None:
    fault = ValueError("fault")
    left = timed([("a", 1), ("a", 2), ("a", 3)], Fail(fault))
    right = timed([("a", each) for each in (1, 2, 3, 4)])
    for delayed_right in (right, right.pipe(ops.delay(5))):
        result = read(left.pipe(ops.interval_join(delayed_right, 0, 0, key=first)))
        assert result.error is fault
        assert [pair.time // 10**9 for pair in result.results] == [1, 2]


def test_the_key_and_the_time_may_be_said_here() -> None:
    left = scripted({"k": 1, "t": 5}, {"k": 2, "t": 5})
    right = scripted({"id": 2, "at": 6})
    joined_: Any = left.pipe(
        ops.interval_join(
            right,
            timedelta(0),
            timedelta(microseconds=1),
            key="k",
            right_key="id",
            time="t",
            right_time="at",
        )
    )
    pairs: Any = run(joined_.to_list())
    assert [(pair.left["k"], pair.right["id"]) for pair in pairs] == [(2, 2)]


@pytest.mark.parametrize("lo", [np.int64(-5), np.float32(-5), Fraction(-5), timedelta(seconds=-5)])
def test_bounds_are_any_kind_of_number(lo: Any) -> None:
    flow = timed([("a", 6)]).pipe(ops.interval_join(timed([("a", 1), ("a", 9)]), lo, 0, key=first))
    assert [(pair.left[1], pair.right[1]) for pair in read(flow).results] == [(6, 1)]


def test_without_any_key_all_belong_together() -> None:
    pairs: Any = run(timed([("a", 1)]).pipe(ops.interval_join(timed([("b", 1)]), 0, 0)).to_list())
    assert len(pairs) == 1


def test_what_is_wrong_is_said_when_the_pipeline_is_built() -> None:
    right: Any = timed([("a", 1)])
    with pytest.raises(ValueError, match="lo <= hi, got lo=2 and hi=1"):
        ops.interval_join(right, 2, 1)
    with pytest.raises(ValueError, match="'inner', 'left', got 'outer'"):
        ops.interval_join(right, 0, 1, how="outer")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="seconds as a number or a timedelta, got '1'"):
        ops.interval_join(right, "1", 1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"interval_join\(lo\) wants a finite .*, got nan"):
        ops.interval_join(right, float("nan"), 1)
    with pytest.raises(ValueError, match=r"interval_join\(lo\) wants a finite .*, got -inf"):
        ops.interval_join(right, float("-inf"), 1)
    with pytest.raises(TypeError, match="seconds as a number or a timedelta, got True"):
        ops.interval_join(right, True, 1)
    with pytest.raises(PipelineError, match="right, needs event times"):
        timed([("a", 1)]).pipe(ops.interval_join(rxml.of(1), 0, 1))
    with pytest.raises(PipelineError, match="knows no key of the right"):
        timed([("a", 1)]).pipe(ops.key_by(first), ops.interval_join(right, 0, 1))


def test_an_idle_input_is_not_waited_for_and_what_it_brings_later_is_late() -> None:
    right = scripted(("a", 1), Sleep(9), ("a", 2), ("a", 8)).pipe(
        ops.with_event_time(second, unit="s", idle_after=3)
    )
    left = timed([("a", 1), ("a", 2), ("a", 4)], Sleep(20), ("a", 8))
    result = read(left.pipe(ops.interval_join(right, 0, 0, how="left", key=first)))
    pairs = [(pair.left[1], pair.right and pair.right[1]) for pair in result.results]
    assert pairs == [(1, 1), (2, None), (4, None), (8, 8)]
    assert list(result.dropped.values()) == [1]


@pytest.mark.parametrize("idle", ["left", "right"])
def test_what_is_there_comes_out_when_one_has_ended_and_the_other_is_idle(idle: str) -> None:
    whole = timed([("a", 1), ("a", 2)])
    rests = scripted(("a", 1), ("a", 2), Never()).pipe(
        ops.with_event_time(second, unit="s", idle_after=3)
    )
    left, right = (rests, whole) if idle == "left" else (whole, rests)
    result = read(left.pipe(ops.interval_join(right, 0, 0, how="inner", key=first)), most=2)
    assert [pair.time // 10**9 for pair in result.results] == [1, 2]


def test_what_an_idle_input_brings_behind_the_end_of_the_other_is_late_only_if_it_is_older() -> (
    None
):
    left = scripted(("a", 1), ("b", 2), Sleep(9), ("b", 1), ("b", 7), ("a", 8)).pipe(
        ops.with_event_time(second, unit="s", idle_after=3)
    )
    flow = left.pipe(ops.interval_join(timed([("a", 1), ("b", 4)]), 0, 2, how="left", key=first))
    result = read(flow)
    pairs = [(pair.left[1], pair.right and pair.right[1]) for pair in result.results]
    assert pairs == [(1, 1), (2, 4), (7, None), (8, None)]
    assert list(result.dropped.values()) == [1]
