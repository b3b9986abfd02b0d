"""The smallest, the largest, the first and the last."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rxml import aggregates as agg
from rxml.errors import SchemaError
from tests.unit.aggregates.rows import array, rows


def texts(result: Any) -> str:
    return f"{result.dtype} {result.tolist()}"


def test_ints_stay_ints_where_every_group_has_rows() -> None:
    seen = rows([3, 2**62 + 1, -5], codes=[0, 1, 0])
    assert texts(seen.result(agg.min("v"), 2)) == f"int64 [-5, {2**62 + 1}]"
    assert texts(seen.result(agg.max("v"), 3)) == f"object [3, {2**62 + 1}, nan]"
    small = rows([3, 2, -5], codes=[0, 1, 0])
    assert texts(small.result(agg.max("v"), 3)) == "float64 [3.0, 2.0, nan]"


def test_bools_are_ints() -> None:
    assert texts(rows([True, False]).result(agg.max("v"), 1)) == "int64 [1]"


@pytest.mark.parametrize("aggregate", [agg.min("v"), agg.max("v")], ids=repr)
def test_nan_comes_through_as_in_numpy(aggregate: Any) -> None:
    seen = rows([1.0, math.nan, -1.0, 7.0], codes=[0, 0, 0, 1]).lifted(aggregate, 2)
    plain = rows([5.0, 7.0], codes=[0, 1]).lifted(aggregate, 2)
    for state in (seen, aggregate.combine(seen, plain), aggregate.combine(plain, seen)):
        assert texts(aggregate.lower(state)) == "float64 [nan, 7.0]"


def test_infinities_are_values() -> None:
    assert rows([math.inf]).result(agg.min("v"), 1).tolist() == [math.inf]
    assert rows([-math.inf]).result(agg.max("v"), 1).tolist() == [-math.inf]


def test_ints_and_floats_of_one_column_compare() -> None:
    aggregate = agg.max("v")
    ints = rows([3, -2], codes=[0, 1]).lifted(aggregate, 3)
    floats = rows([2.5, -1.5], codes=[0, 1]).lifted(aggregate, 3)
    assert texts(aggregate.lower(aggregate.combine(ints, floats))) == "float64 [3.0, -1.5, nan]"


def test_times_give_times() -> None:
    days = rows(np.array(["2026-01-03", "2026-01-01"], "M8[D]"))
    assert texts(days.result(agg.min("v"), 1)) == f"datetime64[ns] [{1767225600 * 10**9}]"
    assert str(days.result(agg.max("v"), 2)[1]) == "NaT"
    assert texts(rows(np.array([3, 4], "m8[s]")).result(agg.max("v"), 1)).startswith(
        "timedelta64[ns]"
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array(["2026", "NaT"], "M8[s]"), r"row 1: column 'v' is NaT: leave out"),
        (np.array(["1000-01-01"], "M8[D]"), r"row 0: column 'v' is 1000-01-01, beyond what nano"),
        (np.array([2**63], np.uint64), r"column 'v' has 9223372036854775808, beyond int64"),
        (np.array(["a"]), r"column 'v' has dtype <U1, and numbers are wanted"),
    ],
)
def test_what_has_no_extreme_is_refused(values: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        rows(values).lifted(agg.max("v"), 1)


def test_times_and_numbers_have_no_smallest() -> None:
    aggregate = agg.min("v")
    one = rows(np.array([1], "M8[s]")).lifted(aggregate, 1)
    other = rows([1.0]).lifted(aggregate, 1)
    with pytest.raises(
        SchemaError, match="column 'v' has times and other values, of which none is the min"
    ):
        aggregate.lower(aggregate.combine(one, other))


def test_first_and_last_go_by_event_time_and_then_by_arrival() -> None:
    seen = rows(list("abcd"), times=[5, 1, 5, 1])
    assert seen.result(agg.first("v"), 1).tolist() == ["b"]
    assert seen.result(agg.last("v"), 1).tolist() == ["c"]


@pytest.mark.parametrize(
    ("times", "firsts", "lasts"), [((1, 2), "a", "b"), ((2, 1), "b", "a"), ((1, 1), "a", "b")]
)
def test_first_and_last_of_two_pieces(times: tuple[int, int], firsts: str, lasts: str) -> None:
    for aggregate, expected in ((agg.first("v"), firsts), (agg.last("v"), lasts)):
        pieces = [
            rows([value], times=[time]).lifted(aggregate, 1)
            for value, time in zip("ab", times, strict=True)
        ]
        assert aggregate.lower(aggregate.combine(*pieces)).tolist() == [expected]


def test_times_before_the_epoch_are_times() -> None:
    aggregate = agg.last("v")
    seen = rows([1, 2], times=[-(2**63), -5])
    assert seen.result(aggregate, 1).tolist() == [2]
    low = rows([7], times=[-(2**63)]).lifted(aggregate, 1)
    assert aggregate.lower(aggregate.combine(aggregate.identity(1), low)).tolist() == [7]


@pytest.mark.parametrize("dtype", ["f4", "i2", "u8", "M8[us]", "m8[s]", "?", "f8", "i8"])
def test_the_dtype_of_the_column_is_that_of_the_result(dtype: str) -> None:
    column = np.array([1, 0], "i8").astype(dtype)
    result = rows(column, codes=[0, 1]).result(agg.last("v"), 2)
    assert result.dtype == column.dtype
    assert (result == column).all()


def test_any_value_may_be_last() -> None:
    values = [None, [1, 2], {"a": 1}, "x", (1,)]
    seen = rows(array(values, "O"), codes=range(5))
    result = seen.result(agg.last("v"), 6)
    assert result.dtype == object
    assert result.tolist() == [*values, None]


def test_rows_of_vectors_are_values_and_do_not_hold_the_column() -> None:
    column = np.arange(6.0).reshape(3, 2)
    for aggregate in (agg.last("v"), agg.top_k("v", 1, by="w"), agg.collect("v")):
        (found,) = rows(column, [1, 2, 3]).result(aggregate, 1)
        vector: Any = found[-1] if len(found) != 2 else found
        assert vector.tolist() == [4.0, 5.0]
        assert vector.base is None


def test_ints_beyond_64_bits_are_objects() -> None:
    assert texts(rows(array([2**70], "O")).result(agg.last("v"), 1)) == f"object [{2**70}]"
