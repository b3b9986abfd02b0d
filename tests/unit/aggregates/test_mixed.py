"""Ints, floats and times in one column: what a group has does not depend on the groups and rows beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.errors import SchemaError
from tests.unit.aggregates.rows import array, rows

VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 2**53 + 1, 2**62, -(2**53) - 1, 0.5, 1e300, -2.0, True]),
    st.floats(-1e9, 1e9),
)
FACTS = st.lists(st.tuples(st.integers(0, 2), VALUES), min_size=1, max_size=12)
AGGREGATES = {
    "sum": agg.sum("x"),
    "min": agg.min("x"),
    "max": agg.max("x"),
    "mean": agg.mean("x"),
    "std": agg.std("x"),
    "quantile": agg.quantile("x"),
    "distinct": agg.distinct("x", precision=6),
}


def told(name: str, chunks: list[list[Any]]) -> Any:
    """The results of all rows; or, from a failure on, its type."""
    flow = rxml.of(1).pipe(ops.key_by("k"), ops.aggregate(a=AGGREGATES[name]))
    spec: Any = flow.spec
    kernel = spec.kernel()
    found: list[Any] = []
    for chunk in chunks:
        try:
            found += [repr(row["a"]) for row in kernel.push_all(chunk)]
        except OverflowError:
            return None
    return found


@pytest.mark.parametrize("name", AGGREGATES)
@given(FACTS, st.integers(1, 4))
def test_a_chunk_gives_what_its_rows_give_one_by_one(
    name: str, facts: list[Any], size: int
) -> None:
    items = [{"k": key, "x": value} for key, value in facts]
    alone = told(name, [[item] for item in items])
    for step in (size, len(items)):
        chunks = [items[at : at + step] for at in range(0, len(items), step)]
        assert told(name, chunks) == alone


def test_ints_of_one_group_stay_exact_beside_floats_of_another() -> None:
    seen = rows(array([2**53 + 1, 0.5, 2**63], "O"), codes=[0, 1, 1])
    for aggregate in (agg.sum("v"),):
        assert seen.result(aggregate, 3).tolist() == [2**53 + 1, 2.0**63 + 0.5, 0]
    seen = rows(array([2**53 + 1, 0.5, 7], "O"), codes=[0, 1, 1])
    assert str(seen.result(agg.min("v"), 3).tolist()) == f"[{2**53 + 1}, 0.5, nan]"
    assert str(seen.result(agg.max("v"), 3).tolist()) == f"[{2**53 + 1}, 7.0, nan]"


def test_a_sum_beyond_64_bits_is_one_whatever_stands_beside_it() -> None:
    seen = rows(array([2**62, 2**62, 0.5], "O"), codes=[0, 0, 1])
    with pytest.raises(OverflowError, match=f"is {2**63}, beyond int64"):
        seen.result(agg.sum("v"), 2)


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "least"),
    [
        ([NOON, NOON - timedelta(microseconds=1)], np.datetime64(NOON.replace(tzinfo=None)) - 1),
        ([timedelta(2), timedelta(1)], np.timedelta64(1, "D")),
        ([np.datetime64(5, "s"), np.datetime64(1, "ns")], np.datetime64(1, "ns")),
        ([NOON, np.datetime64(3, "D")], np.datetime64(3, "D")),
    ],
)
def test_times_in_rows_have_a_smallest(values: list[Any], least: Any) -> None:
    result = rows(array(values, "O")).result(agg.min("v"), 1)
    assert result.dtype.kind in "mM"
    assert result.dtype.name.endswith("64[ns]")
    assert result[0] == least


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([datetime(2026, 1, 1)], r"row 0: column 'v' is datetime.* an aware datetime"),  # noqa: DTZ001
        ([date(2026, 1, 1)], r"row 0: column 'v' is datetime.date"),
        ([datetime(9999, 1, 1, tzinfo=UTC)], "beyond what nanoseconds in 64 bits can say"),
        ([np.datetime64("NaT"), 1], "column 'v' is NaT: leave out"),
        ([np.datetime64("9999-01-01"), 1], "beyond what nanoseconds in 64 bits can say"),
        ([1, None], r"row 1: column 'v' has no value \(None\)"),
        ([-1, 2**64], "column 'v' has ints beyond 64 bits, such as 18446744073709551616"),
    ],
)
def test_what_has_no_smallest_is_refused(values: list[Any], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        rows(array(values, "O")).lifted(agg.min("v"), 1)


def test_durations_are_no_numbers() -> None:
    with pytest.raises(SchemaError, match="and numbers are wanted"):
        rows(array([1, np.timedelta64(1, "s")], "O")).lifted(agg.sum("v"), 1)


def test_times_of_one_group_beside_numbers_of_another() -> None:
    seen = rows(array([np.datetime64(5, "s"), 3], "O"), codes=[0, 1])
    assert seen.result(agg.max("v"), 2).tolist() == [np.datetime64(5, "s"), 3]
