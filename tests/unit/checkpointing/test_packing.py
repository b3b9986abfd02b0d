"""States as bytes: what comes back is what was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.stores.packing import decoded, encoded
from rxml.testing.virtual_time import run
from rxml.wire import register_extension
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
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
