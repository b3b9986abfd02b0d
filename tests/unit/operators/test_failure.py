"""retry, repeat, catch, on_error_resume_next: what failed is closed before what follows is opened."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx

import rxml
from rxml import Backoff, Flowable, RetryBudget
from rxml import operators as ops
from rxml.errors import PipelineError, RetryExhaustedError
from rxml.testing.probe import Probe
from rxml.testing.script import Barrier, Fail, Sleep, Watermark, scripted
from rxml.testing.timeline import Kind
from rxml.testing.virtual_time import advance, run
from tests.unit.operators.live import LOOSE_OPS, LOOSE_RXML, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


class Attempts:
    """A source that fails as often as told, each time after so many elements, and notes when it is opened and closed."""

    def __init__(self, *lengths: int, last: int = 3, seconds: float = 0.0) -> None:
        self.lengths = list(lengths)
        self.last = last
        self.seconds = seconds
        self.opened: list[float] = []
        self.closed: list[float] = []

    def flow(self) -> Flowable[int]:
        return rxml.from_async_iterable(self.generate)

    async def generate(self) -> AsyncIterator[int]:
        clock = asyncio.get_running_loop().time
        assert len(self.opened) == len(self.closed), "opened before the one before was closed"
        number = len(self.opened)
        self.opened.append(clock())
        try:
            failing = number < len(self.lengths)
            for element in range(self.lengths[number] if failing else self.last):
                yield element
            await asyncio.sleep(self.seconds)
            if failing:
                raise ValueError(number)
        finally:
            await asyncio.sleep(0.25)
            self.closed.append(clock())


@given(st.lists(st.integers(0, 3), max_size=5), st.integers(0, 3), st.none() | st.integers(1, 4))
def test_retry_is_reactivex(lengths: list[int], last: int, count: int | None) -> None:
    def attempts() -> Callable[..., Iterator[int]]:
        number = iter(range(99))

        def values() -> Iterator[int]:
            attempt = next(number)
            yield from range(lengths[attempt] if attempt < len(lengths) else last)
            if attempt < len(lengths):
                raise ValueError(attempt)

        return values

    expected: list[Any] = []
    made = attempts()
    reactivex.defer(lambda _: reactivex.from_iterable(made())).pipe(rx.retry(count)).subscribe(
        expected.append, lambda error: expected.append(str(error)), lambda: expected.append("end")
    )
    out = run(record(rxml.from_iterable(attempts()).pipe(ops.retry(count)), n=2))
    got = [str(each) if isinstance(each, ValueError) else each for _, each in out]
    assert got == expected


@given(st.lists(st.integers(0, 2), max_size=4), st.integers(0, 3), st.integers(0, 9))
def test_what_failed_is_closed_and_waited_for(lengths: list[int], count: int, seed: int) -> None:
    source = Attempts(*lengths)
    flow = source.flow().pipe(ops.retry(backoff=(1, 2, 3), jitter="none"))
    out = run(record(flow), seed=seed)
    assert out[-1][1] == "end"
    waits = [min(3, 2**k) for k in range(len(lengths))]
    expected = [0.0]
    for wait in waits:
        expected.append(expected[-1] + 0.25 + wait)
    assert source.opened == expected
    assert len(source.closed) == len(source.opened)


def test_an_attempt_that_lasted_begins_the_waits_anew() -> None:
    source = Attempts(1, 1, 1, 1, seconds=0.0)
    source.seconds = 5.0
    flow = source.flow().pipe(ops.retry(backoff=Backoff(1, 2, 4), jitter="none"))
    run(record(flow))
    gaps = [later - before for before, later in zip(source.opened, source.opened[1:], strict=False)]
    assert gaps == [6.25] * 4


def test_jitter_is_drawn_from_what_is_given() -> None:
    def opened(random: Random) -> list[float]:
        source = Attempts(0, 0, 0)
        run(record(source.flow().pipe(ops.retry(backoff=(1, 2, 9), random=random))))
        return source.opened

    first = opened(Random(7))
    assert first == opened(Random(7)) != opened(Random(8))
    drawn = Random(7)
    expected = [0.0]
    for wait in (1, 2, 4):
        expected.append(expected[-1] + 0.25 + drawn.uniform(0, wait))
    assert first == pytest.approx(expected)


def test_a_cancelled_request_does_not_begin_the_wait_anew() -> None:
    source = Attempts(0)

    async def main() -> None:
        flow = source.flow().pipe(ops.retry(backoff=(10, 1, 10), jitter="none"))
        async with Probe(flow) as probe:
            for _ in range(4):
                await probe.expect_nothing(seconds=2)
            await probe.expect(0)
            assert source.opened[1] == pytest.approx(10.25)

    run(main())


def test_only_chosen_errors_are_tried_again() -> None:
    for on in (KeyError, (KeyError, OSError), lambda error: isinstance(error, KeyError)):
        source = Attempts(1, 1)
        out = run(record(source.flow().pipe(ops.retry(on=on))))
        assert [type(each) for _, each in out] == [int, ValueError]
        assert len(source.opened) == 1
    out = run(record(Attempts(1, 1).flow().pipe(ops.retry(on=(KeyError, ValueError)))))
    assert out[-1][1] == "end"


def test_resuming_leaves_out_what_came_before() -> None:
    source = Attempts(1, 4, 2, last=7)
    out = run(record(source.flow().pipe(ops.retry(resume=True)), n=3))
    assert [each for _, each in out] == [0, 1, 2, 3, 4, 5, 6, "end"]


def test_a_budget_is_shared_and_ends_the_attempts() -> None:
    budget = RetryBudget(ratio=0, per_second=0.3, seconds=10)

    async def main() -> None:
        flow: Flowable[Any] = rxml.throw(ValueError("down")).pipe(ops.retry(budget=budget))
        with pytest.raises(RetryExhaustedError, match="attempt 4") as caught:
            await flow.to_list()
        assert isinstance(caught.value.__cause__, ValueError)
        assert "retry" in caught.value.__notes__[0]
        with pytest.raises(RetryExhaustedError, match="attempt 1"):
            await flow.to_list()
        await advance(20)
        with pytest.raises(RetryExhaustedError, match="attempt 4"):
            await flow.to_list()

    run(main())


def test_the_last_error_comes_out_as_it_is_and_says_which_it_was() -> None:
    error = ValueError("down")
    with pytest.raises(ValueError, match="down") as caught:
        run(rxml.throw(error).pipe(ops.retry(3)).to_list())
    assert caught.value is error
    assert "the last of 3 attempts" in error.__notes__


@pytest.mark.parametrize("operator", [ops.retry(), ops.repeat()])
def test_an_endless_row_of_attempts_lets_others_run(operator: Any) -> None:
    async def main() -> None:
        source = rxml.throw(ValueError()) if "retry" in repr(operator) else rxml.empty()
        flow: Flowable[Any] = source.pipe(operator, ops.take_until(rxml.timer(1)))
        async with asyncio.timeout(5):
            await flow.to_list()

    asyncio.run(main())


@given(st.integers(0, 4), st.none() | st.integers(0, 4))
def test_repeat_is_reactivex(length: int, count: int | None) -> None:
    expected: list[Any] = []
    source = reactivex.range(length + (count is None))
    source.pipe(rx.repeat(count), rx.take(20)).subscribe(
        expected.append, expected.append, lambda: expected.append("end")
    )
    flow: Flowable[Any] = rxml.range(length + (count is None)).pipe(ops.repeat(count), ops.take(20))
    assert [each for _, each in run(record(flow, n=3))] == expected


def test_repeat_closes_each_run_before_the_next() -> None:
    source = Attempts(last=2)
    out = run(record(source.flow().pipe(ops.repeat(3))))
    assert [each for _, each in out] == [0, 1, 0, 1, 0, 1, "end"]
    assert source.opened == [0.0, 0.25, 0.5]


def test_watermarks_do_not_go_back_when_a_source_runs_again() -> None:
    async def main() -> list[Any]:
        flow = scripted(Watermark(1), 1, Watermark(5), 2, Barrier(7), Watermark(3)).pipe(
            ops.repeat(2)
        )
        seen: list[Any] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(1)).end:
                seen.append((list(chunk.elements), chunk.watermark, chunk.barrier))
        return seen

    once = [([], 1, None), ([1], None, None), ([], 5, None), ([2], None, None), ([], None, 7)]
    assert run(main()) == [*once, ([1], None, None), ([2], None, None), ([], None, 7)]


@given(st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 3))
def test_catch_and_resume_next_are_reactivex(
    length: int, fails: bool, second_fails: bool, more: int
) -> None:
    def values(count: int, failing: bool) -> Iterator[int]:
        yield from range(count)
        if failing:
            raise ValueError(count)

    def ours(operator: Callable[[Any], Any]) -> list[Any]:
        second = rxml.from_iterable(lambda: values(more, second_fails))
        flow = rxml.from_iterable(lambda: values(length, fails)).pipe(operator(second))
        return [repr(each) for _, each in run(record(flow, n=2))]

    def theirs(operator: Callable[[Any], Any]) -> list[Any]:
        out: list[Any] = []
        second = reactivex.defer(lambda _: reactivex.from_iterable(values(more, second_fails)))
        first = reactivex.defer(lambda _: reactivex.from_iterable(values(length, fails)))
        first.pipe(operator(second)).subscribe(out.append, out.append, lambda: out.append("end"))
        return [repr(each) for each in out]

    assert ours(ops.catch) == theirs(rx.catch)
    assert ours(lambda second: ops.catch(lambda error, source: second)) == theirs(rx.catch)
    assert ours(ops.on_error_resume_next) == theirs(rx.on_error_resume_next)


def test_only_chosen_errors_are_caught_and_those_are_counted() -> None:
    error = ValueError("x")

    async def main() -> None:
        for on, caught in (
            (KeyError, False),
            (ValueError, True),
            (lambda each: each is error, True),
        ):
            async with Probe(rxml.throw(error).pipe(ops.catch(rxml.of(1), on=on))) as probe:
                if caught:
                    await probe.expect(1)
                else:
                    assert await probe.expect_error(ValueError) is error
                assert probe.statistics()["catch"].failed == caught

    run(main())


def test_another_flow_may_be_an_observable() -> None:
    failing = rxml.throw(ValueError("x"))
    flows = [
        failing.pipe(LOOSE_OPS.catch(reactivex.of(1, 2))),
        failing.pipe(LOOSE_OPS.on_error_resume_next(reactivex.of(1, 2))),
        rxml.never().pipe(LOOSE_OPS.timeout(1, reactivex.of(1, 2))),
        LOOSE_RXML.defer(lambda: reactivex.of(1, 2)),
        rxml.of(1, 2).pipe(LOOSE_OPS.take_until(reactivex.never())),
    ]
    assert [run(flow.to_list()) for flow in flows] == [[1, 2]] * 5


def test_a_handler_is_given_the_error_and_the_source() -> None:
    source = Attempts(2, last=1)
    seen: list[Exception] = []

    def again(error: Exception, failed: Flowable[int]) -> Flowable[int]:
        seen.append(error)
        return failed

    out = run(record(source.flow().pipe(ops.catch(again))))
    assert [each for _, each in out] == [0, 1, 0, "end"]
    assert [str(error) for error in seen] == ["0"]


@pytest.mark.parametrize(
    "operator",
    [ops.catch, ops.on_error_resume_next],
    ids=["catch", "next"],
)
def test_a_handler_that_fails_or_gives_no_flow_fails_the_stream(operator: Any) -> None:
    flow = rxml.throw(ValueError("first"))
    error = run(record(flow.pipe(operator(lambda *_: 1 // 0))))[-1][1]
    assert isinstance(error, ZeroDivisionError)
    assert any("in stage" in note for note in error.__notes__)
    assert isinstance(run(record(flow.pipe(operator(lambda *_: [1]))))[-1][1], PipelineError)


def test_the_resumed_flow_may_be_made_of_the_error() -> None:
    for source, expected in (
        (rxml.throw(ValueError("x")), "ValueError('x')"),
        (rxml.empty(), "None"),
    ):
        flow = source.pipe(ops.on_error_resume_next(lambda error: rxml.of(repr(error))))
        assert run(flow.to_list()) == [expected]


@pytest.mark.parametrize(
    "operator",
    [
        ops.retry(3),
        ops.repeat(3),
        ops.catch(rxml.of(1)),
        ops.on_error_resume_next(rxml.of(1)),
    ],
)
def test_a_cancelled_run_is_not_tried_again(operator: Any) -> None:
    async def main() -> None:
        source = scripted(1, Sleep(5), Fail(ValueError()))
        async with Probe(source.pipe(operator)) as probe:
            await probe.expect(1)
            await probe.cancel()
            await advance(100)
            assert len(source.timeline.of("source", Kind.OPENED)) == 1
            assert len(source.timeline.of("source", Kind.RELEASED)) == 1

    run(main())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ops.retry(0), "first attempt, too"),
        (lambda: ops.retry(backoff=(1, 0, 1)), "Backoff wants"),
        (lambda: LOOSE_OPS.retry(jitter="some"), "jitter"),
        (lambda: ops.repeat(-1), "repeat"),
    ],
)
def test_arguments_are_checked(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: LOOSE_OPS.catch(3),
        lambda: LOOSE_OPS.on_error_resume_next(3),
        lambda: LOOSE_OPS.retry(on="x"),
        lambda: LOOSE_OPS.retry(on=(KeyError, 3)),
        lambda: LOOSE_OPS.catch(rxml.of(1), on=KeyboardInterrupt),
    ],
)
def test_what_is_no_function_flow_or_error_is_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(PipelineError):
        build()
