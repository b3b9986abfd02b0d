"""What holds for every aggregate: cut as they like, the rows give one answer, that of a plain list."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import aggregates as agg
from rxml import wire
from rxml.aggregates.states import plain, restored, taken
from tests.unit.aggregates.rows import GROUPS, Rows, cut, drawn, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.aggregates import Aggregate, State


@dataclass(frozen=True, slots=True)
class Case:
    """An aggregate, what it is fed with, and what it gives for the (value, time) pairs of a group."""

    aggregate: Aggregate
    values: st.SearchStrategy[Any]
    dtype: str
    model: Callable[[list[tuple[Any, int]]], Any] | None = None
    close: bool = False
    by_result: bool = False  # states of the same rows may differ in their bytes

    @property
    def name(self) -> str:
        return f"{self.aggregate} of {self.dtype}"

    def rows(self) -> st.SearchStrategy[Rows]:
        return drawn(self.values, self.dtype)


def values_of(pairs: list[tuple[Any, int]]) -> list[Any]:
    return [value for value, _ in pairs]


def in_time(pairs: list[tuple[Any, int]]) -> list[Any]:
    return values_of(sorted(pairs, key=lambda pair: pair[1]))


def variance(pairs: list[tuple[Any, int]]) -> float:
    return statistics.pvariance(values_of(pairs)) if pairs else math.nan


def of_time(pairs: list[tuple[Any, int]], at: int) -> Any:
    return in_time(pairs)[at] if pairs else None


def lengths(pairs: list[tuple[Any, int]]) -> int:
    return sum(map(len, values_of(pairs)))


def longest(pairs: list[tuple[Any, int]]) -> list[Any]:
    return sorted(values_of(pairs), reverse=True)[:2]


def or_nan(function: Callable[[list[Any]], Any]) -> Callable[[list[tuple[Any, int]]], Any]:
    return lambda pairs: function(values_of(pairs)) if pairs else math.nan


def lower(q: float) -> Callable[[list[Any]], Any]:
    return lambda values: sorted(values)[math.floor(q * (len(values) - 1))]


INTS = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-100, 100)
FLOATS = st.floats(-1e6, 1e6)
NARROW = st.floats(-1e3, 1e3, width=32)
TEXTS = st.text("abc", max_size=3)
WORDS = st.sampled_from(["", "a", "b", "ab", "ba", "abc", "é", "日本"])
POINTS = st.integers(-(10**6), 10**6).map(lambda n: np.datetime64(n, "ms"))

CASES = [
    Case(agg.count(), FLOATS, "f8", len),
    Case(agg.sum("v"), SMALL, "i8", lambda pairs: sum(values_of(pairs))),
    Case(agg.sum("v"), SMALL.map(abs), "u1", lambda pairs: sum(values_of(pairs))),
    Case(agg.sum("v"), st.booleans(), "?", lambda pairs: sum(values_of(pairs))),
    Case(agg.sum("v"), FLOATS, "f8", lambda pairs: math.fsum(values_of(pairs)), close=True),
    Case(agg.sum("v"), NARROW, "f4", lambda pairs: math.fsum(values_of(pairs)), close=True),
    Case(agg.sum("v"), SMALL | FLOATS, "O", lambda pairs: math.fsum(values_of(pairs)), close=True),
    Case(agg.mean("v"), FLOATS, "f8", or_nan(statistics.fmean), close=True),
    Case(agg.mean("v"), SMALL, "O", or_nan(statistics.fmean), close=True),
    Case(agg.var("v"), SMALL, "f8", variance, close=True),
    Case(agg.std("v"), SMALL, "i4", lambda pairs: math.sqrt(variance(pairs)), close=True),
    Case(agg.min("v"), INTS, "i8", or_nan(min), close=True),
    Case(agg.max("v"), FLOATS, "f8", or_nan(max)),
    Case(agg.max("v"), POINTS, "M8[ms]"),
    Case(agg.first("v"), SMALL, "i8", lambda pairs: of_time(pairs, 0)),
    Case(agg.last("v"), TEXTS, "O", lambda pairs: of_time(pairs, -1)),
    Case(agg.last("v"), POINTS, "M8[ms]", lambda pairs: of_time(pairs, -1)),
    Case(agg.quantile("v", 0.5), FLOATS, "f8"),
    Case(agg.quantiles("v", (0.1, 0.9), max_bins=2), FLOATS, "f8"),
    Case(agg.quantile_kll("v", 0.7), FLOATS, "f8", or_nan(lower(0.7)), by_result=True),
    Case(agg.quantiles_kll("v", (0.0, 0.5), k=36), SMALL | FLOATS, "O", by_result=True),
    Case(agg.distinct("v", precision=14), WORDS, "O", lambda pairs: len(set(values_of(pairs)))),
    Case(agg.top_k("v", 2), TEXTS, "O", longest),
    Case(agg.top_k("v", 2, by="w"), SMALL, "i8"),
    Case(agg.collect("v"), TEXTS, "O", in_time),
    Case(agg.monoid("", str, str.__add__, len, column="v"), TEXTS, "O", lengths),
]
quick = settings(max_examples=settings().max_examples * 2 // 5)  # of many cases each
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each_case
@quick
@given(data=st.data())
def test_pieces_in_their_order_are_the_whole(case: Case, data: st.DataObject) -> None:
    whole, pieces = data.draw(cut(case.rows()))
    lifted = [piece.lifted(case.aggregate) for piece in pieces]
    together = case.aggregate.lower(reduce(case.aggregate.combine, lifted))
    assert same(together, whole.result(case.aggregate), close=case.close)


@pytest.mark.parametrize("case", [each for each in CASES if each.model], ids=lambda case: case.name)
@quick
@given(data=st.data())
def test_the_result_is_that_of_a_plain_list(case: Case, data: st.DataObject) -> None:
    whole = data.draw(case.rows())
    result = whole.result(case.aggregate)
    assert case.model is not None
    expected = [case.model(whole.of(group)) for group in range(GROUPS)]
    assert len(result) == GROUPS
    for got, wanted in zip(list(result), expected, strict=True):
        assert (
            same(np.array([got]), np.array([wanted]), close=True)
            if case.close
            else same(got, wanted)
        )


def bits(state: State) -> list[Any]:
    """A state so that only equal bits are equal: -0.0 is not 0.0 then."""
    return [array.tobytes() if array.dtype.kind == "f" else array.tolist() for array in state]


@each_case
@quick
@given(data=st.data())
def test_rows_are_folded_to_the_last_bit_however_they_are_cut(
    case: Case, data: st.DataObject
) -> None:
    whole, pieces = data.draw(cut(case.rows()))
    rows = [whole[at : at + 1] for at in range(len(whole))]
    by_piece, by_row, at_once = (folded(case.aggregate, each) for each in (pieces, rows, [whole]))
    assert all(map(same, by_piece, by_row))
    assert all(map(same, at_once, by_row))
    if "O" not in {array.dtype.char for array in by_row}:
        assert bits(by_piece) == bits(by_row) == bits(at_once)
    assert same(case.aggregate.lower(by_row), whole.result(case.aggregate), close=case.close)


def folded(aggregate: Aggregate, pieces: list[Rows]) -> State:
    state = aggregate.identity(GROUPS)
    for piece in pieces:
        aggregate.folding(piece.values[: len(aggregate.columns)], piece.times)(state, piece.codes)
    return state


@each_case
@quick
@given(data=st.data())
def test_in_whatever_memory_the_columns_lie(case: Case, data: st.DataObject) -> None:
    whole = data.draw(case.rows())
    other = Rows(
        tuple(
            np.repeat(column, 2).astype(column.dtype.newbyteorder("S"))[::2]
            for column in whole.values
        ),
        np.repeat(whole.times, 2)[::2],
        np.repeat(whole.codes, 2)[::2],
    )
    assert same(other.result(case.aggregate), whole.result(case.aggregate), close=case.close)


@each_case
@quick
@given(data=st.data())
def test_it_is_associative(case: Case, data: st.DataObject) -> None:
    one, two, three = (data.draw(case.rows()).lifted(case.aggregate) for _ in range(3))
    combine = case.aggregate.combine
    left, right = combine(combine(one, two), three), combine(one, combine(two, three))
    assert case.by_result or same(left, right, close=case.close)
    assert same(case.aggregate.lower(left), case.aggregate.lower(right), close=case.close)


@each_case
@quick
@given(data=st.data())
def test_the_identity_changes_nothing_on_either_side(case: Case, data: st.DataObject) -> None:
    state = data.draw(case.rows()).lifted(case.aggregate)
    identity = case.aggregate.identity(GROUPS)
    assert same(case.aggregate.combine(identity, state), state)
    assert same(case.aggregate.combine(state, identity), state)


@each_case
@quick
@given(data=st.data())
def test_arguments_are_left_alone_and_dtypes_are_kept(case: Case, data: st.DataObject) -> None:
    whole = data.draw(case.rows())
    for column in (*whole.values, whole.times, whole.codes):
        column.flags.writeable = False
    one, two = whole.lifted(case.aggregate), whole[::-1].lifted(case.aggregate)
    for part in (*one, *two):
        part.flags.writeable = False
    result = case.aggregate.combine(one, two)
    case.aggregate.lower(result)
    identity = case.aggregate.identity(GROUPS)
    forms = [[(part.dtype, part.shape) for part in state] for state in (one, result, identity)]
    assert forms[0] == forms[1] == forms[2]


@each_case
@quick
@given(data=st.data())
def test_groups_know_nothing_of_each_other(case: Case, data: st.DataObject) -> None:
    whole = data.draw(case.rows())
    state = whole.lifted(case.aggregate)
    for group in range(GROUPS):
        where = whole.codes == group
        alone = Rows(
            tuple(column[where] for column in whole.values),
            whole.times[where],
            np.zeros(int(where.sum()), np.intp),
        )
        mine = taken(state, slice(group, group + 1))
        assert same(mine, alone.lifted(case.aggregate, 1), close=case.close)


@each_case
@quick
@given(data=st.data())
def test_a_snapshot_goes_on_as_if_nothing_had_been(case: Case, data: st.DataObject) -> None:
    one, two = (data.draw(case.rows()).lifted(case.aggregate) for _ in range(2))
    came_back = restored(wire.loads(wire.dumps(plain(one))), case.aggregate)
    assert same(case.aggregate.lower(came_back), case.aggregate.lower(one))
    went_on = case.aggregate.combine(came_back, two)
    assert same(
        case.aggregate.lower(went_on), case.aggregate.lower(case.aggregate.combine(one, two))
    )
    assert all(part.flags.writeable for part in came_back)


@each_case
def test_no_groups_are_no_trouble(case: Case) -> None:
    none = case.aggregate.identity(0)
    assert len(case.aggregate.lower(none)) == 0
    assert same(case.aggregate.combine(none, none), none)


SETTLED = [case for case in CASES if "monoid" not in case.name]


@pytest.mark.parametrize("case", SETTLED, ids=lambda case: case.name)
@quick
@given(data=st.data())
def test_rows_of_different_times_may_come_in_any_order(case: Case, data: st.DataObject) -> None:
    whole = data.draw(case.rows())
    timed = Rows(whole.values, np.arange(len(whole)), whole.codes)
    order = np.array(data.draw(st.permutations(range(len(whole)))), np.intp)
    values = tuple(column[order] for column in timed.values)
    other = Rows(values, timed.times[order], timed.codes[order])
    half = len(whole) // 2
    pieces = [other[half:].lifted(case.aggregate), other[:half].lifted(case.aggregate)]
    result = case.aggregate.lower(case.aggregate.combine(*pieces))
    assert same(result, timed.result(case.aggregate), close=case.close)


def test_an_aggregate_says_how_it_was_built() -> None:
    assert repr(agg.count()) == "count()"
    assert repr(agg.var("price", ddof=1)) == "var('price', ddof=1)"
    assert repr(agg.top_k("id", 3, by=len)) == "top_k('id', len, k=3)"
    assert repr(agg.quantile("v", 0.9)) == "quantile('v', q=(0.9,), accuracy=0.01, max_bins=2048)"
    assert repr(agg.quantile_kll("v")) == "quantile_kll('v', q=(0.5,), k=200)"
    own = agg.monoid(0, int, max, column=("a", str.upper))
    assert repr(own) == "monoid('a', str.upper, lift=int, combine=max)"
