"""States are taken, put, grown and kept as wholes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml import aggregates as agg
from rxml import wire
from rxml.aggregates.states import cells, concatenated, grown, plain, put, restored, size, taken
from rxml.errors import SchemaError
from tests.unit.aggregates.rows import rows, same

STATE = (np.array([1, 2, 3]), np.arange(6.0).reshape(3, 2), cells([[1], None, "x"]))


def test_groups_are_taken_by_indices_masks_and_slices() -> None:
    for which in ([2, 0], np.array([True, False, True])):
        state = taken(STATE, which)
        assert size(state) == 2
        assert not np.shares_memory(state[0], STATE[0])
    ordered = taken(STATE, [2, 0])
    assert [part.tolist() for part in ordered] == [[3, 1], [[4, 5], [0, 1]], ["x", [1]]]
    assert np.shares_memory(taken(STATE, slice(1, 3))[0], STATE[0])


def test_groups_are_put_in_place() -> None:
    state = tuple(part.copy() for part in STATE)
    put(state, np.array([0, 1]), taken(STATE, [2, 2]))
    assert [part.tolist() for part in state] == [[3, 3, 3], [[4, 5]] * 3, ["x"] * 3]
    assert STATE[0].tolist() == [1, 2, 3]


def test_what_would_be_cut_off_is_not_put() -> None:
    words = "a state of float64 cannot be put into one of int64: an aggregate must give the same"
    with pytest.raises(TypeError, match=words):
        put((np.zeros(2, np.int64),), [0], (np.array([0.5]),))
    with pytest.raises(ValueError, match="zip"):
        put(taken(STATE, [0, 1, 2]), [0], taken(STATE, [0])[:1])


@pytest.mark.parametrize("aggregate", [agg.mean("v"), agg.last("v"), agg.distinct("v")], ids=repr)
def test_new_groups_have_the_identity(aggregate: Any) -> None:
    state = rows([1.0, 2.0], codes=[0, 1]).lifted(aggregate, 2)
    larger = grown(aggregate, state, 5)
    assert size(larger) == 5
    assert same(taken(larger, slice(0, 2)), state)
    assert same(taken(larger, slice(2, 5)), aggregate.identity(3))
    assert grown(aggregate, state, 2) is state
    with pytest.raises(ValueError, match="a state of 2 groups cannot grow to 1: use taken"):
        grown(aggregate, state, 1)


def test_states_follow_one_another() -> None:
    both = concatenated([STATE, taken(STATE, [0])])
    assert both[0].tolist() == [1, 2, 3, 1]
    assert both[2].tolist() == [[1], None, "x", [1]]
    with pytest.raises(ValueError, match="no states to put one after the other"):
        concatenated([])


def test_objects_are_kept_whole_whatever_they_are() -> None:
    items: list[Any] = [[1, 2], [3, 4], (5,), None, np.arange(2), "text", {}]
    array = cells(items)
    assert array.shape == (7,)
    assert all(one is other for one, other in zip(array, items, strict=True))
    assert cells([]).shape == (0,)
    assert cells([1, "a", None]).tolist() == [1, "a", None]


def test_a_snapshot_is_a_copy_of_plain_values() -> None:
    state = tuple(part.copy() for part in STATE)
    parts = plain(state)
    put(state, [0], taken(STATE, [1]))
    assert [parts[0].tolist(), parts[2]] == [[1, 2, 3], [[1], None, "x"]]
    assert same(restored(wire.loads(wire.dumps(parts))), STATE)


def test_what_is_no_state_is_refused() -> None:
    mean = agg.mean("v")
    parts = plain(mean.identity(2))
    assert same(restored(parts, mean), mean.identity(2))
    words = r"got a state of int64 \+ float64 for var\('v', ddof=0\), whose states are int64 \+ float64 \+"
    with pytest.raises(SchemaError, match=words):
        restored(parts, agg.var("v"))
    with pytest.raises(SchemaError, match=r"uint8\[4096\]: it belongs to another aggregate"):
        restored(plain(agg.distinct("v", 5).identity(1)), agg.distinct("v", 12))
    with pytest.raises(SchemaError, match=r"got parts of \[2, 1\] groups"):
        restored([np.zeros(2), [None]])
    with pytest.raises(SchemaError, match=r"got parts of \[\] groups"):
        restored([])
    with pytest.raises(SchemaError, match="got a int as part of a state"):
        restored([3])
