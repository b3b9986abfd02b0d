"""Operators on columns: the chunks of a stream as batches. Elements are rows, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import PipelineError, SchemaError
from rxml.flow.check import require_function
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import columns, fold, label
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rxml.batch.row import Row
    from rxml.batch.schema import Schema
    from rxml.flow.operator import Operator

A = TypeVar("A")


def map_batch(
    function: Callable[[Batch], Batch],
    schema: Schema | None = None,
    *,
    cardinality: Cardinality | Literal["1:1", "1:0..1", "n:1"] = Cardinality.ONE,
) -> Operator[Mapping[str, Any], Row]:
    """Apply a function to each chunk of rows, as a batch.

    Marble:
        --{x:1}{x:2}--{x:3}--|
        map_batch(lambda b: b.with_columns(y=b["x"] * 2))
        --{x:1,y:2}{x:2,y:4}--{x:3,y:6}--|

    Rows that are no batch yet become one, by the schema or by what their values call for. The function sees as many rows as
    came at a time, 1 to 1024: what it makes of a row must not depend on the others, or the results depend on the chunks.

    Demand: n elements for n.
    Buffers: nothing.
    Emits: the rows of the results, held as batches.
    Completes: with upstream.
    Fails: with upstream; when rows do not fit the schema; when the function raises, gives no batch, or more rows than
        declared: without any result of that chunk, since no single row is to blame.
    Cancels: upstream, at once.
    Cost: one call a chunk; rows that are no batch are converted, about 1 microsecond each. Where elements have contexts and
        rows may be left out, the function is called row by row, so that each context stays with its row.

    Args:
        function: from a batch of 1 or more rows to a batch.
        schema: names, dtypes and shapes that the function wants; None takes them from batches and infers them of rows, so
            that they may change from chunk to chunk.
        cardinality: "1:1", as many rows as it was given, in order; "1:0..1", not more, in order; "n:1", not more, each of
            which answers for all rows of its chunk.

    Raises:
        PipelineError: a cardinality that is none of these (a TypeError): `map` and `unbatch` make more rows.
        TypeError: not a function, or a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> rows = rxml.of({"x": 1}, {"x": 2})
        >>> double = ops.map_batch(lambda batch: batch.with_columns(y=batch["x"] * 2))
        >>> [row["y"] for row in asyncio.run(rows.pipe(double).to_list())]
        [2, 4]
    """
    require_function("map_batch", function, "makes one batch of another")
    name, declared = label("map_batch", function), _cardinality(cardinality)

    def on_chunk(items: Sequence[Any]) -> Sequence[Any]:
        result: object = function(_batch(items, schema))
        if not isinstance(result, Batch):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"{name}: the function is to give a Batch, got {type(result).__name__}"
            raise TypeError(message)
        if len(result) > len(items) or (declared is Cardinality.ONE and len(result) < len(items)):
            message = (
                f"{name} is declared {declared.value}; it made {len(result)} rows of {len(items)}"
            )
            raise SchemaError(message)
        return result

    return columns(name, on_chunk, cardinality=declared)


def _cardinality(given: object) -> Cardinality:
    for each in (Cardinality.ONE, Cardinality.AT_MOST_ONE, Cardinality.FEWER):
        if given in (each, each.value):
            return each
    message = (
        "map_batch wants the cardinality '1:1', '1:0..1' or 'n:1', got "
        f"{given!r}; use map and unbatch for more rows than there were"
    )
    raise PipelineError(message)


def _batch(items: Sequence[Any], schema: Schema | None) -> Batch:
    """The rows as a batch; those of one with another schema are converted."""
    if isinstance(items, Batch) and (schema is None or items.schema == schema):
        return items
    return Batch.from_rows(items, schema)


def to_batch(schema: Schema | None = None) -> Operator[Mapping[str, Any], Row]:
    """Hold the rows of each chunk as a batch from here on.

    Marble:
        --{x:1}{x:2}--{x:3}--|
        to_batch(Schema.of(x="int64"))
        --{x:1}{x:2}--{x:3}--|

    Demand: n elements for n.
    Buffers: nothing.
    Emits: each row, with the values that its column has: floats may be rounded to the declared precision.
    Completes: with upstream.
    Fails: with upstream, or with a SchemaError at a row that does not fit, after the rows before. Without a schema, when
        the rows of one chunk do not fit one another, which then depends on how they were chunked.
    Cancels: upstream, at once.
    Cost: about 1 microsecond a row; nothing for rows that are held as such a batch already.

    Args:
        schema: names, dtypes and shapes; None infers them of each chunk anew.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.batch import Schema
        >>> asyncio.run(rxml.of({"x": 1}).pipe(ops.to_batch(Schema.of(x="float64"))).to_list())
        [Row(x=1.0)]
    """

    def on_chunk(items: Sequence[Any]) -> Sequence[Any]:
        return _batch(items, schema)

    known = schema is not None
    traits = (schema,) if known else ()
    return columns("to_batch", on_chunk, depends=not known, again=known, traits=traits)


class _Rows(Kernel[A, A]):
    """Takes the rows out of what holds them."""

    stateless = True

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        out.extend(items)


def rows() -> Operator[A, A]:
    """Hold the rows of each chunk as a list from here on: the reverse of `to_batch`.

    Marble:
        --{x:1}{x:2}--{x:3}--|
        rows()
        --{x:1}{x:2}--{x:3}--|

    Operators on elements do so anyway; this is for what wants lists, and it spares those behind it.

    Demand: n elements for n.
    Buffers: nothing.
    Emits: each row, a `Row` if it comes out of a batch.
    Completes: with upstream.
    Fails: with upstream.
    Cancels: upstream, at once.
    Cost: about 1 microsecond for each row of a batch.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.batch import Batch
        >>> asyncio.run(rxml.from_batches([Batch({"x": [1, 2]})]).pipe(ops.rows()).to_list())
        [Row(x=1), Row(x=2)]
    """
    return fold("rows", _Rows[Any], cardinality=Cardinality.ONE, passes=True)
