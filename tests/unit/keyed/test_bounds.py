"""What key_by's bounds tell, and what keyed operators say where something is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.batch.batch import Batch
from rxml.errors import PipelineError, SchemaError
from rxml.eventtime import Evicted
from rxml.flow.run import Run
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

FACTS: list[Any] = [{"key": key, "time": time, "id": time} for time, key in enumerate("abcabd")]


def one(fact: Any) -> int:
    del fact
    return 1


def total(count: int, fact: Any) -> int:
    del fact
    return count + 1


STATEFUL: list[Any] = [
    ops.scan(total, 0),
    ops.aggregate(n=agg.count()),
    ops.latest(time=one),
]


async def counted(flow: Any) -> tuple[list[Any], int]:
    """All results, and how many keys the last stage has given up."""
    taken: list[Any] = []
    async with Run[Any](flow) as running:
        while not (chunk := await running.subscription.request(2)).end:
            taken += chunk.elements
    return taken, running.statistics().stages[-1].evicted


def test_evictions_are_counted_and_told() -> None:
    told: list[Evicted] = []
    by: Operator[Any, Any] = ops.key_by("key", max_keys=2, on_evicted=told.append)
    flow = rxml.from_iterable(FACTS).pipe(by, ops.scan(total, 0))
    assert run(counted(flow)) == ([1, 1, 1, 1, 1, 1], 4)
    assert [each.key for each in told] == ["a", "b", "c", "a"]
    assert told[0] == Evicted("a", "max_keys")


def test_what_the_watermark_ends_is_counted_too() -> None:
    timed: Any = rxml.from_iterable(FACTS).pipe(ops.with_event_time("time", unit="s"))
    by: Operator[Any, Any] = ops.key_by("key", ttl=timedelta(seconds=1))
    rows, evicted = run(counted(timed.pipe(by, ops.aggregate(n=agg.count()))))
    assert [row["n"] for row in rows] == [1] * 6
    assert evicted == 4


@pytest.mark.parametrize(
    "operator",
    STATEFUL,
)
@pytest.mark.parametrize("directive", ["stop", "resume", "restart"])
def test_an_error_of_on_evicted_fails_the_stream(operator: Any, directive: Any) -> None:
    def refuse(evicted: Evicted) -> None:
        raise RuntimeError(evicted.key)

    by: Operator[Any, Any] = ops.key_by("key", max_keys=1, on_evicted=refuse)
    letters: list[Any] = []
    resumed: Any = ops.supervise(directive, dead_letters=letters.append)
    with pytest.raises(RuntimeError, match="a") as caught:
        run(rxml.from_iterable(FACTS).pipe(by, operator, resumed).to_list())
    assert any("on_evicted of key_by" in note for note in caught.value.__notes__)
    assert any("in stage " in note for note in caught.value.__notes__)
    assert letters == []


TIMED: list[tuple[Any, dict[str, Any]]] = [
    (ops.latest(), {}),
    (ops.deduplicate("id", 1), {}),
    (ops.scan(total, 0), {"ttl": 1}),
    (ops.aggregate(n=agg.count()), {"ttl": 1}),
]


@pytest.mark.parametrize(("operator", "bounds"), TIMED)
def test_event_time_is_asked_for_where_it_is_needed(operator: Any, bounds: Any) -> None:
    with pytest.raises(PipelineError, match="needs event times"):
        _ = rxml.from_iterable(FACTS).pipe(ops.key_by("key", **bounds), operator)


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="within > 0"):
        ops.deduplicate("id", 0)
    with pytest.raises(PipelineError, match="wants something to compute"):
        ops.aggregate()
    with pytest.raises(PipelineError, match=r"aggregate\(n=...\) wants an aggregate"):
        ops.aggregate(n=3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(PipelineError, match="two columns 'key'"):
        _ = rxml.from_iterable(FACTS).pipe(ops.key_by("key"), ops.aggregate(key=agg.count()))
    with pytest.raises(TypeError, match=r"deduplicate\(id\)"):
        ops.deduplicate(3, 1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "operator",
    STATEFUL,
)
@pytest.mark.parametrize("bad", [{"key": []}, {"key": float("nan")}, {"other": 1}])
def test_an_element_without_a_key_alone_is_left_out(operator: Any, bad: Any) -> None:
    letters: list[Any] = []
    facts: list[Any] = [{"key": 1}, bad, {"key": 2}]
    keyed = rxml.from_iterable(facts).pipe(ops.key_by("key"), operator)
    kept: list[Any] = run(
        keyed.pipe(ops.supervise("resume", dead_letters=letters.append)).to_list()
    )
    assert len(kept) == 2
    assert isinstance(letters[0].error, SchemaError)


@pytest.mark.parametrize("bounds", [{}, {"max_keys": 2}])
def test_a_scan_that_fails_for_one_element_has_those_before_it_and_behind_it(bounds: Any) -> None:
    calls: list[int] = []

    def divided(count: int, number: int) -> int:
        calls.append(number)
        return count + 6 // number

    by: Operator[Any, Any] = ops.key_by(lambda number: number % 2, **bounds)
    flow = rxml.of(1, 2, 0, 3, 6, 0, 1).pipe(by, ops.scan(divided, 0))
    assert run(flow.pipe(ops.supervise("resume")).to_list()) == [6, 3, 8, 4, 14]
    assert calls == [1, 2, 0, 3, 6, 0, 1]


def test_batches_stay_batches() -> None:
    batch = Batch({"key": np.array([1, 1, 2]), "time": np.array([3, 2, 1])})
    by: Operator[Any, Any] = ops.key_by("key")
    timed = rxml.from_batches([batch]).pipe(ops.with_event_time("time", unit="ns"), by)
    newest: Any = timed.pipe(ops.latest()).spec
    kept = newest.kernel().push_all(batch)
    assert isinstance(kept, Batch)
    assert kept["time"].tolist() == [3, 1]
    once: Any = timed.pipe(ops.deduplicate("key", 1)).spec
    assert isinstance(once.kernel().push_all(batch), Batch)


def test_the_same_id_is_another_one_once_its_key_was_given_up() -> None:
    keys = ["a", "b", "c", "a", "a"]
    facts: list[Any] = [{"key": key, "time": 1, "id": 7} for key in keys]
    timed: Any = rxml.from_iterable(facts).pipe(ops.with_event_time("time", unit="ns"))
    kept = timed.pipe(ops.key_by("key", max_keys=2), ops.deduplicate("id", 60))
    assert [fact["key"] for fact in run(kept.to_list())] == ["a", "b", "c", "a"]
