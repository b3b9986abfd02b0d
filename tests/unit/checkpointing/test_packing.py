"""States as bytes: what comes back is what was kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError
from rxml.facts import FactLog, Outcome
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.stores.packing import decoded, encoded, register_tuple
from rxml.testing.virtual_time import run
from rxml.wire import register_extension
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from rxml import Flowable

HASHABLE = st.recursive(
    st.integers(-9, 9) | st.text(max_size=2) | st.none(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)
STATES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.sets(HASHABLE, max_size=3)
        | st.dictionaries(HASHABLE, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(STATES)
def test_containers_come_back_as_they_were(state: Any) -> None:
    back = decoded(encoded(state), "here")
    assert back == state
    assert type(back) is type(state)


class Pair:
    def __init__(self, first: int, second: tuple[int, ...]) -> None:
        self.parts: tuple[int, tuple[int, ...]] = first, second


register_extension(127, Pair, lambda pair: pair.parts, lambda parts: Pair(*parts))


def test_extension_values_are_read_by_their_own_reader() -> None:
    """Which was written for the wire, that has lists for tuples."""
    (pair,) = decoded(encoded((Pair(1, (2, 3)),)), "here")
    assert pair.parts == (1, [2, 3])


def test_arrays_in_tuples_may_be_written_to() -> None:
    array, rest = decoded(encoded((np.arange(3), (1,))), "here")
    array += 1
    assert (array.tolist(), rest) == ([1, 2, 3], (1,))


class Point(NamedTuple):
    x: int
    y: int


def test_a_tuple_with_names_is_refused_since_it_would_lose_them() -> None:
    flow = rxml.of(Point(1, 2), Point(3, 4)).pipe(ops.take_last(2))
    with pytest.raises(CheckpointError, match="a Point would come back as a bare tuple"):
        run(flow.run(checkpoint=Checkpoint(MemoryStore(), every=None, elements=1)))


class Place(NamedTuple):
    x: int
    y: tuple[int, ...]


class Elsewhere(NamedTuple):
    x: int


def test_a_tuple_with_names_that_is_known_comes_back_as_it_was() -> None:
    register_tuple(Place, "tests.Place")
    register_tuple(Place, "tests.Place")
    state = [Place(1, (2,)), {Place(3, ()): {Place(4, (5,))}}]
    back = decoded(encoded(state), "here")
    assert back == state
    assert type(back[0]) is type(next(iter(back[1]))) is Place


def test_a_name_is_of_one_kind_and_a_kind_has_names() -> None:
    register_tuple(Place, "tests.Place")
    with pytest.raises(ValueError, match=r"'tests\.Place' is the name of <class"):
        register_tuple(Elsewhere, "tests.Place")
    with pytest.raises(ValueError, match="wants a NamedTuple, got <class 'tuple'>"):
        register_tuple(tuple, "tests.tuple")


def test_what_a_program_does_not_know_or_has_changed_is_told() -> None:
    register_tuple(Place, "tests.Place")
    data = encoded(Place(1, (2,)))
    with pytest.raises(
        CheckpointError, match=r"nobody has called register_tuple\(kind, 'tests.Plac0'"
    ):
        decoded(data.replace(b"tests.Place", b"tests.Plac0"), "here")
    register_tuple(Elsewhere, "tests.Short")
    with pytest.raises(CheckpointError, match="here cannot be read: Expected 1 arguments, got 2"):
        decoded(data.replace(b"tests.Place", b"tests.Short"), "here")


@pytest.mark.parametrize("die_behind", [1, 2, 3])
def test_outcomes_of_a_fact_log_may_be_kept(tmp_path: Path, die_behind: int) -> None:
    store, out = MemoryStore(die_behind), list[Any]()

    def flow(log: FactLog) -> Flowable[Any]:
        facts = rxml.range(9).pipe(
            ops.map(lambda i: {"key": "k", "event_time": i, "id": f"{i}"} if i != 5 else None)
        )
        return facts.pipe(log.append(), ops.buffer(4), ops.do_action(out.append))

    checkpoint = Checkpoint(store, every=None, elements=3)
    with FactLog(tmp_path / "facts.db") as log:
        with pytest.raises(Died):
            asyncio.run(flow(log).run(checkpoint=checkpoint))
        asyncio.run(flow(log).run(checkpoint=checkpoint))
    assert all(type(each) is Outcome for part in out for each in part)
    assert [each.offset for part in out for each in part] == [0, 1, 2, 3, 4, None, 5, 6, 7]


def test_tuples_are_known_again_after_a_restart() -> None:
    store, out = MemoryStore(1), list[Any]()

    def flow() -> Flowable[Any]:
        return rxml.of((1, 2), (3, 4), (1, 2), (3, 4)).pipe(
            ops.distinct(), ops.do_action(out.append)
        )

    with pytest.raises(Died):
        run(flow().run(checkpoint=Checkpoint(store, every=None, elements=2)))
    run(flow().run(checkpoint=Checkpoint(store, every=None, elements=2)))
    assert out == [(1, 2), (3, 4)]
