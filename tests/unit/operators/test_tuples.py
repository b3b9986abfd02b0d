"""zip and its like: which elements meet, when it is over, and what travels along."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import Any

import hypothesis.strategies as st
import pytest
import reactivex
import reactivex.operators
from hypothesis import given

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.testing import Barrier, Kind, Never, Probe, Sleep, Watermark, run, scripted
from rxml.testing.comparing import same
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.work import moments, outcome

VALUES = st.one_of(
    st.integers(-2, 2), st.none(), st.just(float("nan")), st.lists(st.none(), max_size=1)
)
LISTS = st.lists(st.lists(VALUES, max_size=6), min_size=1, max_size=3)
NAMES = ["zip", "zip_latest", "combine_latest", "with_latest_from", "fork_join"]


def context(x: Any, settled: list[Any]) -> Context:
    return Context(fact_id=str(x), settle=lambda outcome: settled.append((x, outcome)))


def known(*elements: Any, settled: list[Any]) -> Chunk[Any]:
    return Chunk(list(elements), [context(x, settled) for x in elements])


async def marked(flow: Any) -> list[Any]:
    """Elements and signals, in order."""
    seen: list[Any] = []
    async with flow.chunks(1) as chunks:
        async for chunk in chunks:
            seen += [*chunk.elements, *(f"{k}{v}" for k, v in chunk.signals().items())]
    return seen


@pytest.mark.parametrize("name", [*NAMES, "merge", "concat"])
@given(LISTS)
def test_over_lists_the_result_is_that_of_reactivex(name: str, lists: list[list[Any]]) -> None:
    """There each list is pushed as a whole, the first one first; here it is one chunk: the results are the same."""
    theirs: list[Any] = []
    getattr(reactivex, name)(*map(reactivex.from_iterable, lists)).subscribe(theirs.append)
    ours = run(getattr(rxml, name)(*map(rxml.from_iterable, lists)).to_list())
    if name == "combine_latest" and not all(lists):
        assert ours == theirs == []
    else:
        assert same(ours, theirs)


@given(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4))
def test_of_two_lists_amb_follows_the_one_that_reactivex_does(a: list[Any], b: list[Any]) -> None:
    theirs: list[Any] = []
    other = reactivex.operators.amb(reactivex.from_iterable(b))
    reactivex.from_iterable(a).pipe(other).subscribe(theirs.append)
    assert same(run(rxml.from_iterable(a).pipe(ops.amb(rxml.from_iterable(b))).to_list()), theirs)


def failing(elements: list[Any]) -> Any:
    return rxml.concat(rxml.from_iterable(elements), rxml.throw(ValueError("x")))


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4))
def test_an_error_comes_after_the_tuples_that_were_complete(
    name: str, a: list[Any], b: list[Any]
) -> None:
    expected = run(getattr(rxml, name)(rxml.from_iterable(a), rxml.from_iterable(b)).to_list())
    got, error = outcome(getattr(rxml, name)(rxml.from_iterable(a), failing(b)))
    if name == "zip":
        assert same(got, expected)
        assert (error is not None) == (len(a) > len(b))
    if name == "with_latest_from":
        assert len(got) <= len(a)
    if name == "fork_join" and a:
        assert (got, str(error)) == ([], "x")


# --- zip --------------------------------------------------------------------------------------


@given(st.integers(0, 8), st.integers(0, 8), st.integers(1, 4), st.integers(0, 9))
def test_zip_is_as_long_as_the_shortest_for_any_demand(a: int, b: int, n: int, seed: int) -> None:
    async def main() -> list[Any]:
        got: list[Any] = []
        async with rxml.zip(scripted(*range(a)), rxml.range(b)).chunks(n) as chunks:
            async for chunk in chunks:
                got.extend(chunk.elements)
        return got

    assert run(main(), seed=seed) == list(zip(range(a), range(b), strict=False))


@pytest.mark.parametrize("longer", [scripted(1, 2, 3, Never()), scripted(1, Sleep(1), 2, Never())])
def test_zip_closes_the_longer_side_as_soon_as_nothing_is_left_to_pair(longer: Any) -> None:
    async def main() -> None:
        async with Probe(rxml.zip(rxml.of("a"), longer)) as probe:
            await probe.expect(("a", 1))
            await probe.expect_end()
            assert longer.timeline.count("source", Kind.RELEASED) == 1

    run(main())


def test_zip_waits_for_what_was_given_before_an_end() -> None:
    short = scripted("a", "b")
    slow = scripted(Sleep(1), 1, Sleep(1), 2, Sleep(1), 3)
    assert run(moments(rxml.zip(short, slow))) == [(1, ("a", 1)), (2, ("b", 2))]


def test_zip_holds_no_more_of_a_flow_than_was_asked_for() -> None:
    fast, slow = scripted(Chunk(list(range(9))), forever=True), scripted(1, Never())

    async def main() -> None:
        async with Probe(rxml.zip(fast, slow)) as probe:
            await probe.expect((0, 1))
            asking = asyncio.ensure_future(probe.request(5))
            await asyncio.sleep(100)
            assert fast.timeline.elements("source") - 1 == 5
            asking.cancel()
            await asyncio.wait([asking])

    run(main())


def test_zip_joins_contexts_so_that_each_part_is_settled_once() -> None:
    settled: list[Any] = []
    a, b = scripted(known(1, 2, settled=settled)), scripted(known("x", "y", settled=settled))

    async def main() -> None:
        async with rxml.zip(a, b, rxml.of(0, 0)).open() as subscription:
            chunk = await subscription.request(9)
            assert chunk.contexts is not None
            assert [c.fact_id for c in chunk.contexts] == ["1", "2"]
            chunk.contexts[1].settled(Outcome.ANSWERED)

    run(main())
    assert settled == [(2, Outcome.ANSWERED), ("y", Outcome.ANSWERED)]


def test_joined_contexts_are_as_urgent_as_the_most_urgent_part() -> None:
    a = scripted(Chunk([1], [Context(fact_id="a", trace="t", deadline=9.0, priority=1)]))
    b = scripted(Chunk([2], [Context(fact_id="b", deadline=3.0, priority=5)]))

    async def main() -> Any:
        async with rxml.zip(a, b).open() as subscription:
            return (await subscription.request(1)).contexts

    (made,) = run(main())
    assert (made.fact_id, made.trace, made.deadline, made.priority) == ("a", "t", 3.0, 5)


def test_a_watermark_of_zip_waits_for_the_elements_that_it_came_behind() -> None:
    a = scripted(Chunk([1, 2, 3]), Watermark(30))
    b = scripted("x", Watermark(10), Sleep(1), "y", Watermark(20), Sleep(1), "z", Watermark(40))
    got = run(marked(rxml.zip(a, b)))
    assert got == [(1, "x"), (2, "y"), (3, "z"), "watermark30", "watermark40"]


def test_barriers_of_zip_pass_even_if_they_stand_in_different_places() -> None:
    a = scripted(1, Barrier(1), Chunk([2, 3]))
    b = scripted(Chunk(["x", "y"]), Barrier(1), "z")
    got = run(marked(rxml.zip(a, b)))
    assert [x for x in got if x != "barrier1"] == [(1, "x"), (2, "y"), (3, "z")]
    assert got.count("barrier1") == 1


# --- the newest elements ----------------------------------------------------------------------


def test_combine_latest_gives_a_tuple_for_each_element_once_all_have_one() -> None:
    a = scripted(1, Sleep(2), 2, Sleep(2), 3)
    b = scripted(Sleep(1), "x", Sleep(2), "y")
    assert run(moments(rxml.combine_latest(a, b))) == [
        (1, (1, "x")),
        (2, (2, "x")),
        (3, (2, "y")),
        (4, (3, "y")),
    ]


def test_combine_latest_is_over_as_soon_as_no_tuple_can_come() -> None:
    other = scripted(1, Sleep(1), 2, Never())

    async def main() -> float:
        flow = rxml.combine_latest(other, scripted(Sleep(5)))
        assert await flow.to_list() == []
        return asyncio.get_running_loop().time()

    assert run(main()) == 5
    assert other.timeline.count("source", Kind.RELEASED) == 1


def test_zip_latest_uses_each_element_once() -> None:
    a = scripted(1, Sleep(1), 2, Sleep(3), 3, Sleep(1), 4)
    b = scripted(Sleep(2), "x", Sleep(1), "y")
    assert run(moments(rxml.zip_latest(a, b))) == [(2, (2, "x")), (4, (3, "y"))]


def test_with_latest_from_leaves_out_what_comes_before_the_others_have_an_element() -> None:
    a = scripted(1, Sleep(2), 2, Sleep(2), 3, Sleep(5))
    b = scripted(Sleep(1), "x", Sleep(2), "y")
    assert run(moments(a.pipe(ops.with_latest_from(b)))) == [(2, (2, "x")), (4, (3, "y"))]


def test_with_latest_from_ends_with_the_first_flow_and_not_with_another() -> None:
    assert run(rxml.timer(1).pipe(ops.with_latest_from(rxml.of("x"))).to_list()) == [(0, "x")]
    endless = scripted("x", Never())
    assert run(rxml.timer(1).pipe(ops.with_latest_from(endless)).to_list()) == [(0, "x")]
    assert endless.timeline.count("source", Kind.RELEASED) == 1


def test_signals_of_with_latest_from_are_those_of_the_first_flow() -> None:
    a = scripted(Sleep(1), 1, Watermark(5), Barrier(1), 2)
    b = scripted("x", Watermark(2), Barrier(7))
    got = run(marked(a.pipe(ops.with_latest_from(b))))
    assert got == [(1, "x"), "watermark5", "barrier1", (2, "x")]


@pytest.mark.parametrize("name", ["zip_latest", "combine_latest", "with_latest_from", "fork_join"])
def test_an_element_that_comes_to_nothing_ends_as_dropped(name: str) -> None:
    settled: list[Any] = []
    a = scripted(known(1, 2, settled=settled), Sleep(2), known(3, settled=settled))
    b = scripted(Sleep(1), known("x", settled=settled))
    run(getattr(rxml, name)(a, b).run())
    lost = {
        "zip_latest": [1],
        "combine_latest": [1, 2],
        "with_latest_from": [1, 2, "x"],
        "fork_join": [1, 2],
    }
    assert [x for x, outcome in settled if outcome is Outcome.DROPPED] == lost[name]


@pytest.mark.parametrize("name", ["zip_latest", "combine_latest", "with_latest_from"])
def test_nothing_is_read_while_the_reader_does_not_ask(name: str) -> None:
    sources = [scripted(Chunk(list(range(9))), forever=True) for _ in range(2)]

    async def main() -> None:
        async with Probe(getattr(rxml, name)(*sources)) as probe:
            await probe.request(6)
            await asyncio.sleep(1)
            before = [source.timeline.elements("source") for source in sources]
            await asyncio.sleep(100)
            assert [source.timeline.elements("source") for source in sources] == before
            assert max(before) <= 64

    run(main())


@pytest.mark.parametrize("name", ["zip_latest", "combine_latest", "with_latest_from", "fork_join"])
def test_a_flow_that_is_always_ready_does_not_keep_others_from_their_turn(name: str) -> None:
    async def main() -> int:
        turns = 0
        flow = getattr(rxml, name)(rxml.repeat_value(1), rxml.never())
        task = asyncio.ensure_future(flow.run())
        for _ in range(50):
            await asyncio.sleep(0)
            turns += 1
        task.cancel()
        await asyncio.wait([task])
        return turns

    assert run(main()) == 50
