"""flat_map, concat_map and switch_map: which streams are open when."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from itertools import count, islice, repeat
from typing import Any

import pytest

from rxml.errors import PipelineError
from rxml.flow.adopt import adopt, adopted
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.testing import Probe, Sleep, run, scripted
from tests.unit.operators.loose import ops, rxml
from tests.unit.operators.streams import EACH, KINDS, MAPS, Inner
from tests.unit.operators.work import moments, outcome


@EACH
@pytest.mark.parametrize("kind", KINDS)
def test_a_function_may_give_any_kind_of_stream(name: str, kind: str) -> None:
    source = scripted(1, Sleep(1), 2, Sleep(1), 3, Sleep(1))
    assert run(source.pipe(MAPS[name](KINDS[kind])).to_list()) == [[1], [2], [3]]


@EACH
def test_what_is_no_stream_is_an_error_that_says_what_would_be(name: str) -> None:
    got, error = outcome(rxml.of(1).pipe(MAPS[name](lambda x: x)))
    assert got == []
    assert isinstance(error, TypeError)
    assert "but it gave a int" in str(error)


@EACH
def test_a_bridge_can_add_kinds_of_streams(name: str) -> None:
    class Foreign:
        pass

    adopt(Foreign, lambda _: rxml.of("a", "b"))
    assert run(rxml.of(1).pipe(MAPS[name](lambda _: Foreign())).to_list()) == ["a", "b"]
    assert adopted(3) is None


@pytest.mark.parametrize("name", ["flat_map", "concat_map"])
def test_what_is_no_function_is_taken_for_each_element(name: str) -> None:
    assert run(rxml.of(1, 2).pipe(MAPS[name](rxml.of("a", "b"))).to_list()) == ["a", "b"] * 2
    assert run(rxml.of(1, 2).pipe(MAPS[name]([7])).to_list()) == [7, 7]


def test_so_many_streams_are_open_at_once() -> None:
    inner = Inner()
    flow = rxml.range(9).pipe(ops.flat_map(inner, concurrency=3))
    assert sorted(run(flow.to_list())) == [(x, n) for x in range(9) for n in range(2)]
    assert inner.most == 3
    assert inner.open == []


def test_no_element_is_taken_for_which_no_stream_may_be_opened() -> None:
    source = scripted(Chunk([1, 2, 3]), forever=True)

    async def main() -> None:
        flow = source.pipe(ops.flat_map(Inner(seconds=1e6), concurrency=3))
        async with Probe(flow) as probe:
            await probe.expect_nothing(10)
            assert source.timeline.elements("source") == 3

    run(main())


@pytest.mark.parametrize("kind", ["iterables", "flows"])
def test_endless_streams_take_turns(kind: str) -> None:
    def stream(key: str) -> Any:
        return repeat(key) if kind == "iterables" else rxml.repeat_value(key)

    async def main() -> list[str]:
        got: list[str] = []
        async with rxml.of("a", "b", "c").pipe(ops.flat_map(stream)).open() as subscription:
            while len(got) < 3000:
                got.extend((await subscription.request(100)).elements)
        return got

    got = run(main())
    shares = [got[2000:].count(key) for key in "abc"]
    assert max(shares) - min(shares) <= 100


def test_the_next_stream_is_opened_when_the_one_before_has_ended() -> None:
    inner = Inner()
    assert run(rxml.range(3).pipe(ops.concat_map(inner)).to_list()) == [
        (x, n) for x in range(3) for n in range(2)
    ]
    assert inner.log == ["+0", "-0", "+1", "-1", "+2", "-2"]


def test_concat_map_asks_for_one_element_at_a_time() -> None:
    source = scripted(1, 2, 3)

    async def main() -> None:
        async with Probe(source.pipe(ops.concat_map(lambda x: [x, x]))) as probe:
            await probe.expect(1, 1, 2)
            assert source.timeline.elements("source") == 2

    run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_is_given_up_loses_nothing(kind: str) -> None:
    async def main() -> list[Any]:
        got: list[Any] = []
        async with rxml.range(5).pipe(ops.concat_map(KINDS[kind])).open() as subscription:
            for turns in islice(count(), 1000):
                request = asyncio.ensure_future(subscription.request(1))
                for _ in range(turns % 7):
                    await asyncio.sleep(0)
                request.cancel()
                try:
                    chunk = await request
                except asyncio.CancelledError:
                    continue
                if chunk.end:
                    return got
                got.extend(chunk.elements)
        return got

    assert run(main()) == [[x] for x in range(5)]


def test_the_newest_stream_wins_and_the_one_before_is_closed_first() -> None:
    inner = Inner(seconds=1, results=3)
    source = scripted(1, Sleep(2.5), 2, Sleep(0.5), 3)
    got = run(moments(source.pipe(ops.switch_map(inner))))
    assert got == [(1, (1, 0)), (2, (1, 1)), (4, (3, 0)), (5, (3, 1)), (6, (3, 2))]
    assert inner.log == ["+1", "-1", "+2", "-2", "+3", "-3"]


def test_of_elements_that_are_there_together_only_the_last_is_followed() -> None:
    assert run(rxml.of(1, 2, 3).pipe(ops.switch_map(lambda x: rxml.of(x, -x))).to_list()) == [3, -3]
    assert run(rxml.of(rxml.of(1), rxml.of(2)).pipe(ops.switch_map()).to_list()) == [2]


def test_an_element_without_results_ends_as_dropped() -> None:
    settled: list[tuple[int, Outcome]] = []

    def context(x: int) -> Context:
        return Context(settle=lambda outcome: settled.append((x, outcome)))

    source = scripted(Chunk([1, 2, 3], [context(x) for x in (1, 2, 3)]))
    run(source.pipe(ops.switch_map(rxml.of)).run())
    assert settled == [(1, Outcome.DROPPED), (2, Outcome.DROPPED)]
    for each in (ops.flat_map, ops.concat_map):
        settled.clear()
        run(source.pipe(each(lambda x: [] if x == 2 else [x])).run())
        assert settled == [(2, Outcome.DROPPED)]


@EACH
def test_results_have_the_context_of_their_element(name: str) -> None:
    source = scripted(1, Sleep(5), 2, contexts=True)

    async def main() -> list[tuple[Any, str | None]]:
        seen: list[tuple[Any, str | None]] = []
        async with source.pipe(MAPS[name](lambda x: rxml.of(x, -x))).chunks(1) as chunks:
            async for chunk in chunks:
                assert chunk.contexts is not None
                seen += zip(chunk.elements, [c.fact_id for c in chunk.contexts], strict=True)
        return seen

    assert run(main()) == [(1, "0"), (-1, "0"), (2, "1"), (-2, "1")]


@pytest.mark.parametrize("concurrency", [0, -1, 1.5])
def test_a_bound_below_one_is_refused(concurrency: Any) -> None:
    with pytest.raises((ValueError, PipelineError), match="wants an int >= 1"):
        ops.flat_map(list, concurrency=concurrency)


def test_switch_map_wants_a_function() -> None:
    with pytest.raises(PipelineError, match="switch_map wants a function"):
        ops.switch_map(3)
