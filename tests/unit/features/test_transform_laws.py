"""The laws of every transform: emission before learning, and the same bits however the rows come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import SchemaError
from rxml.features import Transform
from tests.unit.features.streams import (
    KEYS,
    MAKERS,
    Stream,
    arguments,
    asked,
    bits,
    cuts,
    drawn,
    joined,
    streams,
)

every = pytest.mark.parametrize("kind", sorted(MAKERS))


def one_by_one(transform: Transform, stream: Stream) -> dict[str, Any]:
    """What each row is asked for as a request of its own; then it is learned."""
    made = [transform.transform(**asked(transform, stream.part(slice(0, 0))))]
    for row in range(len(stream)):
        one = stream.part(slice(row, row + 1))
        made.append(transform.transform(**asked(transform, one)))
        transform.learn(**arguments(transform, one))
    return joined(made)


@every
@settings(max_examples=6)
@given(stream=streams(), data=st.data())
def test_batches_of_any_size_make_the_bits_of_single_requests(
    kind: str, stream: Stream, data: st.DataObject
) -> None:
    single, whole, cut = MAKERS[kind](), MAKERS[kind](), MAKERS[kind]()
    with np.errstate(all="raise"):
        wanted = one_by_one(single, stream)
        assert bits(whole.learn_transform(**arguments(whole, stream))) == bits(wanted)
        parts: list[Any] = []
        for rows in data.draw(cuts(len(stream))):
            batch = stream.part(rows)
            parts.append(cut.learn_transform(**arguments(cut, batch)))
            restored = MAKERS[kind]()
            restored.restore(wire.loads(wire.dumps(cut.snapshot())))
            cut = restored
    assert bits(joined(parts)) == bits(wanted)
    assert bits(single.snapshot()) == bits(whole.snapshot()) == bits(cut.snapshot())


@every
def test_a_long_batch_of_one_key_makes_the_bits_of_single_requests(kind: str) -> None:
    stream = drawn(7, 400, keys=1)
    single, whole = MAKERS[kind](), MAKERS[kind]()
    wanted = one_by_one(single, stream)
    assert bits(whole.learn_transform(**arguments(whole, stream))) == bits(wanted)


@every
@settings(max_examples=6)
@given(stream=streams())
def test_asking_learns_nothing_and_gives_the_same_again(kind: str, stream: Stream) -> None:
    transform = MAKERS[kind]()
    transform.learn(**arguments(transform, stream))
    before = bits(transform.snapshot())
    first = transform.transform(**asked(transform, stream))
    second = transform.transform(**asked(transform, stream))
    assert bits(first) == bits(second)
    assert bits(transform.snapshot()) == before
    assert tuple(first) == transform.parts


@every
def test_no_row_knows_itself_or_what_comes_after(kind: str) -> None:
    stream = drawn(3, 60)
    changed = {**stream.data, "y": stream.data["y"].copy(), "share": stream.data["share"].copy()}
    changed["y"][40:], changed["share"][40:] = 1e6, 1.0
    left, right = MAKERS[kind](), MAKERS[kind]()
    wanted = left.learn_transform(**arguments(left, stream))
    got = right.learn_transform(**arguments(right, Stream(changed, stream.slots)))
    for part in wanted:
        assert bits(wanted[part][:41]) == bits(got[part][:41])


@every
def test_keys_that_are_added_start_from_nothing_and_leave_the_others(kind: str) -> None:
    stream = drawn(5, 50)
    grown, plain = MAKERS[kind](), MAKERS[kind]()
    for transform in (grown, plain):
        transform.learn(**arguments(transform, stream))
    grown.grow(KEYS + 4)
    old = grown.transform(**asked(grown, stream))
    assert bits(old) == bits(plain.transform(**asked(plain, stream)))
    new = Stream(stream.data, np.full(len(stream), KEYS + 3))
    assert len(grown.learn_transform(**arguments(grown, new))[grown.parts[0]]) == 50
    with pytest.raises(ValueError, match="cannot grow"):
        grown.grow(KEYS)


@every
def test_slots_that_are_forgotten_start_from_nothing_and_leave_the_others(kind: str) -> None:
    """As if their rows had never been; the sorts of categories that all slots share stay as they are."""
    stream, gone = drawn(6, 80), np.array([0, 3])
    left, right = MAKERS[kind](), MAKERS[kind]()
    left.learn(**arguments(left, stream))
    shared = kind.startswith(("onehot", "target"))
    others = slice(None) if shared else ~np.isin(stream.slots, gone)
    rows = Stream({name: x[others] for name, x in stream.data.items()}, stream.slots[others])
    right.learn(**arguments(right, rows))
    left.forget(gone)
    assert bits(left.snapshot()) == bits(right.snapshot())
    with pytest.raises(ValueError, match="counted from 0"):
        left.forget([KEYS])


@every
def test_what_does_not_fit_is_refused_before_anything_is_learned(kind: str) -> None:
    transform = MAKERS[kind]()
    stream = drawn(1, 4)
    before = bits(transform.snapshot())
    for slots, words in (
        (np.array([0, 1, 2, KEYS]), "grow"),
        (np.array([0, 1, 2, -1]), "counted from 0"),
        (np.array([0, 1]), "each of 4 rows"),
        (np.array([0.0, 1.0, 2.0, 3.0]), "whole number"),
    ):
        taken = {**arguments(transform, stream), "slots": slots}
        with pytest.raises(ValueError, match=words):
            transform.learn(**taken)
    for name in ("y", "time"):
        taken = arguments(transform, stream)
        if name in taken:
            with pytest.raises(ValueError, match="given"):
                transform.learn(**{**taken, name: None})
            with pytest.raises(ValueError, match="there are 4 rows"):
                transform.learn(**{**taken, name: taken[name][:2]})
    with pytest.raises(SchemaError):
        transform.learn(**{**arguments(transform, stream), "x": np.zeros((4, 2, 2))})
    assert bits(transform.snapshot()) == before


@every
def test_configs_are_plain_values_that_make_the_transform_again(kind: str) -> None:
    transform = MAKERS[kind]()
    assert isinstance(transform, Transform)
    assert wire.loads(wire.dumps(transform.config())) == transform.config()
    assert transform.config() == MAKERS[kind]().config()
