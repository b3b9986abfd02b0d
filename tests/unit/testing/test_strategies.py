"""Strategies: what they draw is what they say, and all of it is drawn."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import find, given, settings

from rxml import Chunk
from rxml.testing import Flow, Probe, chunkings, faults, flows, run, scripted
from rxml.testing.strategies import cut, delayed, pauses

INTS = st.lists(st.integers(), max_size=12)


def chunks_of(steps: list[Any]) -> list[Chunk[Any]]:
    return [step for step in steps if isinstance(step, Chunk)]


def elements_of(steps: list[Any]) -> list[Any]:
    return [item for chunk in chunks_of(steps) for item in chunk.elements]


@given(INTS.flatmap(lambda xs: st.tuples(st.just(xs), chunkings(xs))))
def test_a_chunking_keeps_all_elements_in_order(drawn: tuple[list[int], list[Any]]) -> None:
    elements, steps = drawn
    assert elements_of(steps) == elements


@given(INTS.flatmap(lambda xs: st.tuples(st.just(xs), chunkings(xs).flatmap(pauses))))
def test_pauses_change_no_element(drawn: tuple[list[int], list[Any]]) -> None:
    elements, steps = drawn
    assert elements_of(steps) == elements


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ([], [[1, 2, 3]]),
        ([1, 1, 1], [[1], [2], [3]]),
        ([2], [[1, 2], [3]]),
        ([1, 3, 3], [[1], [2, 3]]),
    ],
)
def test_sizes_cut_a_list(sizes: list[int], shown: list[list[int]]) -> None:
    steps = cut([1, 2, 3], sizes)
    assert [list(step.elements) for step in steps if isinstance(step, Chunk)] == shown


def one_by_one(steps: list[Any]) -> bool:
    return [len(chunk) for chunk in chunks_of(steps)] == [1, 1, 1]


def test_whole_and_single_chunks_heartbeats_and_empty_lists_are_all_drawn() -> None:
    xs = [1, 2, 3]
    quick = settings(max_examples=500, database=None, derandomize=True)
    find(chunkings(xs), lambda steps: len(steps) == 1, settings=quick)
    find(chunkings(xs), one_by_one, settings=quick)
    find(chunkings(xs), lambda steps: not isinstance(steps[0], Chunk), settings=quick)
    assert find(chunkings([]), lambda steps: True, settings=quick) == []
    found = find(chunkings(xs, heartbeats=False), lambda steps: True, settings=quick)
    assert [type(step) for step in found] == [Chunk]


def test_waits_come_before_the_steps_and_behind_the_last() -> None:
    steps = delayed([Chunk([1])], [None, 1.0])
    assert [type(step).__name__ for step in steps] == ["Chunk", "Sleep"]


@settings(max_examples=150)
@given(flows(st.integers()))
def test_a_flow_gives_what_it_says(drawn: Flow) -> None:
    async def main() -> tuple[list[Any], Exception | None]:
        async with Probe(drawn.flow) as probe:
            try:
                while not (await probe.request(3)).end:
                    pass
            except Exception as error:  # noqa: BLE001 - whatever was drawn
                return probe.elements, error
            return probe.elements, None

    elements, error = run(main())
    assert elements == drawn.elements
    assert error is drawn.error


@pytest.mark.parametrize(
    "form", ["of", "from_iterable", "from_async_iterable", "prefetched", "scripted"]
)
def test_flows_of_every_form_are_drawn(form: str) -> None:
    quick = settings(max_examples=300, database=None, derandomize=True)
    drawn = find(flows(st.just(1)), lambda flow: flow.form == form, settings=quick)
    assert repr(drawn).startswith(f"<{form} of [")


@given(faults())
def test_a_fault_comes_out_of_a_flow_as_it_is(fault: Exception) -> None:
    from rxml.testing import Fail

    async def main() -> Exception:
        async with Probe(scripted(Fail(fault))) as probe:
            return await probe.expect_error()

    assert run(main()) is fault
