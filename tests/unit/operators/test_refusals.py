"""Arguments are checked when a pipeline is built, and the message says what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rxml import operators as ops
from rxml.errors import PipelineError, RxmlError
from rxml.flow.check import CountError, require_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.operator import Operator


async def later(*_: Any) -> Any:
    """A coroutine function."""


class Later:
    """An object whose call is one."""

    async def __call__(self, *_: Any) -> Any:
        """The call."""


FUNCTIONS: dict[str, Callable[[Any], Operator[Any, Any]]] = {
    "map": ops.map,
    "starmap": ops.starmap,
    "scan": ops.scan,
    "filter": ops.filter,
    "take_while": ops.take_while,
    "skip_while": ops.skip_while,
    "distinct": ops.distinct,
    "distinct(comparer)": lambda f: ops.distinct(None, f),
    "distinct_until_changed": ops.distinct_until_changed,
    "distinct_until_changed(comparer)": lambda f: ops.distinct_until_changed(None, f),
    "first": ops.first,
    "first_or_default": ops.first_or_default,
    "last": ops.last,
    "last_or_default": lambda f: ops.last_or_default(0, f),
    "reduce": ops.reduce,
    "sum": ops.sum,
    "average": ops.average,
    "count": ops.count,
    "min": ops.min,
    "max": ops.max,
    "all": ops.all,
    "some": ops.some,
    "contains": lambda f: ops.contains(0, f),
    "do_action(on_next)": ops.do_action,
    "do_action(on_error)": lambda f: ops.do_action(None, f),
    "do_action(on_completed)": lambda f: ops.do_action(None, None, f),
    "supervise": ops.supervise,
    "supervise(dead_letters)": lambda f: ops.supervise("resume", dead_letters=f),
    "map_batch": ops.map_batch,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("function", [later, Later()], ids=["function", "object"])
def test_a_coroutine_function_is_refused_by_naming_map_async(name: str, function: Any) -> None:
    with pytest.raises(TypeError, match=r"a coroutine function; use map_async\("):
        FUNCTIONS[name](function)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_function_is_refused(name: str) -> None:
    with pytest.raises(PipelineError, match=name.partition("(")[0]):
        FUNCTIONS[name](3)


NEEDED = ["scan", "filter", "take_while", "skip_while", "reduce", "all", "supervise", "map_batch"]


@pytest.mark.parametrize("name", NEEDED)
def test_where_a_function_is_needed_none_is_refused(name: str) -> None:
    with pytest.raises(PipelineError):
        FUNCTIONS[name](None)


def test_finally_action_wants_something_to_call() -> None:
    with pytest.raises(PipelineError, match="finally_action wants a function that is called"):
        ops.finally_action(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


COUNTS: dict[str, Callable[[Any], Operator[Any, Any]]] = {
    "take": ops.take,
    "skip": ops.skip,
    "take_last": ops.take_last,
    "skip_last": ops.skip_last,
    "element_at": ops.element_at,
    "element_at_or_default": ops.element_at_or_default,
    "distinct": lambda n: ops.distinct(max_keys=n),
    "to_list": lambda n: ops.to_list(max_elements=n),
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("count", [2.5, "3", None])
def test_a_count_that_is_no_int_is_refused(name: str, count: Any) -> None:
    with pytest.raises(PipelineError, match=rf"{name}.* wants an int"):
        COUNTS[name](count)


@pytest.mark.parametrize("name", sorted(set(COUNTS) - {"take_last", "skip_last"}))
def test_a_negative_count_is_refused_as_a_value_error(name: str) -> None:
    with pytest.raises(CountError, match=rf"{name}.* >= .*got -1") as caught:
        COUNTS[name](-1)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, RxmlError)


def test_a_count_beyond_all_counting_is_one_that_is_never_reached() -> None:
    assert require_count("it", 10**30) == 2**63 - 1


@pytest.mark.parametrize("directive", ["ignore", 1, ["resume"], {ValueError: "ignore"}])
def test_a_directive_that_is_none_is_refused(directive: Any) -> None:
    with pytest.raises(PipelineError, match="supervise wants"):
        ops.supervise(directive)


@pytest.mark.parametrize("kind", [int, "ValueError", BaseException, ValueError("an instance")])
def test_a_mapping_wants_classes_of_errors(kind: Any) -> None:
    with pytest.raises(PipelineError, match="classes of errors as keys"):
        ops.supervise({kind: "resume"})
