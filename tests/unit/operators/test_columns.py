"""Chunks as batches: what is copied, what is refused, and who is to blame."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.batch import Batch, Field, Row, Schema
from rxml.errors import PipelineError, SchemaError
from rxml.flow.chunk import END, Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import source
from rxml.flow.node import Cardinality
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.operator import Operator
    from rxml.flow.supervision import DeadLetter

SCHEMA = Schema.of(x="int64")


def piped(flow: rxml.Flowable[Any], *operators: Operator[Any, Any]) -> rxml.Flowable[Any]:
    return flow.pipe(*operators)


def chunks(flow: rxml.Flowable[Any], n: int = rxml.UNBOUNDED) -> list[Any]:
    """What each chunk holds."""

    async def main() -> list[Any]:
        async with flow.chunks(n) as found:
            return [chunk.elements async for chunk in found]

    return asyncio.run(main())


def same(batch: Batch) -> Batch:
    return batch


def positive(batch: Batch) -> Batch:
    keep: Any = batch["x"] > 0
    return cast("Batch", batch[keep])


def test_a_batch_passes_through_without_a_copy() -> None:
    x = np.arange(6)
    batch = Batch({"x": x})
    flow = piped(rxml.from_batches([batch]), ops.map_batch(same, SCHEMA), ops.to_batch(SCHEMA))
    first, second = chunks(flow, 4)
    assert (len(first), len(second)) == (4, 2)
    assert np.shares_memory(first["x"], x)


def test_unbatch_hands_on_slices_of_a_batch() -> None:
    x = np.arange(5)
    flow = piped(rxml.of([7], Batch({"x": x}), Batch({"x": x[:0]}), (8,)), ops.unbatch())
    found = chunks(flow, 3)
    assert [len(elements) for elements in found] == [1, 3, 2, 1]
    assert isinstance(found[1], Batch)
    assert np.shares_memory(found[1]["x"], x)
    assert [row["x"] for row in (*found[1], *found[2])] == [0, 1, 2, 3, 4]


def test_a_batch_of_another_schema_is_converted() -> None:
    flow = piped(
        rxml.from_batches([Batch({"x": np.arange(2)})]), ops.to_batch(Schema.of(x="float32"))
    )
    (found,) = chunks(flow)
    assert found.schema == Schema.of(x="float32")


def test_rows_of_a_batch_are_rows_in_a_list() -> None:
    (found,) = chunks(piped(rxml.from_batches([Batch({"x": [1]})]), ops.rows()))
    assert found == [{"x": 1}]
    assert isinstance(found[0], Row)
    assert isinstance(found, list)


def test_element_operators_take_the_rows_of_a_batch() -> None:
    flow = piped(rxml.from_batches([Batch({"x": [1, 2, 3]})]), ops.filter(lambda row: row["x"] > 1))
    assert asyncio.run(flow.to_list()) == [{"x": 2}, {"x": 3}]


@pytest.mark.parametrize("declared", ["1:1", Cardinality.ONE])
def test_rows_that_are_missing_are_an_error_where_none_may_be(declared: Any) -> None:
    flow = piped(rxml.of({"x": 0}, {"x": 1}), ops.map_batch(positive, cardinality=declared))
    with pytest.raises(SchemaError, match="declared 1:1; it made 1 rows of 2"):
        asyncio.run(flow.to_list())


@pytest.mark.parametrize("declared", ["1:0..1", "n:1", Cardinality.AT_MOST_ONE])
def test_rows_may_be_left_out_where_that_is_declared(declared: Any) -> None:
    operator = ops.map_batch(positive, SCHEMA, cardinality=declared)
    assert asyncio.run(piped(rxml.of({"x": 0}, {"x": 1}), operator).to_list()) == [{"x": 1}]


def test_more_rows_than_there_were_are_an_error() -> None:
    def twice(batch: Batch) -> Batch:
        return Batch.concat([batch, batch])

    flow = piped(rxml.of({"x": 0}), ops.map_batch(twice, cardinality="1:0..1"))
    with pytest.raises(SchemaError, match="made 2 rows of 1"):
        asyncio.run(flow.to_list())


def test_what_is_no_batch_is_an_error_that_says_so() -> None:
    def listed(batch: Batch) -> Any:
        return batch.rows()

    with pytest.raises(TypeError, match="is to give a Batch, got list"):
        asyncio.run(piped(rxml.of({"x": 0}), ops.map_batch(listed)).to_list())


@pytest.mark.parametrize("declared", ["1:n", Cardinality.MANY, None, 1])
def test_a_cardinality_that_cannot_be_is_refused_at_once(declared: Any) -> None:
    with pytest.raises(PipelineError, match="map and unbatch"):
        ops.map_batch(same, cardinality=declared)


async def later(batch: Batch) -> Batch:
    return batch


def test_a_coroutine_function_is_refused_by_naming_map_async() -> None:
    function: Any = later
    with pytest.raises(TypeError, match="map_async"):
        ops.map_batch(function)


ROWS: list[Any] = [{"x": index} for index in range(100)]
BAD = {3: {"y": 1}, 40: {"x": "text"}, 41: 7}


def test_only_the_rows_that_do_not_fit_are_left_out() -> None:
    given = [BAD.get(index, row) for index, row in enumerate(ROWS)]
    letters: list[DeadLetter] = []
    flow = piped(
        rxml.from_iterable(given),
        ops.to_batch(SCHEMA),
        ops.supervise("resume", dead_letters=letters.append),
    )
    found = [row["x"] for row in asyncio.run(flow.to_list())]
    assert found == [index for index in range(100) if index not in BAD]
    assert [letter.element for letter in letters] == list(BAD.values())
    assert {letter.stage for letter in letters} == {"to_batch"}


def test_rows_before_the_one_that_does_not_fit_come_first_still_as_a_batch() -> None:
    async def main() -> list[Any]:
        found: list[Any] = []
        flow = piped(rxml.from_iterable([*ROWS[:5], BAD[3]]), ops.to_batch(SCHEMA))
        async with flow.open() as subscription:
            found.append((await subscription.request(10)).elements)
            with pytest.raises(SchemaError, match="'y'"):
                await subscription.request(10)
        return found

    (batch,) = asyncio.run(main())
    assert isinstance(batch, Batch)
    assert len(batch) == 5


def test_a_function_of_the_user_is_not_tried_again() -> None:
    calls: list[int] = []

    def failing(batch: Batch) -> Batch:
        calls.append(len(batch))
        raise ValueError

    flow = piped(rxml.from_iterable(ROWS[:5]), ops.map_batch(failing), ops.supervise("resume"))
    assert asyncio.run(flow.to_list()) == []
    assert calls == [5]


class Beside(Stage[Any]):
    """Gives one batch with contexts that tell what becomes of them."""

    def __init__(self, env: Any, node: Any, log: list[tuple[str | None, str]]) -> None:
        super().__init__(env, node)
        self._log = log
        self._given = False

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._given:
            return END
        self._given = True
        return Chunk(Batch({"x": [1, 0, 2]}), [self._context(str(i)) for i in range(3)])

    def _context(self, name: str) -> Context:
        def settle(outcome: Outcome) -> None:
            self._log.append((name, outcome.value))

        return Context(fact_id=name, settle=settle)


BESIDE: list[tuple[Operator[Any, Any], list[str], list[tuple[str, str]]]] = [
    (ops.map_batch(same), ["0", "1", "2"], []),
    (ops.map_batch(positive, cardinality="1:0..1"), ["0", "2"], [("1", "dropped")]),
    (ops.rows(), ["0", "1", "2"], []),
]


@pytest.mark.parametrize(("operator", "ids", "dropped"), BESIDE, ids=str)
def test_contexts_stay_with_their_rows(
    operator: Operator[Any, Any], ids: list[str], dropped: list[Any]
) -> None:
    log: list[tuple[str | None, str]] = []

    async def main() -> Chunk[Any]:
        flow: rxml.Flowable[Any] = source("beside", lambda env, node: Beside(env, node, log))
        async with piped(flow, operator).open() as subscription:
            return await subscription.request(10)

    chunk = asyncio.run(main())
    assert [context.fact_id for context in chunk.contexts or []] == ids
    assert log == dropped


def test_rows_keep_their_number_without_columns() -> None:
    empty_rows: list[Any] = [{}, {}]
    flow: rxml.Flowable[Any] = rxml.from_iterable(empty_rows)
    assert asyncio.run(piped(flow, ops.to_batch()).to_list()) == [{}, {}]
    rows = rxml.of({"x": 1}, {"x": 2})

    def bare(batch: Batch) -> Batch:
        return batch.drop("x")

    dropping = ops.map_batch(bare, cardinality="1:0..1")
    assert asyncio.run(piped(rows, dropping).to_list()) == [{}, {}]
    empty = Schema([])
    assert asyncio.run(piped(flow, ops.to_batch(empty), ops.map_batch(same)).to_list()) == [{}, {}]


def test_a_nullable_field_takes_none() -> None:
    schema = Schema([Field("x", "float64", nullable=True)])
    found = asyncio.run(piped(rxml.of({"x": None}), ops.to_batch(schema)).to_list())
    assert np.isnan(found[0]["x"])
