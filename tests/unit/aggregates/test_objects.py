"""Aggregates that keep values: the largest, all of them, and those of one's own functions."""

from __future__ import annotations

import math
import operator
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import aggregates as agg
from rxml.errors import BufferOverflowError, SchemaError
from tests.unit.aggregates.rows import array, rows

KEYS = {
    "i8": st.integers(-(2**63), 2**63 - 1),
    "u8": st.integers(0, 2**64 - 1),
    "f8": st.floats(allow_nan=False),
    "?": st.booleans(),
    "O": st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans()),
}


@pytest.mark.parametrize("dtype", KEYS)
@given(data=st.data())
def test_the_largest_by_a_column_are_those_of_a_sorted_list(
    dtype: str, data: st.DataObject
) -> None:
    listed = data.draw(st.lists(st.tuples(KEYS[dtype], st.integers(0, 3)), max_size=9))
    k, cut = data.draw(st.integers(1, 4)), data.draw(st.integers(0, len(listed)))
    keys = array([key for key, _ in listed], dtype)
    times = [time for _, time in listed]
    aggregate = agg.top_k("id", k, by="key")
    seen = rows(np.arange(len(listed)), keys, times=times)
    state = aggregate.combine(seen[:cut].lifted(aggregate, 1), seen[cut:].lifted(aggregate, 1))
    ranked = sorted(range(len(listed)), key=times.__getitem__)
    ranked.sort(key=lambda row: listed[row][0], reverse=True)
    assert aggregate.lower(state).tolist() == [ranked[:k]]


def test_of_equal_ones_the_earlier_is_first_whenever_it_came() -> None:
    seen = rows(list("abcd"), [1, 1, 2, 1], times=[9, 3, 5, 3])
    assert seen.result(agg.top_k("v", 3, by="w"), 1).tolist() == [["c", "b", "d"]]


def test_nan_is_the_smallest_and_so_is_nat() -> None:
    values = rows([math.nan, 1.0, -math.inf]).result(agg.top_k("v", 3), 1)[0]
    assert str(values) == "[1.0, -inf, nan]"
    for mixed in permutations([math.nan, 2**60, 0.5, 2**60 + 1]):
        (top,) = rows(array([*mixed], "O")).result(agg.top_k("v", 4), 1)
        assert str(top) == f"[{2**60 + 1}, {2**60}, 0.5, nan]"
    days = np.array(["NaT", "2026-01-01", "2026-01-02"], "M8[D]")
    (top,) = rows(days).result(agg.top_k("v", 2), 1)
    assert [str(day) for day in top] == ["2026-01-02", "2026-01-01"]


def test_values_may_be_anything_if_another_column_ranks_them() -> None:
    seen = rows(array([{"a": 1}, None, [2]], "O"), ["x", "z", "y"])
    assert seen.result(agg.top_k("v", 2, by="w"), 2).tolist() == [[None, [2]], []]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(SchemaError, match="the values of column 'v' cannot be put in order"):
        rows(array([1, "a"], "O")).lifted(agg.top_k("v", 1), 1)
    with pytest.raises(SchemaError, match="column 'w' cannot be put in order"):
        rows([1, 2], array([None, 1], "O")).lifted(agg.top_k("v", 1, by="w"), 1)
    with pytest.raises(ValueError, match="k is 0: give an int at least 1"):
        agg.top_k("v", 0)


def test_all_values_come_in_the_order_of_time() -> None:
    aggregate = agg.collect("v")
    early = rows(list("ab"), times=[5, 1]).lifted(aggregate, 2)
    late = rows(list("cd"), times=[5, 3]).lifted(aggregate, 2)
    assert aggregate.lower(aggregate.combine(early, late)).tolist() == [["b", "d", "a", "c"], []]
    assert aggregate.lower(aggregate.combine(late, early)).tolist() == [["b", "d", "c", "a"], []]


def test_more_values_than_may_be_kept_are_an_error_never_a_loss() -> None:
    aggregate = agg.collect("v", most=3)
    words = r"a group has 4 values of column 'v', and collect may hold 3: raise `most`"
    full = rows([1, 2, 3]).lifted(aggregate, 1)
    with pytest.raises(BufferOverflowError, match=words):
        rows([1, 2, 3, 4]).lifted(aggregate, 1)
    with pytest.raises(BufferOverflowError, match=words):
        aggregate.combine(full, rows([4]).lifted(aggregate, 1))
    assert aggregate.lower(full).tolist() == [[1, 2, 3]]


def test_the_result_is_the_readers_own() -> None:
    for aggregate in (agg.collect("v"), agg.top_k("v", 3)):
        state = rows([3, 2]).lifted(aggregate, 1)
        aggregate.lower(state)[0].append("mine")
        assert aggregate.lower(state).tolist() == [[3, 2]]


def test_ones_own_functions_see_each_column_and_the_order_of_rows() -> None:
    aggregate = agg.monoid("", "{}{}".format, str.__add__, str.upper, column=("v", "w"))
    seen = rows(list("abc"), [1, 2, 3], codes=[1, 0, 1])
    state = aggregate.combine(seen.lifted(aggregate), seen.lifted(aggregate))
    assert aggregate.lower(state).tolist() == ["B2B2", "A1C3A1C3", ""]


def test_an_identity_is_not_combined_where_there_are_rows() -> None:
    aggregate = agg.monoid(math.inf, float, min, column="v")
    result = rows([3, 2], codes=[0, 0]).result(aggregate, 2)
    assert result.dtype == np.float64
    assert result.tolist() == [2.0, math.inf]


def test_one_without_columns_sees_that_there_are_rows() -> None:
    aggregate = agg.monoid(0, lambda: 1, int.__add__)
    assert aggregate.columns == ()
    assert rows([5, 5, 5], codes=[0, 1, 0]).result(aggregate, 2).tolist() == [2, 1]


def test_states_that_are_lists_are_states() -> None:
    aggregate: Any = agg.monoid([], lambda v: [v], operator.add, column="v")
    seen = rows([1, 2, 3], codes=[0, 0, 1])
    assert seen.result(aggregate, 3).tolist() == [[1, 2], [3], []]


def test_errors_of_ones_own_functions_come_out_as_they_are() -> None:
    aggregate = agg.monoid(0, lambda v: 1 / v, max, column="v")
    with pytest.raises(ZeroDivisionError):
        rows([0]).lifted(aggregate, 1)
    wrong: Any = 3
    with pytest.raises(TypeError, match=r"combine is 3 \(int\): give a function"):
        agg.monoid(0, int, wrong)
