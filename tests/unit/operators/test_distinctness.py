"""distinct: what is remembered, and for how long."""

from __future__ import annotations

import time
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.testing import run
from rxml.testing.comparing import same

SETS = st.one_of(
    st.frozensets(st.integers(0, 1), max_size=1),
    st.sets(st.integers(0, 1), max_size=1),
    st.sampled_from([b"a", bytearray(b"a"), "a", 1, 1.0, True, float("nan"), None]),
)


def distinct(elements: list[Any], max_keys: int) -> list[Any]:
    return run(rxml.from_iterable(elements).pipe(ops.distinct(max_keys=max_keys)).to_list())


@given(st.lists(SETS, max_size=12), st.integers(1, 4))
def test_looking_up_and_comparing_say_the_same(elements: list[Any], most: int) -> None:
    """A set equals a frozenset, bytes a bytearray: one of each can be looked up, the other cannot."""
    known: list[Any] = []
    wanted: list[Any] = []
    for element in elements:
        if not any(old == element for old in known):
            wanted.append(element)
            known = [*known, *([element] if element == element else [])][-most:]  # noqa: PLR0124 - NaN
    assert same(distinct(elements, most), wanted)


def test_the_oldest_key_is_forgotten_first_and_is_new_again() -> None:
    assert distinct([1, 2, 1, 3, 1], 2) == [1, 2, 3, 1]
    assert distinct([[1], 2, [1], 3, [1]], 2) == [[1], 2, 3, [1]]


def test_one_more_key_costs_the_same_however_many_are_remembered() -> None:
    began = time.perf_counter()
    flow = rxml.range(200_000).pipe(ops.distinct(max_keys=50_000), ops.count())
    assert run(flow.to_list()) == [200_000]
    assert time.perf_counter() - began < 10
