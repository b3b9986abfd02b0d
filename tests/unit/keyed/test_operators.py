"""latest, deduplicate, aggregate and scan, key by key: against dicts, in any chunks, as rows and as batches."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml import aggregates as agg
from rxml import operators as ops
from rxml.eventtime import Evicted
from tests.unit.keyed.models import BOUNDS, FACTS, Fact, Model, gone_on, keyed, listed

if TYPE_CHECKING:
    from collections.abc import Callable


SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=4)
WITHIN = 5


def newest(state: dict[str, Any], fact: Fact) -> Fact | None:
    if fact["time"] < state.get("newest", -1):
        return None
    state["newest"] = fact["time"]
    return fact


def once(model: Model) -> Callable[[dict[str, Any], Fact], Fact | None]:
    def step(state: dict[str, Any], fact: Fact) -> Fact | None:
        passed, time = state.setdefault(fact["id"], []), fact["time"]
        near = [each for each in passed if abs(each - time) <= WITHIN]
        if any(each + WITHIN >= model.watermark for each in near):
            return None
        passed.append(time)
        return fact

    return step


def summed(state: dict[str, Any], fact: Fact) -> Fact:
    values = state.setdefault("values", [])
    values.append(fact)
    firsts = min(values, key=lambda each: each["time"])
    return {
        "key": fact["key"],
        "time": fact["time"],
        "n": len(values),
        "total": sum(each["x"] for each in values),
        "mean": sum(each["x"] for each in values) / len(values),
        "first": firsts["x"],
    }


def digits(state: dict[str, Any], fact: Fact) -> int:
    state["total"] = join(state.get("total", 7), fact)
    return int(state["total"])


def join(total: int, fact: Fact) -> int:
    x: int = fact["x"]
    return (total * 3 + x) % 1009


AGGREGATE = ops.aggregate(
    n=agg.count(), total=agg.sum("x"), mean=agg.mean("x"), first=agg.first("x")
)
OPERATORS: dict[str, tuple[Any, Callable[[Model], Any]]] = {
    "latest": (ops.latest(), lambda _: newest),
    "deduplicate": (ops.deduplicate("id", WITHIN / 1e9), once),
    "aggregate": (AGGREGATE, lambda _: summed),
    "scan": (ops.scan(join, 7), lambda _: digits),
}

each_operator = pytest.mark.parametrize("name", OPERATORS)


@each_operator
@given(FACTS, SIZES, BOUNDS, st.booleans())
def test_it_does_what_a_dict_of_states_does(
    name: str,
    facts: list[Fact],
    sizes: list[int],
    bounds: tuple[int | None, int | None],
    batched: bool,
) -> None:
    operator, step = OPERATORS[name]
    model, told = Model(*bounds), list[Evicted]()
    results = listed(keyed(facts, sizes, operator, bounds, told, batched=batched))
    assert results == model.results(facts, step(model))
    assert Counter((each.key, each.reason) for each in told) == Counter(model.evicted)


@each_operator
@given(FACTS, SIZES)
def test_without_a_key_all_belong_together(name: str, facts: list[Fact], sizes: list[int]) -> None:
    operator, step = OPERATORS[name]
    model = Model(keyed=False)
    expected = model.results(facts, step(model))
    if name == "aggregate":
        expected = [
            {column: each[column] for column in each if column != "key"} for each in expected
        ]
    assert listed(keyed(facts, sizes, operator, key=False)) == expected


@each_operator
@given(FACTS, SIZES, BOUNDS, st.sets(st.integers(0, 40)))
def test_a_restored_one_goes_on_as_if_nothing_had_been(
    name: str,
    facts: list[Fact],
    sizes: list[int],
    bounds: tuple[int | None, int | None],
    cuts: set[int],
) -> None:
    flow = keyed(facts, sizes, OPERATORS[name][0], bounds)
    assert gone_on(flow, facts, sizes, cuts) == gone_on(flow, facts, sizes, set())
