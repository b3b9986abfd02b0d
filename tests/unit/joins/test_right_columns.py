"""asof_join gives the rows of the right as they came, unless they must have a missing value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.batch.schema import Schema
from rxml.errors import SchemaError
from rxml.flow.chunk import Chunk
from rxml.testing import Sleep, Watermark, run, scripted
from tests.unit.flow.ledger import read

NOW = 1_700_000_000_000_000_000


def time_of(row: Any) -> int:
    """An event time by function."""
    time: int = row["t"]
    return time


def batches(*parts: dict[str, Any], time: Any = "t") -> Any:
    return rxml.from_batches([Batch(part) for part in parts]).pipe(
        ops.with_event_time(time, unit="ns")
    )


def rows_of(left: Any, right: Any, **options: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in run(left.pipe(ops.asof_join(right, **options)).to_list())]


def test_elements_have_the_rows_of_batches_as_they_came() -> None:
    right = batches({"t": [3], "ok": [True], "id": np.array([2**60 + 1])})
    joined: Any = rxml.of(1, 5).pipe(ops.asof_join(right, time=lambda x: x))
    none, found = run(joined.to_list())
    assert none.right is None
    assert dict(found.right) == {"t": 3, "ok": True, "id": 2**60 + 1}
    assert found.right["ok"] is True


def test_a_schema_may_say_that_times_count_nanoseconds() -> None:
    schema = Schema.of(t="int64", v=str)
    left = batches({"t": np.array([NOW, NOW + 9])})
    right = batches({"t": np.array([NOW + 5]), "v": ["b"]})
    first, second = rows_of(left, right, schema=schema)
    assert (first["found"], first["v"]) == (False, None)
    assert (second["found"], second["v"]) == (True, "b")
    assert second["t_right"] == np.datetime64(NOW + 5, "ns")


@pytest.mark.parametrize("schema", [None, Schema.of(t="int64", v="float64")])
def test_a_time_that_a_function_tells_is_a_time_all_the_same(schema: Schema | None) -> None:
    left = batches({"t": np.array([NOW, NOW + 9])})
    right = batches({"t": np.array([NOW + 5]), "v": [1.5]}, time=time_of)
    _, second = rows_of(left, right, schema=schema)
    assert second["t_right"] == np.datetime64(NOW + 5, "ns")


def test_a_number_that_would_be_rounded_matters_only_where_it_is_given_out() -> None:
    right = {"t": [3, 8], "v": np.array([1, 2**53 + 1])}
    left = batches({"t": [5]}, {"t": [6]})
    assert [row["v"] for row in rows_of(left, batches(right))] == [1.0, 1.0]
    result = read(batches({"t": [5]}, {"t": [9]}).pipe(ops.asof_join(batches(right))))
    assert [row["v"] for row in result.results] == [1.0]
    assert isinstance(result.error, SchemaError)
    assert "'v' of the right has 9007199254740993, which float64 would round" in str(result.error)


def test_texts_may_become_wider() -> None:
    narrow, wide = np.array(["ab"], "S2"), np.array(["abcdef"], "S6")
    right = batches({"t": [1], "v": narrow}, {"t": [2], "v": wide})
    assert [row["v"] for row in rows_of(batches({"t": [1, 3]}), right)] == [b"ab", b"abcdef"]


def test_batches_of_the_right_that_differ_fail_the_stream_behind_what_was_certain() -> None:
    right = scripted(
        Chunk(Batch({"t": [1], "v": [1.0]})),
        Watermark(5),
        Chunk(Batch({"t": [6], "w": [1.0]}), watermark=9),
    )
    left = scripted(Sleep(5), Chunk([3]), Watermark(4), Chunk([7]), Watermark(8))
    joined: Any = left.pipe(ops.asof_join(right, time=lambda x: x, right_time="t"))
    result = read(joined)
    assert [(each.left, each.right["v"]) for each in result.results] == [(3, 1.0)]
    assert isinstance(result.error, SchemaError)
    assert "select the same columns" in str(result.error)


def test_what_comes_behind_an_element_that_failed_tells_nothing_any_more() -> None:
    """Its watermark would say that the failed one was there, and the elements of the left would do without it."""
    right = scripted(Chunk([1, 3, 5], watermark=9))
    left = scripted(Chunk([2]), Chunk([4]), Watermark(9))
    keys = {1: 0, 2: 0, 4: 0, 5: 0}
    joined: Any = left.pipe(ops.asof_join(right, time=lambda x: x, key=keys.__getitem__))
    result = read(joined)
    assert isinstance(result.error, KeyError)
    assert result.results == []
