"""What happens when an element fails in a row of synchronous stages, and to what travels beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.flow.chunk import END, Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import columns, fold, source
from rxml.flow.stage import Stage
from rxml.flow.supervision import Directive, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rxml.flow.operator import Operator
    from rxml.flow.supervision import DeadLetter


def piped(flow: rxml.Flowable[Any], *operators: Operator[Any, Any]) -> rxml.Flowable[Any]:
    return flow.pipe(*operators)


def stopping(at: int) -> Any:
    """A function that raises StopIteration for one element."""

    def function(x: int) -> int:
        if x == at:
            raise StopIteration
        return x

    return function


async def results(flow: rxml.Flowable[Any], n: int = rxml.UNBOUNDED) -> tuple[list[Any], Any]:
    """What came out, and the error, if one came."""
    found: list[Any] = []
    async with flow.open() as subscription:
        try:
            while not (chunk := await subscription.request(n)).end:
                found.extend(chunk.elements)
        except Exception as error:  # noqa: BLE001 - looked at by the tests
            return found, error
    return found, None


# --- StopIteration -----------------------------------------------------------------------------

SILENT: dict[str, Callable[[Any], Operator[Any, Any]]] = {
    "map": lambda at: ops.map(stopping(at)),
    "filter": lambda at: ops.filter(stopping(at)),
    "take_while": lambda at: ops.take_while(stopping(at)),
    "skip_while": lambda at: ops.skip_while(stopping(at)),
    "scan": lambda at: ops.scan(lambda _, x: stopping(at)(x)),
    "reduce": lambda at: ops.reduce(lambda _, x: stopping(at)(x)),
    "count": lambda at: ops.count(stopping(at)),
    "all": lambda at: ops.all(lambda x: stopping(at)(x) or True),
    "do_action": lambda at: ops.do_action(stopping(at)),
}


@pytest.mark.parametrize("n", [1, 2, rxml.UNBOUNDED])
@pytest.mark.parametrize("at", [2, 3])
@pytest.mark.parametrize("name", SILENT)
def test_a_function_that_raises_stop_iteration_fails_the_stream(name: str, at: int, n: int) -> None:
    """In the middle of a chunk, and as its last element, where `map` ends without a trace."""
    _, error = asyncio.run(results(piped(rxml.of(1, 2, 3), SILENT[name](at)), n))
    assert isinstance(error, RuntimeError)
    assert "StopIteration" in str(error)


def test_an_element_that_will_not_be_iterated_fails_the_stream() -> None:
    class Shut:
        def __iter__(self) -> Iterator[int]:
            raise StopIteration

    found, error = asyncio.run(results(piped(rxml.of([1], Shut()), ops.unbatch())))
    assert (found, type(error)) == ([1], RuntimeError)


def test_such_an_element_can_be_left_out() -> None:
    flow = piped(rxml.of(1, 2, 3), ops.filter(stopping(3)), ops.supervise("resume"))
    assert asyncio.run(results(flow)) == ([1, 2], None)


# --- ends and errors ---------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, rxml.UNBOUNDED])
def test_a_stage_that_is_finished_never_sees_the_error_behind(n: int) -> None:
    flow = piped(rxml.of(2, 1, 0), ops.map(lambda x: 1 // x), ops.take_while(lambda x: x == 0))
    assert asyncio.run(results(flow, n)) == ([0], None)


def test_the_error_of_an_earlier_element_comes_first() -> None:
    def second(x: int) -> int:
        if x == 1:
            raise LookupError("the second stage")
        return x

    flow = piped(rxml.of(3, 1, 0), ops.map(lambda x: x // x * x), ops.map(second))
    found, error = asyncio.run(results(flow))
    assert (found, str(error)) == ([3], "the second stage")


def test_at_the_end_a_stage_acts_after_the_elements_before_were_handed_on() -> None:
    seen: list[Any] = []

    async def main() -> None:
        flow = rxml.of(1, 2).pipe(ops.do_action(None, None, lambda: seen.append("end")), ops.map())
        async with flow.open() as subscription:
            seen.extend((await subscription.request(2)).elements)
            await subscription.request(2)

    asyncio.run(main())
    assert seen == [1, 2, "end"]


class Hasty(Kernel[int, int]):
    """Raises before it has taken anything."""

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        raise ValueError("at once")


def test_a_kernel_that_fails_without_an_element_stops_whatever_is_said() -> None:
    hasty: Operator[int, int] = fold("hasty", Hasty)
    flow = piped(rxml.of(1, 2), hasty, ops.supervise("resume"))
    assert str(asyncio.run(results(flow))[1]) == "at once"


@pytest.mark.parametrize("where", ["decider", "dead letters"])
def test_an_error_of_the_supervisor_itself_comes_after_the_results_before(where: str) -> None:
    def decide(_: Exception) -> Directive:
        if where == "decider":
            raise LookupError("of the supervisor")
        return Directive.RESUME

    def bury(_: DeadLetter) -> None:
        raise LookupError("of the supervisor")

    flow = piped(
        rxml.of(1, 2, 0, 3), ops.map(lambda x: 6 // x), ops.supervise(decide, dead_letters=bury)
    )
    found, error = asyncio.run(results(flow))
    assert (found, str(error)) == ([6, 3], "of the supervisor")
    assert isinstance(error.__context__, ZeroDivisionError)


def test_a_chunk_of_columns_fails_as_a_whole() -> None:
    def halves(rows: Sequence[int]) -> Sequence[int]:
        return [6 // row for row in rows]

    letters: list[DeadLetter] = []
    sixth: Operator[int, int] = columns("sixth", halves)
    flow = piped(rxml.of(1, 0, 2), sixth, ops.supervise("resume", dead_letters=letters.append))
    assert asyncio.run(results(flow)) == ([], None)
    assert [letter.element for letter in letters] == [1, 0, 2]


# --- contexts ----------------------------------------------------------------------------------


class Told(Stage[Any]):
    """Gives elements with contexts that write down what became of them."""

    def __init__(self, env: Any, node: Any, chunks: list[list[Any]], log: dict[str, str]) -> None:
        super().__init__(env, node)
        self._chunks = iter(chunks)
        self._log = log

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        for elements in self._chunks:
            return Chunk(elements, [self._context(element) for element in elements])
        return END

    def _context(self, element: Any) -> Context:
        def settle(outcome: Outcome) -> None:
            assert str(element) not in self._log, "settled twice"
            self._log[str(element)] = outcome.value

        return Context(fact_id=str(element), settle=settle)


async def beside(
    chunks: list[list[Any]], *operators: Operator[Any, Any]
) -> tuple[list[Any], dict[str, str]]:
    """Results with the fact ids of their contexts, and what became of the other elements."""
    log: dict[str, str] = {}
    pairs: list[Any] = []
    flow: rxml.Flowable[Any] = source("told", lambda env, node: Told(env, node, chunks, log))
    async with piped(flow, *operators).open() as subscription:
        while not (chunk := await subscription.request(100)).end:
            contexts: list[Any] = chunk.contexts or [None] * len(chunk)
            pairs += [(e, c and c.fact_id) for e, c in zip(chunk.elements, contexts, strict=True)]
    return pairs, log


CHUNKS: list[list[Any]] = [[1, 2], [3], [4, 5]]
DROPPED, DEAD = "dropped", "dead-lettered"


def odd(x: int) -> int:
    return x % 2


def small(x: int) -> bool:
    return x < 4


def in_pairs(x: int) -> int:
    return x // 2


PLACES: list[tuple[Operator[Any, Any], str, str]] = [
    (ops.take(2), "12", ""),
    (ops.skip(3), "45", "123"),
    (ops.take_last(2), "45", "123"),
    (ops.skip_last(2), "123", "45"),
    (ops.first(), "1", "2"),
    (ops.last(), "5", "1234"),
    (ops.element_at(2), "3", "12"),
    (ops.filter(odd), "135", "24"),
    (ops.take_while(small), "123", "45"),
    (ops.skip_while(small), "45", "123"),
    (ops.distinct(in_pairs), "124", "35"),
    (ops.last_or_default(0, small), "3", "1245"),
    (ops.default_if_empty(0), "12345", ""),
]


@pytest.mark.parametrize(("operator", "kept", "dropped"), PLACES, ids=str)
def test_a_context_stays_with_its_element_and_a_dropped_one_is_told(
    operator: Operator[Any, Any], kept: str, dropped: str
) -> None:
    """Elements that were never asked for are neither."""
    pairs, log = asyncio.run(beside(CHUNKS, operator))
    assert pairs == [(int(x), x) for x in kept]
    assert log == dict.fromkeys(dropped, DROPPED)


def test_the_rest_of_a_chunk_behind_the_end_is_dropped() -> None:
    _, log = asyncio.run(beside([[1, 2, 3]], ops.take(1)))
    assert log == {"2": DROPPED, "3": DROPPED}
    _, log = asyncio.run(beside([[1, 5, 2]], ops.take_while(small)))
    assert log == {"5": DROPPED, "2": DROPPED}


def test_a_dead_letter_is_not_dropped_as_well() -> None:
    def picky(x: int) -> bool:
        return 6 // (x - 2) > 0

    keep: Operator[Any, Any] = ops.filter(picky)
    pairs, log = asyncio.run(beside(CHUNKS, keep, ops.supervise("resume")))
    assert pairs == [(x, str(x)) for x in (3, 4, 5)]
    assert log == {"1": DROPPED, "2": DEAD}
    pairs, log = asyncio.run(
        beside(CHUNKS, ops.map(lambda x: 6 // (x - 2)), ops.supervise("resume"))
    )
    assert pairs == [(-6, "1"), (6, "3"), (3, "4"), (2, "5")]
    assert log == {"2": DEAD}


def test_the_expansion_of_an_element_has_its_context_and_no_expansion_drops_it() -> None:
    pairs, log = asyncio.run(beside([[(1, 2), ()], [(3,)]], ops.unbatch()))
    assert pairs == [(1, "(1, 2)"), (2, "(1, 2)"), (3, "(3,)")]
    assert log == {"()": DROPPED}


def test_contexts_may_begin_in_the_middle_of_a_stream() -> None:
    class Late(Told):
        """Gives contexts from the second chunk on."""

        @override
        async def pull(self, n: int) -> Chunk[Any]:
            chunk = await super().pull(n)
            return chunk if chunk.end or 1 not in chunk.elements else Chunk(chunk.elements)

    async def main() -> Any:
        flow: rxml.Flowable[Any] = source("late", lambda env, node: Late(env, node, CHUNKS, {}))
        async with piped(flow, ops.skip_last(1)).open() as subscription:
            chunks = [await subscription.request(100) for _ in range(3)]
        return [(list(c.elements), [x.fact_id for x in c.contexts or []]) for c in chunks]

    assert asyncio.run(main()) == [([1], []), ([2], [None]), ([3, 4], ["3", "4"])]


def test_a_supervisor_by_default_stops() -> None:
    error = ValueError("it")
    assert Supervisor().handle(error, []) == (Directive.STOP, error)
