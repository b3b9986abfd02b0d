"""Law cases of `rxml.operators.columns`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import hypothesis.strategies as st
import numpy as np

from rxml import compose
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import SchemaError
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

SCHEMA = Schema.of(x="int64")
ROWS: SearchStrategy[Any] = st.fixed_dictionaries({"x": st.integers(-3, 3)})
SOME_BAD: SearchStrategy[Any] = st.one_of(ROWS, ROWS, st.just({"y": 1}), st.just({"x": "text"}))
WHOLE: dict[str, Any] = {"columns": True}


def doubled(batch: Batch) -> Batch:
    return batch.with_columns(y=batch["x"] * 2)


def doubled_rows(rows: list[dict[str, int]]) -> list[dict[str, int]]:
    return [{"x": row["x"], "y": row["x"] * 2} for row in rows]


def positive(batch: Batch) -> Batch:
    keep: Any = batch["x"] > 0
    return cast("Batch", batch[keep])


def some(rows: list[dict[str, int]]) -> list[dict[str, int]]:
    return [row for row in rows if row["x"] > 0]


def refuse(batch: Batch) -> Batch:
    if np.any(batch["x"] == 0):
        raise ZeroDivisionError("a 0 among the rows")
    return batch


def fitting(rows: list[Any]) -> Iterator[Any]:
    for row in rows:
        yield Batch.from_rows([row], SCHEMA)[0]


def inferred(rows: list[Any]) -> Iterator[Any]:
    return iter(Batch.from_rows(rows))


def good(rows: list[Any]) -> Iterator[Any]:
    for row in rows:
        try:
            yield from fitting([row])
        except SchemaError:
            continue


CASES = {
    "map_batch": Case(lambda: ops.map_batch(doubled, SCHEMA), doubled_rows, ROWS, WHOLE),
    "map_batch:inferred": Case(lambda: ops.map_batch(doubled), doubled_rows, ROWS, WHOLE),
    "map_batch:fewer": Case(
        lambda: ops.map_batch(positive, cardinality="1:0..1"), some, ROWS, {**WHOLE, "ahead": None}
    ),
    "map_batch:failing": Case(lambda: ops.map_batch(refuse), None, ROWS, WHOLE),
    "to_batch": Case(lambda: ops.to_batch(SCHEMA), fitting, SOME_BAD),
    "to_batch:resumed": Case(
        lambda: compose(ops.to_batch(SCHEMA), ops.supervise("resume")),
        good,
        SOME_BAD,
        {"ahead": None},
    ),
    "to_batch:inferred": Case(ops.to_batch, inferred, ROWS, WHOLE),
    "rows": Case(ops.rows, iter),
    "rows:of a batch": Case(lambda: compose(ops.to_batch(SCHEMA), ops.rows()), fitting, ROWS),
}
