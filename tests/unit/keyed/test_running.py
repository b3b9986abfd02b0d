"""Running aggregates: to the last bit the same for a chunk as for its rows one by one, hot keys or not."""

from __future__ import annotations

import struct
from typing import Any, cast

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.batch.batch import Batch

AGGREGATES = {
    "count": agg.count(),
    "sum": agg.sum("x"),
    "sum of ints": agg.sum("i"),
    "mean": agg.mean("x"),
    "var": agg.var("x"),
    "std": agg.std("x", ddof=1),
    "min": agg.min("x"),
    "max": agg.max("i"),
    "first": agg.first("x"),
    "last": agg.last("i"),
    "quantile": agg.quantile("x", 0.5),
    "distinct": agg.distinct("i", precision=4),
    "top_k": agg.top_k("i", 2),
    "collect": agg.collect("i", most=200),
    "own": agg.monoid(lambda: 0.0, lambda x: x, lambda a, b: a * 0.5 + b, lambda a: a, column="x"),
}

ROWS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 0, 0, 1, 2]),
        st.floats(-1e6, 1e6, allow_subnormal=False),
        st.integers(-(1 << 40), 1 << 40),
    ),
    min_size=1,
    max_size=90,
)


def kernel(name: str) -> Any:
    flow = rxml.of(1).pipe(ops.key_by("k"), ops.aggregate(a=AGGREGATES[name]))
    spec: Any = flow.spec
    return spec.kernel()


def bits(value: Any) -> Any:
    """Floats as their bits, since -0.0 and 0.0 differ, and NaN is NaN."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return list(map(bits, cast("list[Any]", value)))
    return struct.pack("<d", value) if isinstance(value, float) else value


@pytest.mark.parametrize("name", AGGREGATES)
@given(ROWS)
def test_a_chunk_gives_what_its_rows_give_one_by_one(
    name: str, rows: list[tuple[int, float, int]]
) -> None:
    keys, floats, ints = (np.array(each) for each in zip(*rows, strict=True))
    batch = Batch({"k": keys, "x": floats, "i": ints})
    whole, single = kernel(name), kernel(name)
    results = whole.push_all(batch)
    alone = [row for at in range(len(batch)) for row in single.push_all(batch[at : at + 1])]
    assert [bits(row["a"]) for row in results] == [bits(row["a"]) for row in alone]
    more = batch[: len(batch) // 2 + 1]
    assert [bits(row["a"]) for row in whole.push_all(more)] == [
        bits(row["a"]) for row in single.push_all(more)
    ]


def test_a_sum_beyond_64_bits_is_refused_and_nothing_of_it_stays() -> None:
    one = kernel("sum of ints")
    batch = Batch({"k": np.array([1, 2]), "i": np.array([1 << 62, 5])})
    one.push_all(batch)
    with pytest.raises(OverflowError, match="beyond int64"):
        one.push_all(batch)
    again = one.push_all(Batch({"k": np.array([2, 3]), "i": np.array([5, 1])}))
    assert again["a"].tolist() == [10, 1]
