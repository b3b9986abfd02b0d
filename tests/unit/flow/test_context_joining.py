"""One context for several elements, several elements for one context: each ends once."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, drop
from rxml.flow.context_joining import Joint, Tally, joined, split
from rxml.testing import Never, Sleep, run, scripted
from tests.unit.flow.ledger import ANSWERED, DEAD, DROPPED, SHED, Ledger, read
from tests.unit.operators.loose import ops, rxml

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# --- joining and splitting ----------------------------------------------------------------------


def test_a_joint_settles_each_that_was_joined_however_it_was_joined() -> None:
    ledger, joint = Ledger(), Joint()
    joint.extend([ledger.context("a")])
    joint.extend([Context(), ledger.context("b"), ledger.context("c")])
    joint.context().settled(SHED)
    assert ledger.ends == {name: [SHED] for name in "abc"}


def test_a_joint_is_as_urgent_as_the_most_urgent_of_all() -> None:
    joint = Joint()
    joint.extend([Context("a", "t", priority=-3)])
    assert joint.context() == Context("a", "t", priority=-3)
    joint.extend([Context("b", "u", 0.0, -7), Context("c", None, 9.0, -1)])
    joint.extend([Context("d", None, 5.0, -2)])
    assert joint.context() == Context("a", "t", 0.0, -1)


def test_nobody_waits_for_the_joint_of_those_that_nobody_waits_for() -> None:
    assert joined([Context("a"), Context("b")]) == Context("a")
    assert Joint().context() == Context()


def test_a_tally_waits_for_all_copies_and_until_it_is_closed() -> None:
    ledger = Ledger()
    tally = Tally(ledger.context("a"))
    first, second = tally.copies(2)
    assert first.fact_id == "a"
    first.settled(DROPPED)
    second.settled(ANSWERED)
    (third,) = tally.copies(1)
    tally.close()
    assert ledger.ends == {"a": []}
    third.settled(SHED)
    tally.close()
    assert ledger.ends == {"a": [ANSWERED]}


def test_the_only_copy_is_the_context_itself() -> None:
    ledger = Ledger()
    context = ledger.context("a")
    tally = Tally(context)
    assert tally.rest(1) == [context]
    tally.close()
    assert ledger.ends == {"a": []}
    tally = Tally(context)
    for copy in (*tally.copies(1), *tally.rest(1)):
        copy.settled(SHED)
    assert ledger.ends == {"a": [SHED]}


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        ([], DROPPED),
        ([DROPPED, SHED], SHED),
        ([SHED, ANSWERED, DROPPED], ANSWERED),
        ([ANSWERED, DEAD, ANSWERED], DEAD),
    ],
)
def test_of_several_outcomes_a_failure_counts_first_then_an_answer(
    outcomes: list[Any], whole: Any
) -> None:
    ledger = Ledger()
    copies = split(ledger.context("a"), len(outcomes))
    for copy, outcome in zip(copies, outcomes, strict=True):
        copy.settled(outcome)
    assert ledger.ends == {"a": [whole]}


def test_all_are_told_even_if_some_of_them_raise() -> None:
    def broken(_: object) -> None:
        raise OSError("the broker is gone")

    ledger = Ledger()
    with pytest.raises(OSError, match="gone"):
        drop([Context(settle=broken), None, ledger.context("a")])
    with pytest.raises(ExceptionGroup) as raised:
        joined([Context(settle=broken)] * 2 + [ledger.context("b")]).settled(DROPPED)
    assert len(raised.value.exceptions) == 2
    assert ledger.ends == {"a": [DROPPED], "b": [DROPPED]}


# --- several results ----------------------------------------------------------------------------


def twice(x: Any) -> list[Any]:
    return [x, x]


def lazily(x: Any) -> Iterator[Any]:
    yield from (x, x)


async def slowly(x: Any) -> AsyncIterator[Any]:
    yield x
    await asyncio.sleep(1)
    yield x


def with_their_own(x: Any) -> Any:
    return scripted(Chunk([x, x], [Context("inner"), Context("inner")]))


def failing(x: Any) -> Iterator[Any]:
    return (x // y for y in (1, 1, 0))


EXPANDING: dict[str, Callable[[Any], Any]] = {
    "flat_map": ops.flat_map,
    "concat_map": ops.concat_map,
    "switch_map": lambda mapper: rxml.compose(
        ops.concat_map(lambda x: scripted(Sleep(5), x)), ops.switch_map(mapper)
    ),
    "unbatch": lambda mapper: rxml.compose(ops.map(mapper), ops.unbatch()),
}
EACH = pytest.mark.parametrize("name", EXPANDING)


@EACH
@pytest.mark.parametrize("n", [1, 3, 100])
@pytest.mark.parametrize("mapper", [twice, lazily, slowly, with_their_own])
def test_an_element_with_several_results_is_answered_once(name: str, n: int, mapper: Any) -> None:
    if name == "unbatch" and mapper not in (twice, lazily):
        return
    ledger = Ledger()
    got = read(ledger.source(1, 2).pipe(EXPANDING[name](mapper)), n)
    assert sorted(got.results) == [1, 1, 2, 2]
    assert ledger.outcomes == dict.fromkeys("12", ANSWERED)


@EACH
def test_it_is_answered_when_all_of_them_are(name: str) -> None:
    async def main() -> None:
        ledger = Ledger()
        async with ledger.source(1).pipe(EXPANDING[name](lazily)).open() as subscription:
            first: Any = await subscription.request(1)
            second: Any = await subscription.request(1)
            first.contexts[0].settled(DROPPED)
            assert (await subscription.request(1)).end
            assert ledger.ends == {"1": []}
            second.contexts[0].settled(ANSWERED)
        assert ledger.outcomes == {"1": ANSWERED}

    run(main())


@EACH
def test_a_dead_letter_is_not_answered_as_well(name: str) -> None:
    ledger = Ledger()
    got = read(ledger.source(1, 2).pipe(EXPANDING[name](failing), ops.supervise("resume")), 1)
    assert (got.results, got.error) == ([1, 1, 2, 2], None)
    assert ledger.outcomes == dict.fromkeys("12", DEAD)


@EACH
def test_an_element_that_stops_the_stream_has_ended_and_so_have_all_others(name: str) -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(1, 2, 3))
    got = read(source.pipe(EXPANDING[name](lambda x: [x // (x - 1)])), 1)
    assert isinstance(got.error, ZeroDivisionError)
    assert set(ledger.outcomes.values()) == {DROPPED}
    ledger = Ledger()
    got = read(ledger.source(1, 2).pipe(EXPANDING[name](failing)), 1)
    assert got.results[:2] == [1, 1]
    assert ledger.outcomes["1"] is ANSWERED


@EACH
def test_what_is_open_when_the_stream_is_left_ends_then(name: str) -> None:
    ledger = Ledger()
    source = ledger.source(ledger.chunk(1, 2, 3), Never())
    got = read(source.pipe(EXPANDING[name](lambda x: iter([x] * 9))), 2, most=2)
    assert len(got.results) == 2
    assert set(ledger.outcomes.values()) <= {ANSWERED, DROPPED}
    assert ANSWERED in ledger.outcomes.values()
