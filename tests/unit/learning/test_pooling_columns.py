"""Columns that are not there: a misspelt name is told of at the first element, and a member may be missing from later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.testing.virtual_time import run
from rxml.uncertain import Normal
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

BOTH = {"id": 1, "a": 1.0, "b": 3.0}
ONE = {"id": 2, "a": 5.0}
POOLS: list[Operator[Any, Any]] = [ops.combine(["a", "b"]), ops.combine(["a", "b"], "linear_pool")]


def means(rows: list[Any]) -> list[float]:
    return [float(row["value"].mean()) for row in rows]


@pytest.mark.parametrize("pool", POOLS, ids=["learned", "fixed"])
def test_a_member_whose_column_is_misspelt_is_told_of_with_the_columns_there_are(pool: Any) -> None:
    whole = Batch({"id": [1], "a": [1.0], "B": [3.0]})
    for flow in (rxml.of({"id": 1, "a": 1.0, "B": 3.0}), rxml.from_batches([whole])):
        with pytest.raises(SchemaError, match=r"no (column )?'b'.*'B'.*has None"):
            run(flow.pipe(pool).to_list())


@pytest.mark.parametrize("pool", POOLS, ids=["learned", "fixed"])
def test_a_member_may_be_missing_once_it_was_there(pool: Any) -> None:
    assert means(results([BOTH, ONE], pool)) == [2.0, 5.0]
    left_out = results([ONE, {**ONE, "b": None}, ONE, BOTH], pool, ops.supervise("resume"))
    assert means(left_out) == [5.0, 5.0, 2.0]


def test_the_way_to_a_column_need_only_begin_in_the_first_element() -> None:
    pool: Any = ops.combine(["a", "far.b"])
    assert means(results([{**BOTH, "far": None}, {**BOTH, "far": {"b": 9.0}}], pool)) == [1.0, 5.0]
    with pytest.raises(SchemaError, match="'far'"):
        results([BOTH], pool)


def test_what_was_there_is_known_after_a_restart() -> None:
    out: list[Any] = []

    async def main() -> None:
        flow = rxml.from_iterable([BOTH, ONE, ONE]).pipe(POOLS[1], ops.do_action(out.append))
        store = MemoryStore(2)
        while True:
            try:
                return await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue

    run(main())
    assert set(means(out)) == {2.0, 5.0}


def test_a_reading_whose_column_is_misspelt_is_no_sensor_that_is_silent() -> None:
    follow: Any = ops.track("x", q=1.0, r="noise", per="element")
    first = {"x": Normal(1.0, 1.0), "noise": 1.0}
    assert len(results([first, {}, {"x": None}], follow)) == 3
    for element, name in (({"y": 1.0, "noise": 1.0}, "x"), ({"x": 1.0}, "noise")):
        with pytest.raises(SchemaError, match=f"'{name}'"):
            results([element], follow)
