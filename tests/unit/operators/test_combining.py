"""merge, concat and amb: order, turns, demand, and what one flow's end or failure does to the others."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.errors import PipelineError
from rxml.flow.chunk import Chunk
from rxml.testing import Barrier, Kind, Never, Probe, Sleep, Watermark, run, scripted
from tests.unit.operators.loose import ops, reactivex, rxml
from tests.unit.operators.work import impatient, moments, outcome

ALL = [
    "merge",
    "concat",
    "amb",
    "zip",
    "zip_latest",
    "combine_latest",
    "with_latest_from",
    "fork_join",
]
EACH = pytest.mark.parametrize("name", ALL)
SEEDS = st.integers(0, 9)


def combined(name: str, first: Any, *others: Any, form: str = "operator") -> Any:
    """The combination, in one of its two forms."""
    if form == "creation":
        return getattr(rxml, name)(first, *others)
    return first.pipe(getattr(ops, name)(*others))


async def marked(flow: Any) -> list[Any]:
    """Elements and signals, in order."""
    seen: list[Any] = []
    async with flow.chunks(1) as chunks:
        async for chunk in chunks:
            seen += [*chunk.elements, *(f"{k}{v}" for k, v in chunk.signals().items())]
    return seen


def released(*sources: Any) -> list[tuple[int, int]]:
    """How often each was opened and released."""
    return [
        (s.timeline.count("source", Kind.OPENED), s.timeline.count("source", Kind.RELEASED))
        for s in sources
    ]


@EACH
def test_the_operator_is_the_creation_function_with_the_flow_in_front(name: str) -> None:
    a, b = scripted(1, 2, 3), scripted("a", "b")
    assert run(combined(name, a, b).to_list()) == run(
        combined(name, a, b, form="creation").to_list()
    )


@EACH
def test_observables_can_be_combined_too(name: str) -> None:
    ours = combined(name, rxml.of(1, 2), rxml.of(3, 4))
    theirs = combined(name, rxml.of(1, 2), reactivex.of(3, 4))
    assert run(theirs.to_list()) == run(ours.to_list())


@EACH
def test_only_flows_can_be_combined(name: str) -> None:
    with pytest.raises(
        PipelineError, match=f"{name} wants flows, but input 1 is a list; use rxml.from_iter"
    ):
        getattr(rxml, name)(rxml.of(1), [2])
    with pytest.raises(PipelineError, match=f"{name} wants flows, but input 0 is a list"):
        getattr(ops, name)([2])
    with pytest.raises(PipelineError, match=f"{name} wants a Flowable"):
        getattr(ops, name)(rxml.of(1))([2])


@EACH
def test_nothing_is_asked_before_the_first_request_and_all_is_released_without_one(
    name: str,
) -> None:
    sources = scripted(1), scripted(2)

    async def main() -> None:
        async with combined(name, *sources).open():
            await asyncio.sleep(10)

    run(main())
    assert released(*sources) == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("name", "failing"),
    [
        (name, failing)
        for name in ALL
        for failing in (0, 1)
        if name != "amb" and (name, failing) != ("concat", 1)
    ],
)
@given(seed=SEEDS)
def test_when_one_fails_the_others_are_closed_before_that_is_seen(
    name: str, failing: int, seed: int
) -> None:
    error = ValueError("x")
    sources: list[Any] = [
        scripted(1, Sleep(1), 2, Never(), release_seconds=3),
        scripted(3, Sleep(1), 4, Never(), release_seconds=3),
    ]
    bad = rxml.concat(rxml.timer(5).pipe(ops.ignore_elements()), rxml.throw(error))
    sources[failing] = rxml.merge(sources[failing], bad)

    async def main() -> None:
        with pytest.raises(ValueError, match="x") as caught:
            await combined(name, *sources).run()
        assert caught.value is error

    run(main(), seed=seed)
    assert released(*(source for source in sources if hasattr(source, "timeline"))) in (
        [(1, 1)],
        [(0, 0)],
    )


@EACH
@given(st.integers(0, 30), SEEDS)
def test_it_can_be_cancelled_at_every_turn(name: str, turns: int, seed: int) -> None:
    sources = [
        scripted(Chunk([1, 2]), Sleep(0), 3, Sleep(0), Chunk([4, 5]), Sleep(0)) for _ in range(3)
    ]

    async def main() -> None:
        flow = combined(name, *sources[: 2 if name == "amb" else 3])
        task = asyncio.ensure_future(flow.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    run(main(), seed=seed)
    assert all(opened == closed for opened, closed in released(*sources))


@EACH
@given(st.lists(st.integers(0, 1), max_size=40), SEEDS)
def test_a_request_that_is_given_up_loses_nothing(name: str, waits: list[int], seed: int) -> None:
    def flow() -> Any:
        parts = [scripted(*(Chunk([i, -i]) for i in range(6)), Sleep(0)) for _ in range(2)]
        return combined(name, *parts)

    got = run(impatient(flow(), waits), seed=seed)
    numbers = [x for i in range(6) for x in (i, -i)]
    if name in {"merge", "concat", "amb"}:
        twice = 1 if name == "amb" else 2
        assert sorted(got) == sorted(numbers * twice)
        assert name == "merge" or got == numbers * twice
    elif name == "zip":
        assert got == [(x, x) for x in numbers]
    elif name != "with_latest_from":
        assert got[-1] == (-5, -5)


# --- merge ------------------------------------------------------------------------------------


@given(
    st.lists(st.lists(st.integers(), max_size=6), min_size=1, max_size=4), st.integers(1, 5), SEEDS
)
def test_merge_keeps_the_order_of_each_and_loses_nothing(parts: Any, n: int, seed: int) -> None:
    flows = [rxml.from_iterable([(i, x) for x in part]) for i, part in enumerate(parts)]

    async def main() -> list[Any]:
        got: list[Any] = []
        async with rxml.merge(*flows).chunks(n) as chunks:
            async for chunk in chunks:
                got.extend(chunk.elements)
        return got

    got = run(main(), seed=seed)
    assert len(got) == sum(map(len, parts))
    for i, part in enumerate(parts):
        assert [x for j, x in got if j == i] == part


@pytest.mark.parametrize("n", [1, 7, 100, 2**62])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_flows_that_are_always_ready_take_turns(n: int, count: int) -> None:
    async def main() -> list[int]:
        got: list[int] = []
        flow = rxml.merge(*(rxml.repeat_value(i) for i in range(count)))
        async with flow.open() as subscription:
            while len(got) < 20_000 // (100 if n < 10 else 1):
                got.extend((await subscription.request(n)).elements)
        return got

    got = run(main())
    bound = max(1, min(n, 1024) // count)
    seen = [0] * count
    for x in got:
        seen[x] += 1
        assert max(seen) - min(seen) <= 2 * bound


def test_merge_gives_elements_when_they_come() -> None:
    a = scripted(Sleep(1), 1, Sleep(2), 3)
    b = scripted(Sleep(2), 2, Sleep(2), 4)
    assert run(moments(rxml.merge(a, b))) == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_flow_that_never_ends_keeps_a_merge_open() -> None:
    async def main() -> None:
        async with Probe(rxml.merge(rxml.of(1), rxml.never())) as probe:
            await probe.expect(1)
            await probe.expect_nothing(1000)

    run(main())


def test_a_reader_that_stops_stops_all_flows() -> None:
    sources = [scripted(Chunk(list(range(10))), forever=True) for _ in range(4)]

    async def main() -> None:
        async with Probe(rxml.merge(*sources)) as probe:
            taken = len(await probe.request(100))
            await asyncio.sleep(100)
            pulled = [source.timeline.elements("source") for source in sources]
            assert sum(pulled) - taken <= 100
            assert max(pulled) <= 25

    run(main())


def test_many_flows_are_merged_by_so_many_tasks() -> None:
    async def main() -> tuple[int, int]:
        flow = rxml.merge(*(rxml.timer(5) for _ in range(50)))
        async with flow.start() as started:
            await asyncio.sleep(1)
            most = len(asyncio.all_tasks())
            await started.wait()
        return most, len(asyncio.all_tasks())

    most, left = run(main())
    assert most <= 50 + 3
    assert left == 1


def test_the_watermark_of_a_merge_is_the_least_of_those_that_have_not_ended() -> None:
    a = scripted(1, Watermark(5), Sleep(2), Watermark(9), Sleep(2))
    b = scripted(Sleep(1), Watermark(3), Sleep(2), Watermark(7), 2)

    async def main() -> list[Any]:
        loop, seen = asyncio.get_running_loop(), list[Any]()
        async with rxml.merge(a, b).chunks(9) as chunks:
            async for chunk in chunks:
                seen += [(loop.time(), *chunk.elements, *chunk.signals().values())]
        return seen

    assert run(main()) == [(0, 1), (1, 3), (3, 7), (3, 2), (3, 9)]


def test_a_barrier_passes_a_merge_when_all_have_come_to_it_and_none_runs_ahead() -> None:
    a = scripted(1, Barrier(1), 2, Barrier(2), 3)
    b = scripted(Sleep(1), 10, Barrier(1), Sleep(1), 20, Barrier(2), 30)
    got = run(marked(rxml.merge(a, b)))
    first, second = got.index("barrier1"), got.index("barrier2")
    assert set(got[:first]) == {1, 10}
    assert set(got[first + 1 : second]) == {2, 20}
    assert set(got[second + 1 :]) == {3, 30}


def test_a_flow_that_has_ended_holds_no_barrier_back() -> None:
    assert run(marked(rxml.merge(rxml.of(1), scripted(Sleep(1), Barrier(1), 2)))) == [
        1,
        "barrier1",
        2,
    ]


def test_elements_that_are_flows_are_merged_so_many_at_a_time() -> None:
    source = scripted(*(rxml.timer(i).pipe(ops.map(lambda _, i=i: i)) for i in (3, 2, 1)))
    assert run(moments(source.pipe(ops.merge(max_concurrent=2)))) == [(2, 2), (3, 3), (3, 1)]
    with pytest.raises(ValueError, match="give no other flows"):
        ops.merge(rxml.of(1), max_concurrent=2)
    with pytest.raises(ValueError, match="wants an int >= 1, got 0"):
        ops.merge(max_concurrent=0)


# --- concat and amb ---------------------------------------------------------------------------


def test_concat_opens_a_flow_when_the_one_before_has_been_released() -> None:
    log: list[str] = []

    def part(name: str) -> Any:
        def opened() -> Any:
            log.append(f"+{name}")
            return rxml.of(name).pipe(ops.finally_action(lambda: log.append(f"-{name}")))

        return rxml.defer(lambda _: opened())

    assert run(rxml.concat(part("a"), part("b")).to_list()) == ["a", "b"]
    assert log == ["+a", "-a", "+b", "-b"]
    log.clear()
    assert run(rxml.concat(part("a"), part("b")).pipe(ops.take(1)).to_list()) == ["a"]
    assert log == ["+a", "-a"]


def test_concat_lets_no_watermark_go_back() -> None:
    a = scripted(1, Watermark(5))
    b = scripted(2, Watermark(3), Barrier(1), 3, Watermark(5), 4, Watermark(6))
    got = run(marked(rxml.concat(a, b)))
    assert got == [1, "watermark5", 2, "barrier1", 3, 4, "watermark6"]


def test_no_flow_at_all() -> None:
    assert run(rxml.merge().to_list()) == []
    assert run(rxml.concat().to_list()) == []
    for name in ("zip", "zip_latest", "combine_latest", "with_latest_from", "fork_join"):
        with pytest.raises(ValueError, match="at least one flow"):
            getattr(rxml, name)()

    async def main() -> None:
        async with Probe(rxml.amb()) as probe:
            await probe.expect_nothing(100)

    run(main())


@pytest.mark.parametrize("answer", ["element", "end", "error"])
def test_amb_follows_the_first_answer_once_the_others_are_closed(answer: str) -> None:
    loser = scripted(Sleep(2), 1, Never(), release_seconds=3)
    steps = {
        "element": scripted(Sleep(1), 7, Sleep(5), 8),
        "end": scripted(Sleep(1)),
        "error": rxml.concat(scripted(Sleep(1)), rxml.throw(ValueError("x"))),
    }
    got, error = outcome(loser.pipe(ops.amb(steps[answer])))
    assert got == ([7, 8] if answer == "element" else [])
    assert (error is not None) == (answer == "error")
    assert released(loser) == [(1, 1)]


def test_a_signal_is_no_answer_for_amb() -> None:
    a = scripted(Watermark(1), Sleep(5), 1)
    b = scripted(Sleep(1), Watermark(2), Sleep(1), 2, Watermark(3))
    assert run(marked(rxml.amb(a, b))) == ["watermark2", 2, "watermark3"]


def test_of_flows_that_are_ready_together_amb_takes_the_first_and_then_asks_only_for_what_is_wanted() -> (
    None
):
    left, right = scripted(1, 2, 3), scripted(4)

    async def main() -> None:
        async with Probe(rxml.amb(left, right)) as probe:
            await probe.expect(1, 2)
            assert left.timeline.elements("source") == 2
            assert right.timeline.elements("source") <= 1

    run(main())


def test_an_error_of_a_loser_is_nobodys() -> None:
    bad = rxml.concat(rxml.timer(2), rxml.throw(ValueError("x")))
    good = rxml.timer(1).pipe(ops.delay(0))
    assert run(rxml.amb(bad, good).to_list()) == [0]
