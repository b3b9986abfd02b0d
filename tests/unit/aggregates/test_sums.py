"""Sums, means and variances: exact where they can be, and never wrong in silence."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import aggregates as agg
from rxml.errors import SchemaError
from tests.unit.aggregates.rows import array, rows

INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(("values", "dtype"), [(INT64, "i8"), (UINT64, "u8")], ids=["i8", "u8"])
@given(data=st.data())
def test_a_sum_of_ints_is_exact_or_refused_however_it_is_cut(
    values: Any, dtype: str, data: st.DataObject
) -> None:
    pieces = data.draw(st.lists(st.lists(values, max_size=6), min_size=1, max_size=4))
    aggregate = agg.sum("v")
    lifted = [rows(np.array(piece, dtype)).lifted(aggregate, 1) for piece in pieces]
    state = reduce(aggregate.combine, lifted)
    total = sum(map(sum, pieces))
    if -(2**63) <= total < 2**63:
        assert aggregate.lower(state).tolist() == [total]
        assert aggregate.lower(state).dtype == np.int64
    else:
        with pytest.raises(OverflowError, match=rf"sum of column 'v' is {total}, beyond int64"):
            aggregate.lower(state)


def test_what_overflows_on_the_way_is_no_matter() -> None:
    aggregate = agg.sum("v")
    states = [rows([value]).lifted(aggregate, 1) for value in (2**63 - 1, 2**63 - 1, -(2**63 - 1))]
    assert aggregate.lower(reduce(aggregate.combine, states)).tolist() == [2**63 - 1]


def test_many_ints_beyond_what_a_float_holds_are_summed_exactly() -> None:
    values = np.full(10_000, 2**49 + 1)
    assert rows(values).result(agg.sum("v"), 1).tolist() == [10_000 * (2**49 + 1)]


def test_narrow_floats_are_summed_in_wide_ones() -> None:
    values = np.full(100_000, 0.1, np.float32)
    exact = 100_000 * float(np.float32(0.1))
    assert rows(values).result(agg.sum("v"), 1) == pytest.approx([exact], rel=1e-12)
    assert rows(values).result(agg.mean("v"), 1) == pytest.approx([exact / 1e5], rel=1e-12)


def test_half_floats_and_long_doubles_are_numbers_too() -> None:
    for dtype in (np.float16, np.longdouble):
        assert rows(np.array([0.5, 2.0], dtype)).result(agg.sum("v"), 1).tolist() == [2.5]
        assert rows(np.array([0.5, 1.5], dtype)).result(agg.var("v"), 1).tolist() == [0.25]


def test_nan_and_infinities_go_through() -> None:
    values, codes = [1.0, math.nan, math.inf, math.inf, -math.inf, 1.0], [0, 0, 1, 2, 2, 3]
    seen = rows(values, codes=codes)
    for aggregate in (agg.sum("v"), agg.mean("v")):
        assert str(seen.result(aggregate, 4).tolist()) == "[nan, inf, nan, 1.0]"
        both = aggregate.combine(seen.lifted(aggregate, 4), seen.lifted(aggregate, 4))
        assert str(np.isfinite(aggregate.lower(both)).tolist()) == "[False, False, False, True]"
    assert str(seen.result(agg.var("v"), 4).tolist()) == "[nan, nan, nan, 0.0]"


def test_an_infinity_stays_when_nothing_comes_to_it() -> None:
    aggregate = agg.sum("v")
    state = rows([math.inf]).lifted(aggregate, 1)
    assert aggregate.lower(aggregate.combine(aggregate.identity(1), state)).tolist() == [math.inf]


def test_ints_and_floats_of_one_column_add_up() -> None:
    aggregate = agg.sum("v")
    state = aggregate.combine(
        rows([2**40 + 1]).lifted(aggregate, 1), rows([0.5]).lifted(aggregate, 1)
    )
    assert aggregate.lower(state).tolist() == [2**40 + 1.5]


def test_groups_without_rows() -> None:
    nothing = rows(np.array([], np.float64))
    assert nothing.result(agg.count(), 2).tolist() == [0, 0]
    assert nothing.result(agg.sum("v"), 2).tolist() == [0, 0]
    for aggregate in (agg.mean("v"), agg.var("v"), agg.std("v")):
        assert np.isnan(nothing.result(aggregate, 2)).all()


@given(
    pieces=st.lists(st.lists(st.integers(-1000, 1000), max_size=5), min_size=1, max_size=4),
    ddof=st.sampled_from([0, 1]),
)
def test_a_variance_far_from_zero_keeps_its_digits(pieces: list[list[int]], ddof: int) -> None:
    aggregate = agg.var("v", ddof=ddof)
    offset = 1e9
    lifted = [rows(np.array(piece, float) + offset).lifted(aggregate, 1) for piece in pieces]
    (got,) = aggregate.lower(reduce(aggregate.combine, lifted))
    values = np.array([value for piece in pieces for value in piece], float)
    if len(values) <= ddof:
        assert np.isnan(got)
    else:
        assert got == pytest.approx(values.var(ddof=ddof), rel=1e-6, abs=1e-6)


def test_a_mean_that_is_rounded_does_not_add_to_the_variance() -> None:
    values = (
        1e9 + np.arange(100_000) % 2 * 2.0**-20
    )  # the steps that floats have there are of 2**-23
    aggregate = agg.var("v")
    whole = rows(values).lifted(aggregate, 1)
    halves = [
        rows(values[:49_999]).lifted(aggregate, 1),
        rows(values[49_999:]).lifted(aggregate, 1),
    ]
    for state, rel in ((whole, 1e-9), (aggregate.combine(*halves), 0.1)):
        assert aggregate.lower(state)[0] == pytest.approx(2.0**-42, rel=rel, abs=0.0)
        assert state[1][0] == pytest.approx(1e9 + 2.0**-21, rel=2.0**-53, abs=0.0)


def test_a_constant_far_from_zero_does_not_vary() -> None:
    assert rows(np.full(1000, 1e15 + 0.125)).result(agg.std("v"), 1).tolist() == [0.0]


def test_huge_values_make_the_variance_infinite_not_a_warning() -> None:
    assert rows([1e200, -1e200]).result(agg.var("v"), 1).tolist() == [math.inf]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (array([1, None], "O"), r"row 1: column 'v' has no value \(None\)"),
        (array([1, "2"], "O"), r"row 1: column 'v' is '2' \(str\), and numbers are wanted"),
        (np.array(["1"]), r"column 'v' has dtype <U1, and numbers are wanted: cast it"),
        (np.array([1j]), r"column 'v' has dtype complex128"),
        (np.array(["2020"], "M8[s]"), r"column 'v' has dtype datetime64\[s\]"),
        (np.ones((2, 3)), r"column 'v' has rows of shape \(3,\)"),
        (array([2**64], "O"), r"column 'v' has ints beyond 64 bits"),
    ],
)
def test_what_is_no_number_is_refused_by_name(values: Any, words: str) -> None:
    for aggregate in (agg.sum("v"), agg.mean("v"), agg.std("v"), agg.quantile("v")):
        with pytest.raises(SchemaError, match=words):
            rows(values).lifted(aggregate, 1)


def test_large_ints_beside_floats_are_summed_exactly_and_rounded_elsewhere() -> None:
    values = array([2**53 + 1, 0.5, 1 - 2**53], "O")
    assert rows(values).result(agg.sum("v"), 1).tolist() == [2.5]
    for aggregate in (agg.mean("v"), agg.std("v"), agg.quantile("v")):
        rounded = rows(values.astype(float)).result(aggregate, 1)
        assert rows(values).result(aggregate, 1).tolist() == rounded.tolist()


def test_a_function_is_named_in_errors() -> None:
    def price(order: Any) -> Any:
        return order["price"]

    with pytest.raises(SchemaError, match=r"column test_a_function_is_named.*\.price has no value"):
        rows(array([None], "O")).lifted(agg.sum(price), 1)


def test_objects_that_are_numbers_are_numbers() -> None:
    assert rows(array([1, True, np.int8(3)], "O")).result(agg.sum("v"), 1).tolist() == [5]
    assert rows(array([1, 0.5, np.float32(2)], "O")).result(agg.mean("v"), 1).tolist() == [3.5 / 3]
    assert rows(array([], "O")).result(agg.sum("v"), 1).tolist() == [0]


def test_what_is_no_column_or_number_of_freedom_is_refused() -> None:
    wrong: Any = 3
    with pytest.raises(
        TypeError, match=r"got 3 \(int\) for a column: give its name, or a function"
    ):
        agg.sum(wrong)
    with pytest.raises(ValueError, match="ddof is -1: give an int at least 0"):
        agg.var("v", ddof=-1)
    wrong = 0.5
    with pytest.raises(TypeError, match=r"ddof is 0.5 \(float\): give an int"):
        agg.std("v", ddof=wrong)
