"""Keyed state that is saved: by which operator it may be gone on from, and which keys can be said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from typing_extensions import override

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.errors import CheckpointError
from rxml.eventtime.keyed.key_table import KeyTable
from rxml.eventtime.keyed.plain_keys import from_plain, to_plain
from rxml.stores import Checkpoint
from rxml.testing import run
from rxml.windows import tumbling
from rxml.wire import dumps, loads
from tests.unit.checkpointing.memory_store import Died, MemoryStore

FACT: Any = {"key": 1, "other": 1, "id": 1, "time": 5}
TIMED: Any = rxml.of(FACT).pipe(ops.with_event_time("time", unit="s"))


def total(count: int, _: Any) -> int:
    return count + 1


def kernel(operator: Any, *by: Any) -> Any:
    return TIMED.pipe(*by, operator).spec.kernel()


BOUNDS: list[Any] = [
    (),
    (ops.key_by("key"),),
    (ops.key_by("other"),),
    (ops.key_by("key", ttl=3),),
    (ops.key_by("key", ttl=4),),
    (ops.key_by("key", max_keys=3),),
    (ops.key_by("key", ttl=3, max_keys=3),),
]
WORDS = [
    "all elements together",
    "key_by(key, ttl=None, max_keys=None)",
    "key_by(other, ttl=None, max_keys=None)",
    "key_by(key, ttl=3, max_keys=None)",
    "key_by(key, ttl=4, max_keys=None)",
    "key_by(key, ttl=None, max_keys=3)",
    "key_by(key, ttl=3, max_keys=3)",
]
OPERATORS: dict[str, Any] = {
    "latest": ops.latest(),
    "deduplicate": ops.deduplicate("id", 2),
    "aggregate": ops.aggregate(n=agg.count()),
    "scan": ops.scan(total, 0),
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("saved", range(len(BOUNDS)))
def test_a_state_of_other_keys_or_bounds_is_refused_by_both_names(name: str, saved: int) -> None:
    before = kernel(OPERATORS[name], *BOUNDS[saved])
    list(before.push_all([FACT])) if hasattr(before, "push_all") else before.push(iter([FACT]), [])
    state = loads(dumps(before.snapshot()))
    for number, bounds in enumerate(BOUNDS):
        after = kernel(OPERATORS[name], *bounds)
        if number == saved:
            after.restore(state)
            assert loads(dumps(after.snapshot())) == state
        elif name == "scan" and 0 in {number, saved}:
            assert after.version != before.version
        else:
            with pytest.raises(CheckpointError) as caught:
                after.restore(state)
            assert WORDS[saved] in str(caught.value)
            assert WORDS[number] in str(caught.value)


OTHERS: list[Any] = [
    (ops.aggregate(a=agg.sum("id")), ops.aggregate(a=agg.sum("time"))),
    (ops.aggregate(a=agg.top_k("id", 2)), ops.aggregate(a=agg.top_k("id", 3))),
    (ops.aggregate(a=agg.sum("id")), ops.aggregate(b=agg.sum("id"))),
    (ops.deduplicate("id", 2), ops.deduplicate("id", 3)),
    (ops.deduplicate("id", 2), ops.deduplicate("key", 2)),
]


@pytest.mark.parametrize(("saved", "here"), OTHERS)
def test_a_state_of_other_arguments_is_refused(saved: Any, here: Any) -> None:
    state = loads(dumps(kernel(saved).snapshot()))
    with pytest.raises(CheckpointError, match=r"the checkpoint is of .*, and this is "):
        kernel(here).restore(state)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Old(str, Enum):  # noqa: UP042 - as programs have it that are older than StrEnum
    A = "a"


class Name(str):
    __slots__ = ()


class Folded(str):
    """Equal to texts that are not equal to one another."""

    __slots__ = ()

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.casefold() == other.casefold()

    @override
    def __hash__(self) -> int:
        return hash(self.casefold())


class Plain(Enum):
    A = 1


@dataclass(frozen=True)
class Point:
    x: int


ZONE = timezone(timedelta(hours=5))
KEYS: list[Any] = [
    1,
    True,
    2**70,
    1.5,
    "a",
    b"a",
    timedelta(1),
    UUID(int=7),
    date(2024, 5, 1),
    datetime(2024, 5, 1, 12, 0, 0, 7, tzinfo=UTC),
    datetime(2024, 5, 1, tzinfo=ZONE),
    datetime(2024, 5, 1),  # noqa: DTZ001 - a key without a time zone is a key
    Decimal("1.10"),
    Colour.RED,
    Level.HIGH,
    Old.A,
    Name("n"),
    np.datetime64(5, "s"),
    (1, ("a", UUID(int=1)), frozenset({date(1, 1, 1)})),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_a_key_comes_back_as_one_that_finds_the_same_state(key: Any) -> None:
    (again,) = from_plain(loads(dumps(to_plain([key]))))
    assert again == key
    assert {key: "state"}[again] == "state"
    table, after = KeyTable(), KeyTable()
    table.codes(["first", key])
    after.restore(loads(dumps(table.snapshot())))
    assert after.codes([key]).tolist() == [1]


def key_of(fact: Any) -> Any:
    return fact["key"]


KEYED: dict[str, Any] = {
    **{name: (ops.key_by(key_of), operator) for name, operator in OPERATORS.items()},
    "window": (ops.key_by(key_of), ops.window(tumbling(1)).aggregate(n=agg.count())),
    "partition": (ops.with_event_time("time", unit="s", partition=key_of),),
}


@pytest.mark.parametrize("name", KEYED)
def test_the_stage_of_a_key_that_cannot_be_saved_is_named(name: str) -> None:
    facts = [{**FACT, "key": Plain.A}] * 3
    timed: Any = rxml.from_iterable(facts).pipe(ops.with_event_time("time", unit="s"))
    flow = timed.pipe(*KEYED[name])
    with pytest.raises(CheckpointError) as caught:
        run(flow.run(checkpoint=Checkpoint(MemoryStore(), every=None, elements=1)))
    assert str(caught.value).startswith(f"{flow.spec.name}: the key <Plain.A: 1> (Plain) cannot be")


def test_the_stage_whose_state_is_of_another_key_is_named() -> None:
    def flow(by: Any) -> Any:
        return rxml.of(FACT, FACT).pipe(by, ops.aggregate(n=agg.count()))

    store = MemoryStore(1)
    saved = Checkpoint(store, every=None, elements=1)
    with pytest.raises(Died):
        run(flow(ops.key_by("key")).run(checkpoint=saved))
    with pytest.raises(CheckpointError, match=r"^aggregate\(count\(\)\): the checkpoint is of "):
        run(flow(ops.key_by("key", max_keys=3)).run(checkpoint=saved))


def pair(fact: Any) -> tuple[int, str]:
    return fact["id"], "x"


def longer(state: tuple[Any, ...], fact: Any) -> tuple[Any, ...]:
    return (*state, pair(fact))


TUPLES: dict[str, Any] = {
    "top_k": (ops.aggregate(a=agg.top_k(pair, 3)),),
    "collect": (ops.aggregate(a=agg.collect(pair)),),
    "first": (ops.aggregate(a=agg.first(pair), b=agg.last(pair)),),
    "own": (ops.aggregate(a=agg.monoid((), pair, max, column=dict)),),
    "scan": (ops.scan(longer, ()),),
    "bounded scan": (ops.key_by(pair, max_keys=2), ops.scan(longer, ())),
    "reduce": (ops.reduce(longer, ()),),
}


@pytest.mark.parametrize("name", TUPLES)
def test_tuples_in_states_are_tuples_behind_a_restart(name: str) -> None:
    facts = [{**FACT, "id": number % 4} for number in range(8)]

    async def results(store: MemoryStore) -> list[str]:
        out: list[str] = []
        flow = rxml.from_iterable(facts).pipe(ops.key_by("key"), *TUPLES[name])
        told = flow.pipe(ops.do_action(lambda each: out.append(repr(each))))
        while True:
            try:
                await told.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            return out

    assert run(results(MemoryStore(*range(1, 8)))) == run(results(MemoryStore()))


@pytest.mark.parametrize("key", [Plain.A, Point(1), Folded("Straße"), ("a", Point(1)), 1j])
def test_a_key_that_cannot_be_said_is_named(key: Any) -> None:
    with pytest.raises(CheckpointError, match="cannot be saved: give key_by a text") as caught:
        to_plain(["fine", key])
    assert repr(key).removeprefix("('a', ").rstrip(")") in str(caught.value)
