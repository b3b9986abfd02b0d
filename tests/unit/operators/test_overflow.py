"""on_overflow and conflate: what a simulated queue says, in every form of source and for every reader."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rxml
from rxml import operators as ops
from rxml.errors import BufferOverflowError
from rxml.testing.probe import Probe
from rxml.testing.script import Fail, Sleep, Watermark, scripted
from rxml.testing.virtual_time import run
from tests.unit.operators.live import FORMS, Moments, live, moments, record

FORM = st.sampled_from(sorted(FORMS))
POLICY = st.sampled_from(["error", "drop_oldest", "drop_newest", "latest", "conflate"])


def queued(given: Moments, end: float, policy: str, capacity: int, pause: float) -> Moments:  # noqa: C901
    """What a reader sees that takes one element and then sleeps."""
    queue: deque[Any] = deque()
    out: Moments = []
    free = 0.0
    error = None

    def take(moment: float, element: Any) -> None:
        nonlocal free
        out.append((moment, element))
        free = moment + pause

    for moment, element in given:
        while queue and free < moment:
            take(free, queue.popleft())
        if not queue and free <= moment:
            take(moment, element)
        elif policy == "conflate" and queue:
            queue[0] += element
        elif len(queue) < capacity:
            queue.append(element)
        elif policy == "error":
            error, end = BufferOverflowError, moment
            break
        elif policy != "drop_newest":
            queue.popleft()
            queue.append(element)
    while queue:
        take(free, queue.popleft())
    return [*out, (max(free, end), error or "end")]


@given(
    moments(most=20),
    POLICY,
    st.integers(1, 4),
    st.sampled_from([0.37, 1.37, 3.37]),
    FORM,
    st.integers(0, 9),
)
def test_an_overflow_is_a_queue(  # noqa: PLR0917
    given: Moments, policy: Any, capacity: int, pause: float, form: str, seed: int
) -> None:
    end = given[-1][0] if given else 0.0
    single = policy in {"latest", "conflate"}
    bound = 1 if single else capacity
    operator = (
        ops.conflate(lambda a, b: a + b)
        if policy == "conflate"
        else ops.on_overflow(policy, capacity=None if single else capacity)
    )
    out = run(record(FORMS[form](given, end).pipe(operator), pause=pause), seed=seed)
    *expected, (last, ending) = queued(given, end, policy, bound, pause)
    assert [element for _, element in out[:-1]] == [element for _, element in expected]
    assert [moment for moment, _ in out] == pytest.approx([m for m, _ in expected] + [last])
    assert out[-1][1] == ending or isinstance(out[-1][1], ending)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.text("abc", min_size=1, max_size=3)), max_size=20),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.37, 1.37]),
    FORM,
    st.integers(0, 9),
)
def test_conflation_keeps_the_fold(
    gaps: list[tuple[int, str]], n: int, pause: float, form: str, seed: int
) -> None:
    total, given = 0, []
    for gap, text in gaps:
        total += gap
        given.append((float(total), text))
    flow = FORMS[form](given, float(total)).pipe(ops.conflate(lambda a, b: a + b))
    *out, (_, last) = run(record(flow, n=n, pause=pause), seed=seed)
    assert last == "end"
    assert "".join(element for _, element in out) == "".join(text for _, text in gaps)


def test_what_a_fold_begins_with_can_be_made_of_the_first_element() -> None:
    flow = rxml.range(100).pipe(ops.conflate(lambda seen, x: [*seen, x], seed=lambda x: [x]))
    out = run(record(flow, pause=1.0))
    assert [element for _, element in out] == [[0], list(range(1, 100)), "end"]


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("n", [1, 7, 2**63 - 1])
@pytest.mark.parametrize(
    "operator",
    [ops.conflate(max), ops.on_overflow("latest"), ops.on_overflow("drop_oldest", capacity=3)],
)
def test_a_reader_that_always_waits_misses_nothing(form: str, n: int, operator: Any) -> None:
    """Neither how elements are chunked nor how much is asked for makes them one (Pekko's trap)."""
    given = [(float(number // 10), number) for number in range(50)]
    out = run(record(FORMS[form](given, 5.0).pipe(operator), n=n))
    assert [element for _, element in out] == [*range(50), "end"]


def test_a_synchronous_source_is_given_to_a_reader_that_always_waits() -> None:
    flow = rxml.range(5000).pipe(ops.on_overflow("drop_newest", capacity=10))
    assert run(flow.to_list()) == list(range(5000))


def test_a_reader_that_prefetches_gets_no_more_than_one_merged_element_at_a_time() -> None:
    flow = live([(float(second), 1) for second in range(100)], 100.0).pipe(
        ops.conflate(int.__add__)
    )

    async def main() -> list[int]:
        seen = []
        async for each in flow:
            seen.append(each)
            await asyncio.sleep(9.5)
        return seen

    seen = run(main())
    assert sum(seen) == 100
    assert set(seen[1:-1]) <= {9, 10}


def test_an_overflow_fails_after_what_waits_and_closes_the_source() -> None:
    async def main() -> None:
        source = rxml.range(10**9).pipe(ops.on_overflow("error", capacity=3))
        async with Probe(source) as probe:
            await probe.expect(0)
            await asyncio.sleep(1)
            await probe.expect(1, 2, 3)
            error = await probe.expect_error(BufferOverflowError)
            assert "3 elements wait, at most 3 elements may" in str(error)

    run(main())


def test_an_error_of_upstream_comes_after_what_waits() -> None:
    error = ValueError("upstream")
    flow = scripted(Sleep(1), 1, 2, 3, Fail(error)).pipe(ops.on_overflow("drop_oldest", capacity=9))
    assert run(record(flow, pause=5.0)) == [(1.0, 1), (6.0, 2), (11.0, 3), (16.0, error)]


def test_dropped_elements_are_counted_and_bytes_are_bounded() -> None:
    async def main() -> None:
        flow = rxml.of(*["x" * 100] * 50).pipe(
            ops.on_overflow("drop_oldest", capacity=20, max_bytes=500)
        )
        async with Probe(flow) as probe:
            await probe.request(1)
            await asyncio.sleep(1)
            (stage,) = [s for s in probe.statistics().stages if s.capacity == 20]
            assert (stage.buffered, stage.dropped) == (3, 46)

    run(main())


def test_a_function_that_fails_is_the_supervisors() -> None:
    async def main() -> None:
        flow = rxml.of(8, 0, 2, 4).pipe(ops.conflate(lambda a, b: a // b))
        slow = [element for _, element in await record(flow.pipe(ops.supervise("resume")), pause=1)]
        assert slow == [8, 0, "end"]
        error = (await record(rxml.of(8, 1, 0).pipe(ops.conflate(lambda a, b: a // b)), pause=1))[
            -1
        ][1]
        assert isinstance(error, ZeroDivisionError)
        assert "conflate" in error.__notes__[0]

    run(main())


def test_what_a_failing_function_was_given_goes_to_the_dead_letters() -> None:
    letters: list[Any] = []

    async def main() -> None:
        flow = rxml.of(8, 4, 0, 2).pipe(
            ops.conflate(lambda a, b: a // b), ops.supervise("resume", dead_letters=letters.append)
        )
        assert [each for _, each in await record(flow, pause=1)] == [8, 2, "end"]

    run(main())
    assert [letter.element for letter in letters] == [0]


def test_signals_keep_their_place() -> None:
    async def main() -> list[Any]:
        flow = scripted(1, Watermark(1), 2, 3, Watermark(2), 4, Watermark(3))
        seen: list[Any] = []
        async with flow.pipe(ops.on_overflow("drop_oldest", capacity=2)).open() as subscription:
            while not (chunk := await subscription.request(9)).end:
                seen.append((list(chunk.elements), chunk.watermark))
                await asyncio.sleep(1)
        return seen

    assert run(main()) == [([1], 1), ([3], 2), ([4], 3)]


def test_a_coroutine_function_is_refused() -> None:
    async def merge(a: int, b: int) -> int:
        return a + b

    with pytest.raises(TypeError, match="give a plain function"):
        ops.conflate(merge)
