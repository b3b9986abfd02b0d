"""asof_join on batches: the same as on elements, in columns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.batch.schema import Schema
from rxml.errors import SchemaError
from rxml.eventtime import bounded
from rxml.flow.chunk import Chunk
from rxml.testing import Sleep, Watermark, run, scripted
from tests.unit.joins.timed import NS, Item, items, newest

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

KEYS = st.sampled_from(["text", "near", "far", "float"])
OF: dict[str, dict[str, Any]] = {
    "text": {"a": "a", "b": "b"},
    "near": {"a": 0, "b": 7},
    "far": {"a": -(10**12), "b": 10**12},
    "float": {"a": 0.5, "b": 1.0},
}


def batch(given_: list[Item], keys: str, value: str) -> Batch:
    """As columns, the number of the item being the value."""
    return Batch(
        {
            "key": [OF[keys][each.key] for each in given_],
            "time": np.array([each.time for each in given_], np.int64),
            value: np.array([each.number for each in given_], np.float64),
        }
    )


def flow(given_: list[Item], keys: str, value: str, cuts: list[int]) -> Flowable[Any]:
    """In batches of these sizes, those beyond in one."""
    steps: list[Any] = []
    start = 0
    for size in [*cuts, len(given_)]:
        part = given_[start : start + size]
        steps += [Chunk(batch(part, keys, value))] if part else []
        start += size
    return scripted(*steps).pipe(
        ops.with_event_time("time", bounded(30 * NS), unit="ns"), ops.key_by("key")
    )


CUTS = st.lists(st.integers(1, 5), max_size=4)


@given(items(16), items(16), st.tuples(CUTS, CUTS), KEYS, st.none() | st.integers(0, 10))
def test_batches_give_what_elements_give(
    left: list[Item],
    right: list[Item],
    cuts: tuple[list[int], list[int]],
    keys: str,
    tolerance: int | None,
) -> None:
    joined = flow(left, keys, "x", cuts[0]).pipe(
        ops.asof_join(
            flow(right, keys, "v", cuts[1]),
            tolerance=None if tolerance is None else tolerance * NS,
        )
    )
    rows = run(joined.to_list())
    model = newest(left, right, tolerance)
    assert [row["x"] for row in rows] == [pair.left.number for pair in model]
    assert [row["found"] for row in rows] == [pair.found for pair in model]
    found = [(row["v"], row["time_right"].astype(int)) for row in rows if row["found"]]
    assert found == [(pair.right.number, pair.right.time) for pair in model if pair.right]
    if right:
        assert all(row["found"] or np.isnan(row["v"]) for row in rows)


def one(name: str, values: Any, times: list[int]) -> Any:
    column = {"t": np.array(times, np.int64), name: values}
    return rxml.from_batches([Batch(column)]).pipe(ops.with_event_time("t", unit="ns"))


async def chunk_of(joined: Flowable[Any]) -> Any:
    """All that comes, as one batch."""
    parts: list[Any] = []
    async with joined.open() as live:
        while not (chunk := await live.request(100)).end:
            parts += [chunk.elements] if len(chunk.elements) else []
    return Batch.concat(parts)


def answered(values: Any, **options: Any) -> Batch:
    """One row that finds nothing, and one that finds something."""
    joined = one("x", [1, 2], [1, 5]).pipe(ops.asof_join(one("v", values, [3]), **options))
    answer: Batch = run(chunk_of(joined))
    return answer


def test_what_is_missing_is_missing_in_the_way_of_its_dtype() -> None:
    assert answered([2.5])["v"].tolist()[1] == 2.5
    assert np.isnan(answered([2.5])["v"][0])
    whole = answered([7])["v"]
    assert (whole.dtype, whole.tolist()[1], np.isnan(whole[0])) == (np.float64, 7.0, True)
    assert answered(["b"])["v"].tolist() == [None, "b"]
    assert answered([True])["v"].tolist()[1] == 1.0
    times = answered(np.array(["2026-01-01"], "datetime64[s]"))["v"]
    assert np.isnat(times).tolist() == [True, False]


def test_the_dtypes_do_not_depend_on_whether_something_is_missing() -> None:
    nothing_missing = one("x", [1], [5]).pipe(ops.asof_join(one("v", [7], [3])))
    assert run(chunk_of(nothing_missing))["v"].dtype == answered([7])["v"].dtype


def test_names_that_are_taken_get_the_suffix_and_the_time_of_the_right_is_a_time() -> None:
    answer = answered([2.5], suffix="_b")
    assert answer.names == ("t", "x", "t_b", "v", "found")
    assert answer["t_b"].dtype == np.dtype("datetime64[ns]")
    both = one("found", [1, 2], [1, 5]).pipe(ops.asof_join(one("found", [2.5], [3])))
    assert run(chunk_of(both)).names == (
        "t",
        "found",
        "t_right",
        "found_right",
        "found_right_right",
    )


def test_a_whole_number_that_float64_would_round_is_refused() -> None:
    with pytest.raises(SchemaError, match="'v' of the right has 9007199254740993, which float64"):
        answered([2**53 + 1])


def test_batches_of_the_right_must_be_alike() -> None:
    right = scripted(Chunk(Batch({"t": [1], "v": [1.0]})), Chunk(Batch({"t": [2], "w": [1.0]})))
    joined = one("x", [1], [9]).pipe(ops.asof_join(right, right_time="t"))
    with pytest.raises(SchemaError, match="select the same columns"):
        run(joined.to_list())


def test_without_a_row_of_the_right_there_are_no_columns_of_it() -> None:
    answer = run(chunk_of(one("x", [1], [9]).pipe(ops.asof_join(rxml.empty(), right_time="t"))))
    assert answer.names == ("t", "x", "found")
    assert answer["found"].tolist() == [False]


@pytest.mark.parametrize(("schema", "second"), [(None, 5.0), (Schema.of(t="int64", v=str), 0.0)])
def test_batches_wait_for_the_columns_of_the_right_unless_these_are_said(
    schema: Schema | None, second: float
) -> None:
    right = scripted(Watermark(8), Sleep(5), Chunk(Batch({"t": [9], "v": ["b"]})), Watermark(20))
    names = ("t", "x", "t_right", "v", "found")

    async def main() -> list[tuple[float, Any]]:
        left = one("x", [1, 2], [7, 10])
        joined = left.pipe(ops.asof_join(right, right_time="t", schema=schema))
        seen: list[tuple[float, Any]] = []
        async with joined.open() as live:
            while not (chunk := await live.request(100)).end:
                answer: Any = chunk.elements
                if len(answer):
                    assert answer.names == names
                    seen += [(asyncio.get_running_loop().time(), each) for each in answer["v"]]
        return seen

    assert run(main()) == [(second, None), (5.0, "b")]


def test_a_batch_is_answered_as_far_as_the_right_has_come() -> None:
    right = scripted(Chunk(Batch({"t": [1], "v": [1.0]})), Watermark(4), Sleep(1), Watermark(9))

    async def main() -> list[list[int]]:
        joined = one("x", [1, 2, 3], [3, 4, 8]).pipe(ops.asof_join(right, right_time="t"))
        answers: list[list[int]] = []
        async with joined.open() as live:
            while not (chunk := await live.request(100)).end:
                batch_: Any = chunk.elements
                answers += [batch_["x"].tolist()] if len(batch_) else []
        return answers

    assert run(main()) == [[1], [2, 3]]


def test_elements_with_rows_of_batches_are_elements() -> None:
    joined: Any = rxml.of(5).pipe(ops.asof_join(one("v", ["b"], [3]), time=int))
    ((left, right),) = run(joined.to_list())
    assert (left, dict(right)) == (5, {"t": 3, "v": "b"})
