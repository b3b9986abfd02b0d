"""The operator that says what becomes of elements that fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from typing_extensions import TypeIs

from rxml.errors import PipelineError
from rxml.flow.check import permit_function, require_function
from rxml.flow.kinds import label, supervised
from rxml.flow.supervision import Directive, Supervisor

if TYPE_CHECKING:
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same
    from rxml.flow.supervision import DeadLetter

A = TypeVar("A")

What: TypeAlias = Directive | Literal["resume", "restart", "stop"]
"""A directive, or its name."""


def supervise(
    directive: What | Callable[[Exception], What] | Mapping[type[Exception], What],
    *,
    dead_letters: Callable[[DeadLetter], object] | None = None,
) -> Same:
    """Say what becomes of an element for which a stage upstream fails.

    Marble:
        --1--0--2--|
        map(lambda x: 2 / x), supervise("resume")
        --2-----1--|

    It stands for the stages upstream of it in the same pipe, down to the next `supervise`, and for those upstream of a
    `share` if it stands behind the first who subscribes to that; failures of sources end the stream whatever it says.
    Where a stage works on whole chunks, the whole chunk has failed. It does not reach functions inside of operators of
    reactivex in the pipe: what these raise ends the stream, or is for `rx.catch` and `rx.retry`.

    Demand: n elements for n; it is no stage of its own.
    Buffers: nothing.
    Emits: each element.
    Completes: with upstream.
    Fails: with upstream, when the directive for an error is `stop`, or when the decider or `dead_letters` raises.
    Cancels: upstream, at once.
    Cost: none until something fails; then a call for each element that failed.

    Args:
        directive: `"resume"` leaves the element out and goes on; `"restart"` does, too, after the state of the stage was
            reset; `"stop"` fails the stream. Or a function from the error to one of these. Or a mapping from classes of
            errors, of which the one nearest to the error's own counts; errors of no class in it stop.
        dead_letters: called with each element left out, its error, and the name of the stage.

    Raises:
        PipelineError: a directive that is none (a TypeError).
        TypeError: a coroutine function.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(
        ...     rxml.of(1, 0, 2)
        ...     .pipe(
        ...         ops.map(lambda x: 2 / x),
        ...         ops.supervise(
        ...             {ZeroDivisionError: "resume"},
        ...             dead_letters=lambda letter: print(letter.error),
        ...         ),
        ...     )
        ...     .to_list()
        ... )
        division by zero
        [2.0, 1.0]
    """
    decide, shown = _decider(directive)
    permit_function("supervise(dead_letters)", dead_letters, "takes a DeadLetter")
    operator: Operator[Any, Any] = supervised(
        label("supervise", shown), Supervisor(decide, dead_letters)
    )
    return operator


def _decider(given: Any) -> tuple[Callable[[Exception], Directive], object]:
    """The function that decides, and how to show it."""
    if _is_mapping(given):
        table = {_error_class(kind): _directive(what) for kind, what in given.items()}
        return lambda error: _nearest(table, error), "{…}"
    if isinstance(given, str | Directive) or not callable(given):
        always = _directive(given)
        return lambda _: always, always.value
    require_function("supervise", given, "makes a directive of an error")
    return lambda error: _directive(given(error)), given


def _is_mapping(given: object) -> TypeIs[Mapping[Any, Any]]:
    return isinstance(given, Mapping)


def _nearest(table: Mapping[type[Exception], Directive], error: Exception) -> Directive:
    for kind in type(error).__mro__:
        if kind in table:
            return table[kind]
    return Directive.STOP


def _error_class(given: Any) -> type[Exception]:
    if isinstance(given, type) and issubclass(given, Exception):
        return given
    message = f"supervise wants classes of errors as keys, got {given!r}"
    raise PipelineError(message)


def _directive(given: object) -> Directive:
    if isinstance(given, Directive):
        return given
    for each in Directive:
        if given == each.value:
            return each
    message = (
        "supervise wants resume, restart or stop, a function that gives one of them, or a mapping from classes of"
        f" errors to them, got {given!r}"
    )
    raise PipelineError(message)
