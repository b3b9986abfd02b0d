"""Folds answer for all their elements: a result takes the contexts of what it was made of."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.context_joining import NOTHING
from rxml.flow.fusion.gathered import Gathered
from rxml.flow.kernel import Kernel, Step
from rxml.flow.kinds import columns, fold
from rxml.flow.node import Cardinality
from rxml.flow.run import Run
from rxml.testing import Fail, Never, run, scripted
from tests.unit.flow.ledger import ANSWERED, DEAD, DROPPED, Ledger, read
from tests.unit.operators.loose import ops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def total(xs: Any) -> list[Any]:
    return [sum(xs)]


WHOLE: dict[str, Callable[[], Any]] = {
    "buffer": lambda: ops.buffer(3),
    "buffer, odd": lambda: ops.buffer(4),
    "buffer, overlapping": lambda: ops.buffer(3, skip=1),
    "buffer by cost": lambda: ops.buffer(bytes=4, cost=lambda x: x),
    "reduce": lambda: ops.reduce(lambda a, b: a + b),
    "sum": ops.sum,
    "average": ops.average,
    "count": lambda: ops.count(lambda x: x % 2),
    "max": ops.max,
    "min": ops.min,
    "to_list": ops.to_list,
    "all": lambda: ops.all(lambda x: x < 9),
    "contains": lambda: ops.contains(9),
    "n:1 columns": lambda: columns("sum", total, cardinality=Cardinality.FEWER),
    "n:n columns": lambda: columns("sort", sorted, cardinality=Cardinality.FEWER),
}


@pytest.mark.parametrize("whole", [True, False], ids=["one chunk", "one by one"])
@pytest.mark.parametrize("name", WHOLE)
def test_the_results_of_a_fold_answer_for_all_elements(name: str, whole: bool) -> None:
    ledger = Ledger()
    script = [ledger.chunk(*range(6))] if whole else range(6)
    read(ledger.source(*script).pipe(WHOLE[name]()))
    assert ledger.outcomes == dict.fromkeys("012345", ANSWERED)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("ending", [Fail(OSError("gone")), Never()], ids=["failure", "left"])
def test_what_no_result_has_answered_for_is_dropped_at_the_end(name: str, ending: Any) -> None:
    ledger = Ledger()

    async def main() -> None:
        async with ledger.source(*range(5), ending).pipe(WHOLE[name]()).open() as subscription:
            asking = asyncio.ensure_future(answering(subscription))
            await asyncio.sleep(1)
            asking.cancel()
            await asyncio.wait([asking])

    async def answering(subscription: Any) -> None:
        while True:
            for context in (await subscription.request(1)).contexts or ():
                context.settled(ANSWERED)

    run(main())
    assert set(ledger.outcomes) == set("01234")
    assert set(ledger.outcomes.values()) <= {ANSWERED, DROPPED}


QUESTIONS: dict[str, Callable[[], Any]] = {
    "all": lambda: ops.all(lambda x: x < 2),
    "some": lambda: ops.some(lambda x: x == 2),
    "contains": lambda: ops.contains(2),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_comes_behind_the_answer_is_dropped(name: str) -> None:
    ledger = Ledger()
    read(ledger.source(ledger.chunk(*range(5))).pipe(QUESTIONS[name]()))
    assert (ledger[ANSWERED], ledger[DROPPED]) == ("012", "34")


def contexts_of(flow: Any, n: int = 1) -> list[str]:
    """The names of what each result answers for, or None."""

    async def main() -> list[str]:
        seen: list[str] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(n)).end:
                for context in chunk.contexts or [None] * len(chunk.elements):
                    before = len(told)
                    if context is not None:
                        context.settled(ANSWERED)
                    seen.append("".join(told[before:]))
        return seen

    told.clear()
    return run(main())


told: list[str] = []


def telling(*elements: Any) -> Any:
    """Elements that say their names when they are settled, each in a chunk of its own."""

    def context(name: str) -> Context:
        def settle(outcome: Outcome) -> None:
            told.append(name if outcome is ANSWERED else name.upper())

        return Context(settle=settle)

    return scripted(*(Chunk([each], [context(str(each))]) for each in elements))


LISTS: dict[str, tuple[Any, list[str]]] = {
    "whole": (ops.buffer(2), ["ab", "cd", "e"]),
    "gaps": (ops.buffer(2, skip=3), ["ab", "de"]),
    "by cost": (ops.buffer(bytes=2, cost=lambda _: 1), ["ab", "cd", "e"]),
    "too dear for the list": (ops.buffer(bytes=3, cost=lambda _: 2), ["a", "b", "c", "d", "e"]),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_answers_for_what_is_in_it_and_for_nothing_else(name: str) -> None:
    operator, lists = LISTS[name]
    assert contexts_of(telling(*"abcde").pipe(operator)) == lists


def test_an_element_between_lists_is_dropped() -> None:
    contexts_of(telling(*"abcde").pipe(ops.buffer(2, skip=3)))
    assert "".join(sorted(told)) == "Cabde"


def test_an_element_of_several_lists_has_ended_when_all_of_them_have() -> None:
    ledger = Ledger()

    async def main() -> None:
        flow = ledger.source(*"abcd").pipe(ops.buffer(3, skip=1))
        async with flow.open() as subscription:
            lists: list[Any] = [await subscription.request(1) for _ in range(4)]
            assert [chunk.elements[0] for chunk in lists] == [
                ["a", "b", "c"],
                ["b", "c", "d"],
                ["c", "d"],
                ["d"],
            ]
            assert (await subscription.request(1)).end
            for chunk in lists[1:]:
                chunk.contexts[0].settled(ANSWERED)
            assert {name for name, ends in ledger.ends.items() if ends} == {"d"}
            lists[0].contexts[0].settled(DEAD)

    run(main())
    assert (ledger[DEAD], ledger[ANSWERED]) == ("abc", "d")


# --- kernels of users -----------------------------------------------------------------------------


class Lagging(Kernel[Any, Any]):
    """Holds two elements back, and gives what it holds at the end."""

    def __init__(self) -> None:
        self._held: list[Any] = []

    @override
    def push(self, items: Iterator[Any], out: list[Any]) -> None:
        for item in items:
            self._held.append(item)
            if len(self._held) > 2:
                out.append(self._held.pop(0))

    @override
    def flush(self) -> list[Any]:
        held, self._held = self._held, []
        return held

    @override
    def held(self) -> int:
        return len(self._held)


class Alarms(Step[Any, Any]):
    """Two results for each x, none for others."""

    @override
    def step(self, item: Any, emit: Callable[[Any], None]) -> None:
        if item == "x":
            emit(1)
            emit(2)


def test_a_result_takes_the_contexts_of_what_leaves_the_state_with_it() -> None:
    lagging: Any = fold("lagging", Lagging, capacity=2, holds=True)
    assert contexts_of(telling(*"abcd").pipe(lagging)) == ["a", "b", "", "cd"]


def test_results_that_come_at_once_answer_for_the_same_elements() -> None:
    alarms: Any = fold("alarms", Alarms)
    assert contexts_of(telling(*"abxcxd").pipe(alarms), 9) == ["", "abx", "", "cx"]
    assert told[-1] == "D"


def test_contexts_may_come_late_and_stop_again() -> None:
    ledger = Ledger()
    source = ledger.source(Chunk([1, 2]), ledger.chunk(3), Chunk([4]), ledger.chunk(5), Chunk([6]))
    assert contexts_of(source.pipe(ops.buffer(bytes=2, cost=lambda _: 1)), 9) == [""] * 3
    assert ledger.outcomes == {"3": ANSWERED, "5": ANSWERED}
    ledger = Ledger()
    source = ledger.source(Chunk([1]), ledger.chunk(2), Chunk([3]))
    assert contexts_of(source.pipe(ops.buffer(2)), 9) == [""] * 2
    assert ledger.outcomes == {"2": ANSWERED}


def test_a_default_at_the_end_answers_for_nothing() -> None:
    ledger = Ledger()
    got = read(ledger.source(1, 2).pipe(ops.filter(lambda x: x > 5), ops.default_if_empty(0)))
    assert got.results == [0]
    assert ledger.outcomes == dict.fromkeys("12", DROPPED)


# --- failures -------------------------------------------------------------------------------------


def sixth(x: int) -> int:
    return 6 // x


def sixths(xs: Any) -> list[Any]:
    return [6 // x for x in xs]


FAILING: dict[str, Any] = {
    "map": ops.map(sixth),
    "filter": ops.filter(sixth),
    "sum": ops.sum(sixth),
    "buffer": ops.buffer(2, bytes=100, cost=sixth),
    "columns": columns("sixth", sixths),
    "columns, few": columns("s", sixths, cardinality=Cardinality.FEWER),
    "columns, singly": columns("s", sixths, cardinality=Cardinality.AT_MOST_ONE),
}


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("what", ["stop", "resume", "restart"])
@pytest.mark.parametrize("name", FAILING)
def test_whatever_follows_a_failure_each_element_ends_once(
    name: str, what: str, fuse: bool
) -> None:
    async def main() -> None:
        source = ledger.source(ledger.chunk(1, 2, 0, 3), ledger.chunk(4, 5))
        flow = source.pipe(ops.map(), FAILING[name], ops.supervise(what))
        async with flow.open(fuse=fuse) as subscription:
            try:
                while not (chunk := await subscription.request(100)).end:
                    for context in chunk.contexts or ():
                        context.settled(ANSWERED)
            except ZeroDivisionError:
                assert what == "stop"

    ledger = Ledger()
    run(main())
    assert ledger.outcomes["0"] is (DROPPED if what == "stop" else DEAD)


def test_dead_letters_that_raise_have_not_taken_the_element() -> None:
    def refuse(_: object) -> None:
        raise LookupError("full")

    ledger = Ledger()
    flow = ledger.source(1, 0, 2).pipe(ops.map(sixth), ops.supervise("resume", dead_letters=refuse))
    assert isinstance(read(flow).error, LookupError)
    assert ledger.outcomes == {"1": ANSWERED, "0": DROPPED}


def test_a_restart_drops_and_counts_what_the_state_held() -> None:
    ledger = Ledger()
    group = ops.buffer(9, bytes=100, cost=sixth)
    got = read(ledger.source(1, 2, 0, 3, 4).pipe(group, ops.supervise("restart")))
    assert got.results == [[3, 4]]
    assert list(got.dropped.values()) == [2]
    assert (ledger[DROPPED], ledger[DEAD], ledger[ANSWERED]) == ("12", "0", "34")


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize(
    ("operator", "held"),
    [(ops.buffer(4), 2), (ops.buffer(4, bytes=9, cost=lambda _: 1), 2), (ops.skip_last(3), 3)],
)
def test_what_a_kernel_holds_when_nobody_wants_more_is_dropped_and_counted(
    operator: Any, held: int, fuse: bool
) -> None:
    async def main() -> int:
        source = scripted(*range(4 + held), Never()) if held == 2 else scripted(*range(9))
        flow: Any = source.pipe(operator)
        async with Run[Any](flow, fuse=fuse) as running:
            await running.subscription.request(1)
            asking = asyncio.ensure_future(running.subscription.request(1))
            await asyncio.sleep(1)
            asking.cancel()
            await asyncio.wait([asking])
        return running.statistics().stages[-1].dropped

    assert run(main()) == held


# --- cost -----------------------------------------------------------------------------------------


def test_a_fold_keeps_nothing_of_contexts_that_nobody_waits_for() -> None:
    gathered, alive = Gathered(), 0
    for number in range(10_000):
        gathered.add(Context(str(number)), 0)
    gc.collect()
    alive = sum(isinstance(each, Context) for each in gc.get_objects())
    assert alive < 1000
    (context,) = gathered.results(1, 0)
    assert context == Context("0")


def test_a_fold_keeps_one_reference_for_each_that_somebody_waits_for() -> None:
    def settle(_: Outcome) -> None:
        count[0] += 1

    count, gathered = [0], Gathered()
    for number in range(10_000):
        gathered.add(Context(str(number), settle=settle), 0)
    (context,) = gathered.results(1, 0)
    held: Any = context.settle
    assert sys.getsizeof(held.__self__._waiting) < 10_000 * 8 * 1.2
    context.settled(ANSWERED)
    assert count == [10_000]
    assert gathered.clear() == [NOTHING]
