"""Which keys joins take, and that keys which are equal meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.eventtime.event_time import EventTime
from rxml.eventtime.joins.side import Side
from rxml.testing import run, scripted
from tests.unit.flow.ledger import read

NAT = np.datetime64("NaT")


def timed(keys: Any, *, unit: Any = "ns") -> Any:
    """A batch of keys, a row a nanosecond."""
    rows = Batch({"k": keys, "t": np.arange(len(keys))})
    return rxml.from_batches([rows]).pipe(ops.with_event_time("t", unit=unit))


def found(left: Any, right: Any) -> list[bool]:
    joined = timed(left).pipe(ops.asof_join(timed(right), key="k"))
    return [row["found"] for row in run(joined.to_list())]


def test_a_column_of_keys_has_one_value_a_row() -> None:
    pairs = np.array([[1, 2], [1, 3]])
    for left, right in ((pairs, np.array([1, 1])), (np.array([1, 1]), pairs)):
        with pytest.raises(SchemaError, match="hashable, got array"):
            found(left, right)
    with pytest.raises(SchemaError, match=r"the key of the right, 'k', .* shape \(2, 2\): wanted"):
        Side("right", EventTime("t"), "k").keys(Batch({"k": pairs}))


@pytest.mark.parametrize("missing", [np.nan, None, NAT, float("nan"), (1, None)])
def test_an_element_whose_key_is_missing_has_none(missing: Any) -> None:
    flow: Any = scripted("a1").pipe(
        ops.with_event_time(lambda x: 0), ops.asof_join(timed([1]), key=lambda _: missing)
    )
    error = read(flow).error
    assert isinstance(error, SchemaError)
    assert "an element has no key" in str(error)


@pytest.mark.parametrize(
    "column", [np.array([1.0, np.nan]), np.array(["2026-01-01", "NaT"], "M8[s]")]
)
def test_a_row_whose_key_is_missing_is_for_the_supervisor_and_the_others_stay_a_batch(
    column: Any,
) -> None:
    shapes: list[type[Any]] = []

    def look(batch: Batch) -> Batch:
        shapes.append(type(batch))
        return batch

    joined = timed(column).pipe(
        ops.asof_join(timed(column[:1]), key="k"), ops.map_batch(look), ops.supervise("resume")
    )
    assert [row["found"] for row in run(joined.to_list())] == [True]
    assert shapes == [Batch]


@pytest.mark.parametrize("units", [("s", "ns"), ("ns", "D"), ("us", "ms")])
@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_datetimes_of_different_units_are_equal_keys(units: tuple[str, str], kind: str) -> None:
    days = np.array([20_000, 20_001], f"{kind}[D]")
    left, right = (days.astype(f"{kind}[{unit}]") for unit in units)
    assert found(left, right) == [True, True]


def test_nanoseconds_that_no_datetime_has_are_keys_too() -> None:
    fine = np.array([1, 2_000], "M8[ns]")
    assert found(fine, fine) == [True, True]
    assert found(fine + 1, fine) == [False, False]
    assert found(fine, fine.astype("M8[us]")) == [False, True]


def test_numbers_that_are_equal_are_equal_keys_whatever_their_type() -> None:
    assert found(np.array([1, 2], np.int32), np.array([2.0, 2.0])) == [False, True]
    assert found([True, False], np.array([1, 1])) == [True, False]


def test_a_key_of_one_name_may_be_a_large_number_for_it_is_not_given_out_twice() -> None:
    large = np.array([2**60 + 1, 2**60 + 2])
    joined = timed(large).pipe(ops.asof_join(timed(large), key="k"))
    rows = run(joined.to_list())
    assert [(row["k"], row["found"]) for row in rows] == [(2**60 + 1, True), (2**60 + 2, True)]


def test_the_users_function_is_not_called_more_than_twice_for_an_element() -> None:
    calls: list[int] = []

    def key(number: int) -> int:
        calls.append(number)
        return 0 // (number - 3)

    right: Any = rxml.of(0)
    flow: Any = rxml.of(*range(6)).pipe(
        ops.asof_join(right, key=key, right_key=lambda _: 0, time=lambda x: x),
        ops.supervise("resume"),
    )
    assert [each.left for each in read(flow).results] == [0, 1, 2, 4, 5]
    assert len(calls) <= 4 + 6
