"""Fusion: a row of synchronous stages run as one loop does what the single stages do, and counts what they count."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.errors import EmptyError
from rxml.testing import run
from rxml.testing.comparing import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.operator import Operator
    from rxml.flow.statistics import StageStatistics
    from rxml.flow.supervision import DeadLetter

    Make = Callable[[], Operator[Any, Any]]


@pytest.fixture(
    scope="module", params=[1, 32], ids=["as one always", "one by one at first"], autouse=True
)
def _how_often_kernels_go_one_by_one(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("rxml.flow.fusion.row._SAMPLE", request.param)
        yield


def share(x: Any) -> Any:
    return 12 // x


def inverse(x: Any) -> Any:
    return 60 // (x + 1) % 5


def odd(x: Any) -> bool:
    return bool(x % 2 == 1)


def good(x: Any) -> bool:
    return bool(6 // x > 0)


def total(a: Any, b: Any) -> Any:
    return (a + b) % 7


def stop_at_two(x: Any) -> Any:
    if x == 2:
        raise StopIteration
    return x


STEPS: dict[str, Make] = {
    "map": lambda: ops.map(share),
    "map, inverse": lambda: ops.map(inverse),
    "map, built in": lambda: ops.map(abs),
    "filter, odd": lambda: ops.filter(odd),
    "map, stopping": lambda: ops.map(stop_at_two),
    "filter": lambda: ops.filter(good),
    "filter, stopping": lambda: ops.filter(stop_at_two),
    "scan": lambda: ops.scan(total),
    "take": lambda: ops.take(3),
    "take 0": lambda: ops.take(0),
    "take_while": lambda: ops.take_while(good),
    "take_last": lambda: ops.take_last(2),
    "skip": lambda: ops.skip(2),
    "skip_while": lambda: ops.skip_while(good),
    "skip_last": lambda: ops.skip_last(1),
    "first": ops.first,
    "last": ops.last,
    "element_at": lambda: ops.element_at(1),
    "default_if_empty": lambda: ops.default_if_empty(1),
    "distinct": ops.distinct,
    "distinct_until_changed": ops.distinct_until_changed,
    "sum": ops.sum,
    "count": ops.count,
    "some": lambda: ops.some(good),
    "do_action": lambda: ops.do_action(share, None, lambda: share(1)),
    "resume": lambda: ops.supervise("resume"),
    "restart": lambda: ops.supervise("restart"),
    "stop": lambda: ops.supervise("stop"),
}


def piped(source: rxml.Flowable[Any], *operators: Operator[Any, Any]) -> rxml.Flowable[Any]:
    return source.pipe(*operators)


def row(names: list[str]) -> list[Operator[Any, Any]]:
    return [STEPS[name]() for name in names]


def modulo(x: int) -> int:
    return x % 5


rows = st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6)
demands = st.lists(st.sampled_from([1, 2, 3, 7, 100, rxml.UNBOUNDED]), min_size=1, max_size=4)


async def played(
    flow: rxml.Flowable[Any], asked: list[int], *, fuse: bool
) -> tuple[list[Any], str, tuple[StageStatistics, ...]]:
    """What came out, how it ended, and what each stage counted, busy times apart."""
    results: list[Any] = []
    terminal = "end"
    async with rxml.Run[Any](flow, fuse=fuse) as running:
        try:
            for index in range(10_000):
                chunk = await running.subscription.request(asked[index % len(asked)])
                results.extend(chunk.elements)
                if chunk.end:
                    break
        except Exception as error:  # noqa: BLE001 - compared
            terminal = repr(error)
        stages = running.statistics().stages
    return results, terminal, tuple(replace(stage, busy_seconds=0.0) for stage in stages)


@given(st.lists(st.integers(-2, 3), max_size=12), rows, demands)
def test_a_fused_row_gives_and_counts_what_single_stages_do(
    elements: list[int], names: list[str], asked: list[int]
) -> None:
    flow = piped(rxml.from_iterable(elements), *row(names))
    apart = run(played(flow, asked, fuse=False))
    fused = run(played(flow, asked, fuse=True))
    assert same(fused[0], apart[0])
    assert fused[1:] == apart[1:]


@given(rows, st.integers(0, 300), demands)
def test_so_it_is_over_many_chunks(names: list[str], length: int, asked: list[int]) -> None:
    flow = piped(rxml.range(length), ops.map(modulo), *row(names))
    assert run(played(flow, asked, fuse=True)) == run(played(flow, asked, fuse=False))


@given(st.lists(st.integers(-2, 3), max_size=12), rows, demands)
def test_what_is_left_out_is_a_dead_letter_in_both(
    elements: list[int], names: list[str], asked: list[int]
) -> None:
    letters: dict[bool, list[tuple[Any, str, str]]] = {True: [], False: []}
    for fuse, buried in letters.items():

        def bury(letter: DeadLetter, to: list[Any] = buried) -> None:
            to.append((letter.element, letter.stage, repr(letter.error)))

        burying: Operator[Any, Any] = ops.supervise("resume", dead_letters=bury)
        flow = piped(rxml.from_iterable(elements), *row(names), burying)
        run(played(flow, asked, fuse=fuse))
    assert letters[True] == letters[False]


@given(st.integers(1, 3), rows, st.lists(st.integers(-2, 3), max_size=8))
def test_an_error_of_upstream_comes_after_the_same_results(
    asked: int, names: list[str], elements: list[int]
) -> None:
    broken: list[Operator[Any, Any]] = [ops.materialize(), ops.map(failing), ops.dematerialize()]
    flow = piped(rxml.from_iterable(elements), *broken, *row(names))
    assert run(played(flow, [asked], fuse=True)) == run(played(flow, [asked], fuse=False))


def failing(notification: Any) -> Any:
    """The end of upstream becomes an error."""
    if notification.kind == "C":
        raise EmptyError("upstream")
    return notification


# --- L10, L11 ----------------------------------------------------------------------------------


def test_a_thousand_stages_take_no_more_stack_than_one() -> None:
    flow = piped(rxml.range(300), *[ops.map(plus)] * 1000)
    assert run(last(flow, fuse=True)) == run(last(flow, fuse=False)) == 1299


def test_a_hundred_thousand_elements_take_no_more_stack_than_one() -> None:
    still: Operator[Any, Any] = ops.skip(0)
    flow = piped(rxml.range(100_000), *[still] * 50)
    assert asyncio.run(last(flow, fuse=True)) == 99_999
    flow = piped(rxml.range(100_000), ops.map(plus), ops.filter(large))
    assert asyncio.run(last(flow, fuse=False)) == 100_000


def large(x: int) -> bool:
    return x > 99_999


async def last(flow: rxml.Flowable[int], *, fuse: bool) -> int:
    newest = -1
    async with flow.open(fuse=fuse) as subscription:
        while not (chunk := await subscription.request(rxml.UNBOUNDED)).end:
            newest = chunk.elements[-1]
    return newest


ENDLESS: dict[str, Callable[[], rxml.Flowable[Any]]] = {
    "source": lambda: rxml.repeat_value(1),
    "map": lambda: piped(rxml.repeat_value(1), ops.map()),
    "filter": lambda: piped(rxml.repeat_value(0), ops.filter(bool)),
    "count": lambda: piped(rxml.repeat_value(0), ops.count()),
    "ignore": lambda: piped(rxml.repeat_value(0), ops.ignore_elements()),
    "skip": lambda: piped(rxml.repeat_value(0), ops.skip(10**12)),
    "unbatch": lambda: piped(rxml.repeat_value(()), ops.unbatch()),
    "unbatch, endless": lambda: piped(rxml.of(1), ops.map(forever), ops.unbatch()),
    "batches": lambda: rxml.from_batches(lambda: forever(())),
    "resume": lambda: piped(rxml.repeat_value(0), ops.map(share), ops.supervise("resume")),
}


def forever(value: Any) -> Any:
    while True:
        yield value


def test_an_endless_synchronous_source_lets_other_tasks_run() -> None:
    async def turns(flow: rxml.Flowable[Any]) -> int:
        """Turns that another task has within 60 ms of the loop."""
        count = 0
        async with flow.start():
            until = asyncio.get_running_loop().time() + 0.06
            while asyncio.get_running_loop().time() < until:
                await asyncio.sleep(0)
                count += 1
        return count

    starved = {name: asyncio.run(turns(make())) for name, make in ENDLESS.items()}
    assert {name: count for name, count in starved.items() if count < 3} == {}


# --- L17 to L21: the algebra -------------------------------------------------------------------

ints = st.lists(st.integers(-5, 5), max_size=20)
counts = st.integers(0, 12)


def results(elements: list[Any], *operators: Operator[Any, Any]) -> tuple[list[Any], str]:
    """What came out, and how it ended."""
    found = run(played(piped(rxml.from_iterable(elements), *operators), [3], fuse=True))
    return found[0], found[1]


def plus(x: int) -> int:
    return x + 1


@given(ints)
def test_two_maps_are_the_map_of_both(elements: list[int]) -> None:
    def both(x: int) -> Any:
        return share(plus(x))

    assert results(elements, ops.map(plus), ops.map(share)) == results(elements, ops.map(both))


@given(ints)
def test_two_filters_are_the_filter_of_both(elements: list[int]) -> None:
    def both(x: int) -> bool:
        return bool(x) and good(x)

    two = results(elements, ops.filter(bool), ops.filter(good))
    assert two == results(elements, ops.filter(both))


@given(ints)
def test_a_map_and_a_filter_change_places(elements: list[int]) -> None:
    def image(x: int) -> bool:
        return good(plus(x))

    mapped = results(elements, ops.map(plus), ops.filter(good))
    assert mapped == results(elements, ops.filter(image), ops.map(plus))


@given(ints)
def test_the_map_of_nothing_is_nothing(elements: list[int]) -> None:
    assert results(elements, ops.map()) == results(elements) == (elements, "end")


@given(ints)
def test_to_filter_twice_is_to_filter_once(elements: list[int]) -> None:
    assert results(elements, ops.filter(good), ops.filter(good)) == results(
        elements, ops.filter(good)
    )


@given(ints, counts)
def test_what_is_taken_and_what_is_skipped_are_all(elements: list[int], n: int) -> None:
    taken, skipped = results(elements, ops.take(n)), results(elements, ops.skip(n))
    assert taken[0] + skipped[0] == elements


@given(ints, counts, counts)
def test_takes_and_skips_add_up(elements: list[int], a: int, b: int) -> None:
    assert results(elements, ops.take(a), ops.take(b)) == results(elements, ops.take(min(a, b)))
    assert results(elements, ops.skip(a), ops.skip(b)) == results(elements, ops.skip(a + b))
    lasts = results(elements, ops.take_last(a), ops.take_last(b))
    assert lasts == results(elements, ops.take_last(min(a, b)))


@given(ints, counts)
def test_the_last_ones_skipped_and_taken_are_all(elements: list[int], n: int) -> None:
    skipped, taken = results(elements, ops.skip_last(n)), results(elements, ops.take_last(n))
    assert skipped[0] + taken[0] == elements


@given(ints)
def test_the_last_of_a_scan_is_the_fold(elements: list[int]) -> None:
    scanned = results(elements, ops.scan(total, 0), ops.last_or_default(0))
    assert scanned == results(elements, ops.reduce(total, 0))


@given(ints)
def test_materialised_and_back_it_is_the_same(elements: list[int]) -> None:
    back = results(elements, ops.map(share), ops.materialize(), ops.dematerialize())
    assert back == results(elements, ops.map(share))
