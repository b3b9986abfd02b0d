"""group_by and partition: bounded, hot, and never silently stuck."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rxml.errors import BufferOverflowError, PipelineError, StreamClosedError
from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import supervised
from rxml.flow.supervision import Directive, Supervisor
from rxml.testing import Kind, Probe, Sleep, Watermark, run, scripted
from tests.unit.operators.loose import ops, reactivex, rx, rxml
from tests.unit.operators.work import impatient, outcome

SEEDS = st.integers(0, 9)
KEYED = ops.flat_map(lambda group: group.pipe(ops.map(lambda x: (group.key, x))))


def third(x: int) -> int:
    return x % 3


def released(source: Any) -> bool:
    return bool(source.timeline.count("source", Kind.RELEASED) == 1)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 4), st.integers(1, 5), SEEDS)
def test_groups_together_are_the_flow_and_keep_their_order(
    elements: list[int], capacity: int, n: int, seed: int
) -> None:
    async def main() -> dict[int, list[int]]:
        groups: dict[int, list[int]] = defaultdict(list)
        flow = rxml.from_iterable(elements).pipe(ops.group_by(third, capacity=capacity), KEYED)
        async with flow.chunks(n) as chunks:
            async for chunk in chunks:
                for key, x in chunk.elements:
                    groups[key].append(x)
        return dict(groups)

    expected = {key: [x for x in elements if third(x) == key] for key in map(third, elements)}
    assert run(main(), seed=seed) == expected


@given(st.lists(st.integers(0, 9), max_size=12))
def test_keys_and_groups_are_those_of_reactivex(elements: list[int]) -> None:
    theirs: list[Any] = []
    reactivex.from_iterable(elements).pipe(
        rx.group_by(third, lambda x: -x),
        rx.flat_map(lambda group: group.pipe(rx.to_list(), rx.map(lambda xs: (group.key, xs)))),
    ).subscribe(theirs.append)
    ours = rxml.from_iterable(elements).pipe(
        ops.group_by(third, lambda x: -x),
        ops.flat_map(lambda group: group.pipe(ops.to_list(), ops.map(lambda xs: (group.key, xs)))),
    )
    assert sorted(run(ours.to_list())) == sorted(theirs)


def test_groups_that_nobody_keeps_are_no_hindrance() -> None:
    async def main() -> list[int]:
        flow = rxml.range(10_000).pipe(ops.group_by(third), ops.map(lambda group: group.key))
        async with flow.start() as started:
            await started.wait()
            assert started.statistics().stages[1].dropped == 10_000
        return list(await flow.to_list())

    assert run(main()) == [0, 1, 2]


def test_what_comes_for_a_group_that_was_left_is_dropped_and_its_key_stays_taken() -> None:
    settled: list[Outcome] = []
    chunk = Chunk([0, 3, 6, 1], [Context(settle=settled.append) for _ in range(4)])
    flow = scripted(chunk).pipe(ops.group_by(third), ops.flat_map(ops.take(1)))
    assert run(flow.to_list()) == [0, 1]
    assert settled == [Outcome.DROPPED] * 2


@given(st.integers(1, 4), SEEDS)
def test_groups_that_were_handed_over_go_on_when_no_further_one_is_wanted(
    count: int, seed: int
) -> None:
    flow = rxml.range(30).pipe(ops.group_by(lambda x: x % 5), ops.take(count), KEYED)
    got = run(flow.to_list(), seed=seed)
    assert sorted(got) == sorted((x % 5, x) for x in range(30) if x % 5 < count)


def test_a_group_is_read_while_the_loop_over_the_groups_goes_on() -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []
        async for group in rxml.range(10**9).pipe(ops.group_by(third)):
            seen.append((group.key, await group.pipe(ops.take(3)).to_list()))
            if len(seen) == 3:
                break
        await asyncio.sleep(1)
        return seen

    assert run(main()) == [(0, [0, 3, 6]), (1, [1, 4, 7]), (2, [2, 5, 8])]


def test_what_a_group_holds_can_be_read_when_the_flow_has_ended() -> None:
    async def main() -> list[Any]:
        groups = await rxml.range(7).pipe(ops.group_by(third)).to_list()
        return [await group.to_list() for group in groups]

    assert run(main()) == [[0, 3, 6], [1, 4], [2, 5]]


def test_a_group_of_a_run_that_was_left_fails_instead_of_looking_complete() -> None:
    source = scripted(Chunk(list(range(9))), forever=True)

    async def main() -> None:
        held: Any = None
        async for group in source.pipe(ops.group_by(third)):
            held = group
            break
        await asyncio.sleep(1)
        assert released(source)
        with pytest.raises(StreamClosedError, match=r"the run .* has ended"):
            await held.to_list()

    run(main())


def test_a_group_is_read_once_and_on_its_own_loop() -> None:
    async def main() -> Any:
        groups = await rxml.range(3).pipe(ops.group_by(third)).to_list()
        assert await groups[0].to_list() == [0]
        with pytest.raises(PipelineError, match=r"group_by\(third\)\[0\] is read already"):
            await groups[0].to_list()
        shared = groups[1].pipe(ops.share())
        both: Any = asyncio.gather(shared.to_list(), shared.to_list())
        assert await both == [[1], [1]]
        return groups[2]

    group = run(main())
    with pytest.raises(PipelineError, match="another event loop"):
        run(group.to_list())


# --- bounds -----------------------------------------------------------------------------------


def test_a_key_too_many_is_an_error_that_names_the_bounds() -> None:
    flow = rxml.range(10).pipe(ops.group_by(lambda x: x, max_groups=4, capacity=7), KEYED)
    got, error = outcome(flow)
    assert isinstance(error, BufferOverflowError)
    assert "4 would be group number 5, and max_groups is 4 (of 7 elements each)" in str(error)
    assert set(got) <= {(x, x) for x in range(4)}


def test_a_supervisor_can_leave_out_the_elements_of_a_key_too_many() -> None:
    supervisor = Supervisor(lambda _: Directive.RESUME)
    flow = rxml.of(1, 2, 3, 1, 3, 2).pipe(
        ops.group_by(lambda x: x, max_groups=2), KEYED, supervised("resume", supervisor)
    )
    assert sorted(run(flow.to_list())) == [(1, 1), (1, 1), (2, 2), (2, 2)]


@pytest.mark.parametrize("capacity", [1, 5])
def test_a_group_that_is_read_slowly_holds_up_the_source_at_the_bound(capacity: int) -> None:
    source = scripted(Chunk([0, 1]), forever=True)

    async def main() -> None:
        async with (
            source.pipe(ops.group_by(lambda x: x, capacity=capacity)).open() as groups,
            Probe((await groups.request(1)).elements[0]) as first,
        ):
            await first.expect(0)
            async with Probe((await groups.request(1)).elements[0]) as second:
                for _ in range(capacity + 3):
                    asking = asyncio.ensure_future(first.request(1))
                    await asyncio.wait([asking], timeout=1)
                    asking.cancel()
                    await asyncio.wait([asking])
                taken = len(first.elements) + len(second.elements)
                assert source.timeline.elements("source") - taken <= 2 * capacity + 1
                await second.expect(*[1] * (capacity + 2))
                await first.expect(0)

    run(main())


def test_a_full_group_without_a_reader_is_an_error_once_others_have_waited_too_long() -> None:
    async def main(patience: float | None) -> float:
        flow = rxml.range(10**6).pipe(
            ops.group_by(third, capacity=4, patience=patience), ops.concat_map(lambda group: group)
        )
        with pytest.raises(
            BufferOverflowError,
            match="branch 1 holds 4 elements that nobody has begun to read for 5 s",
        ):
            await flow.run()
        return asyncio.get_running_loop().time()

    assert run(main(5)) == 5


def test_a_group_whose_reader_is_slow_is_no_error() -> None:
    async def main() -> int:
        flow = rxml.range(60).pipe(ops.group_by(third, capacity=2, patience=5))
        slowly = ops.map_async(lambda x: asyncio.sleep(100 if x % 3 == 2 else 0, x), concurrency=1)
        return len(await flow.pipe(ops.flat_map(lambda group: group.pipe(slowly))).to_list())

    assert run(main()) == 60


@pytest.mark.parametrize(
    ("policy", "kept"), [("drop_oldest", [8, 9, 10]), ("drop_newest", [0, 1, 2]), ("error", None)]
)
def test_what_happens_to_an_element_whose_group_is_full(
    policy: str, kept: list[int] | None
) -> None:
    async def main() -> list[int]:
        flow = rxml.range(11).pipe(ops.group_by(lambda _: 0, capacity=3, policy=policy))
        (group,) = await flow.to_list()
        return list(await group.to_list())

    if kept is None:
        with pytest.raises(BufferOverflowError, match="branch 0 is full: 3 elements wait"):
            run(main())
    else:
        assert run(main()) == kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_groups": 0}, "max_groups.* wants an int >= 1"),
        ({"capacity": 0}, "capacity.* wants an int >= 1"),
        ({"policy": "slowest"}, "policy is one of backpressure, "),
        ({"patience": -1}, "patience.* wants a duration >= 0"),
    ],
)
def test_arguments_are_checked_when_it_is_built(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ops.group_by(third, **options)


# --- ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["upstream", "key", "element"])
def test_an_error_comes_out_of_every_group_and_of_the_groups(where: str) -> None:
    def key(x: int) -> int:
        return x % 2 if where != "key" or x < 4 else 1 // 0

    def element(x: int) -> int:
        return x if where != "element" or x < 4 else 1 // 0

    numbers = rxml.range(4) if where == "upstream" else rxml.range(9)
    source = rxml.concat(numbers, rxml.throw(ZeroDivisionError()))

    async def main() -> None:
        async with source.pipe(ops.group_by(key, element)).open() as subscription:
            groups = [(await subscription.request(1)).elements[0] for _ in range(2)]
            for number, group in enumerate(groups):
                async with Probe(group) as probe:
                    await probe.expect(number, number + 2)
                    await probe.expect_error(ZeroDivisionError)
            with pytest.raises(ZeroDivisionError):
                await subscription.request(1)

    run(main())


@given(st.integers(0, 40), SEEDS)
def test_it_can_be_cancelled_at_every_turn(turns: int, seed: int) -> None:
    source = scripted(*(step for x in range(12) for step in (x, Sleep(0))))

    async def main() -> None:
        task = asyncio.ensure_future(source.pipe(ops.group_by(third, capacity=1), KEYED).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert source.timeline.count("source", Kind.OPENED) == source.timeline.count(
            "source", Kind.RELEASED
        )

    run(main(), seed=seed)


@given(st.lists(st.integers(0, 1), max_size=40), SEEDS)
def test_a_request_that_is_given_up_loses_nothing(waits: list[int], seed: int) -> None:
    source = scripted(*(step for x in range(12) for step in (x, Sleep(x % 2))))
    got = run(impatient(source.pipe(ops.group_by(third, capacity=2), KEYED), waits), seed=seed)
    assert sorted(got) == sorted((third(x), x) for x in range(12))


def test_nothing_is_left_when_the_last_group_is_thrown_away() -> None:
    source = scripted(Chunk([0, 1]), forever=True)

    async def main() -> None:
        async with source.pipe(ops.group_by(lambda x: x)).open() as subscription:
            group: Any = (await subscription.request(1)).elements[0]
            await subscription.cancel()
            assert not released(source)
            del group
            gc.collect()
            await asyncio.sleep(1)
            assert released(source)

    run(main())


def test_contexts_and_watermarks_go_into_the_groups() -> None:
    source = scripted(Chunk([0, 1]), Watermark(5), Chunk([3]), contexts=True)

    async def main() -> None:
        async with source.pipe(ops.group_by(third)).open() as subscription:
            group = (await subscription.request(1)).elements[0]
            async with group.open() as reader:
                seen = [await reader.request(9) for _ in range(3)]
            assert [list(chunk.elements) for chunk in seen] == [[0], [], [3]]
            assert [chunk.watermark for chunk in seen] == [None, 5, None]
            assert [c.fact_id for chunk in seen for c in chunk.contexts or ()] == ["0", "2"]

    run(main())


# --- partition --------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 9), max_size=20), SEEDS)
def test_the_two_parts_are_disjoint_and_complete(elements: list[int], seed: int) -> None:
    async def main() -> Any:
        low, high = rxml.from_iterable(elements).pipe(ops.partition(lambda x: x < 5))
        return await rxml.merge(low.pipe(ops.map(lambda x: ("low", x))), high).to_list()

    got = run(main())
    assert [x for _, x in (each for each in got if isinstance(each, tuple))] == [
        x for x in elements if x < 5
    ]
    assert [x for x in got if not isinstance(x, tuple)] == [x for x in elements if x >= 5]


def test_the_parts_are_parts_of_one_run_and_one_can_be_read_alone() -> None:
    source = scripted(*range(6))

    async def main() -> None:
        parts: Any = source.pipe(ops.partition(lambda x: x % 2))
        odd, even = parts
        both: Any = asyncio.gather(odd.to_list(), even.to_list())
        assert await both == [[1, 3, 5], [0, 2, 4]]
        assert source.timeline.count("source", Kind.OPENED) == 1
        assert await even.to_list() == [0, 2, 4]
        assert source.timeline.count("source", Kind.OPENED) == 2

    run(main())
