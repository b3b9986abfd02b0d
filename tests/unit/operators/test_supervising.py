"""supervise: who decides, about which stages, and what becomes of their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.flow.supervision import DeadLetter, Directive
from rxml.testing import run

if TYPE_CHECKING:
    from rxml.flow.operator import Operator


def results(*operators: Operator[Any, Any], of: tuple[Any, ...] = (1, 0, 2)) -> list[Any]:
    return run(rxml.from_iterable(of).pipe(*operators).to_list())


def share(x: Any) -> int:
    return int(6 // x)


def total(a: int, b: int) -> int:
    return a + share(b)


def by_name(_: Exception) -> Literal["resume"]:
    return "resume"


def by_value(_: Exception) -> Directive:
    return Directive.RESUME


def perhaps(_: Exception) -> str:
    return "perhaps"


RESUMING: list[Any] = [
    "resume",
    Directive.RESUME,
    by_name,
    by_value,
    {ZeroDivisionError: "resume"},
    {ArithmeticError: Directive.RESUME},
    {ArithmeticError: "stop", ZeroDivisionError: "resume"},
    {ZeroDivisionError: "resume", Exception: "stop"},
]


@pytest.mark.parametrize("directive", RESUMING)
def test_a_directive_may_be_given_in_many_ways(directive: Any) -> None:
    assert results(ops.map(share), ops.supervise(directive)) == [6, 3]


@pytest.mark.parametrize(
    "directive", ["stop", {LookupError: "resume"}, {ZeroDivisionError: "stop"}], ids=str
)
def test_what_is_not_to_go_on_stops(directive: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        results(ops.map(share), ops.supervise(directive))


def test_resume_keeps_the_state_and_restart_resets_it() -> None:
    of = (1, 2, 0, 3, 6)
    assert results(ops.scan(total, 0), ops.supervise("resume"), of=of) == [6, 9, 11, 12]
    assert results(ops.scan(total, 0), ops.supervise("restart"), of=of) == [6, 9, 2, 3]
    assert results(ops.reduce(total, 0), ops.supervise("resume"), of=of) == [12]
    assert results(ops.reduce(total, 0), ops.supervise("restart"), of=of) == [3]


def test_it_stands_for_the_stages_upstream_down_to_the_next() -> None:
    def second(x: int) -> int:
        if x == 3:
            raise LookupError
        return x

    both = [ops.map(share), ops.supervise("resume"), ops.map(second), ops.supervise("stop")]
    assert results(*both, of=(1, 0)) == [6]
    with pytest.raises(LookupError):
        results(*both, of=(1, 2))
    with pytest.raises(LookupError):
        results(ops.map(share), ops.supervise("resume"), ops.map(second), of=(1, 2))


def test_a_dead_letter_tells_what_failed_and_where() -> None:
    letters: list[DeadLetter] = []
    steps: list[Operator[Any, Any]] = [ops.filter(share), ops.map(share), ops.scan(total)]
    assert results(*steps, ops.supervise("resume", dead_letters=letters.append), of=(1, 0, 9)) == [
        6
    ]
    (letter,) = letters
    assert (letter.element, letter.stage, type(letter.error)) == (
        0,
        "filter(share)",
        ZeroDivisionError,
    )
    assert "in stage filter(share)" in letter.error.__notes__[0]


def with_share(pair: tuple[int, int]) -> tuple[int, int]:
    return share(pair[0]), pair[1]


def test_every_element_ends_as_a_result_or_as_a_dead_letter() -> None:
    letters: list[DeadLetter] = []
    steps: list[Operator[Any, Any]] = [ops.map(with_share), ops.map(with_share)]
    resume: Operator[Any, Any] = ops.supervise("resume", dead_letters=letters.append)
    numbers = range(-9, 10)
    found = results(*steps, resume, of=tuple((x, x) for x in numbers))
    assert [x for _, x in found] == [x for x in numbers if x != 0 and x <= 6]
    assert sorted([*(x for _, x in found), *(letter.element[1] for letter in letters)]) == [
        *numbers
    ]


def test_an_expansion_that_fails_in_the_middle_keeps_what_it_gave() -> None:
    def halves(x: int) -> Any:
        yield x
        yield share(x)

    flow = (ops.map(halves), ops.unbatch(), ops.supervise("resume"))
    assert results(*flow) == [1, 6, 0, 2, 3]


def test_a_decider_that_decides_nothing_sensible_stops_with_an_error_that_says_so() -> None:
    odd: Any = perhaps
    with pytest.raises(PipelineError, match="got 'perhaps'") as caught:
        results(ops.map(share), ops.supervise(odd))
    assert isinstance(caught.value.__context__, ZeroDivisionError)


def test_a_source_that_fails_stops_whatever_is_said() -> None:
    async def main() -> list[Any]:
        return await rxml.throw(ValueError("the source")).pipe(ops.supervise("resume")).to_list()

    with pytest.raises(ValueError, match="the source"):
        run(main())
