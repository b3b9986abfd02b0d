"""Law cases of `rxml.operators.presence`."""

from __future__ import annotations

from math import erf, sqrt
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.uncertain import Bernoulli, Normal, prob
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

SCHEMA = Schema.of(m="float64", v="float64")
ROWS: SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "m": st.floats(-2, 2),
        "v": st.sampled_from([0.0, 1.0, -1.0, 4.0]),
    }
)
AHEAD: dict[str, Any] = {"ahead": None}


def above(batch: Batch) -> Bernoulli:
    return Normal(batch["m"], batch["v"]) > 1.0


def likely(batch: Batch) -> Any:
    return prob(above(batch)) >= 0.5


def model(row: dict[str, float]) -> float:
    if row["v"] < 0:
        Normal([row["m"]], [row["v"]])
    if not row["v"]:
        return float(row["m"] > 1)
    return (1 - erf((1 - row["m"]) / sqrt(2 * row["v"]))) / 2


def soft(rows: list[dict[str, float]]) -> Iterator[Any]:
    for row in rows:
        if model(row) > 0:
            yield {**row, "presence": above(Batch.from_rows([row], SCHEMA)).at(0)}


def hard(rows: list[dict[str, float]]) -> Iterator[Any]:
    return (row for row in rows if model(row) >= 0.5)


CASES = {
    "where": Case(lambda: ops.where(above, SCHEMA), soft, ROWS, AHEAD),
    "where:hard": Case(lambda: ops.where(likely, SCHEMA), hard, ROWS, AHEAD),
}
