"""Checks of arguments that several families of operators make."""

from __future__ import annotations

import inspect
import sys
from math import inf
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, cast

from reactivex.internal.exceptions import ArgumentOutOfRangeException

from rxml.errors import PipelineError, RxmlError

if TYPE_CHECKING:
    from collections.abc import Callable


def require_callable(name: str, function: object, role: str) -> None:
    """Raise a PipelineError that says what the argument is for, unless it can be called."""
    if not callable(function):
        message = f"{name} wants a function that {role}, got {type(function).__name__}"
        raise PipelineError(message)


def refuse_coroutine_function(
    name: str, function: Callable[..., Any], instead: str | None = None
) -> None:
    """Raise a TypeError if calling the function would only give a coroutine.

    Args:
        name: of the operator.
        function: what it was given.
        instead: what would be right; None: `map_async`.
    """
    called = getattr(function, "__call__", None)  # noqa: B004 - objects with an async __call__
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        shown = getattr(function, "__name__", repr(function))
        right = instead or f"use map_async({shown}, concurrency=...)"
        message = f"{name}({shown}): a coroutine function; {right}"
        raise TypeError(message)


def require_function(
    name: str, function: Callable[..., Any], role: str, instead: str | None = None
) -> None:
    """Both of the above."""
    require_callable(name, function, role)
    refuse_coroutine_function(name, function, instead)


def permit_function(
    name: str, function: Callable[..., Any] | None, role: str, instead: str | None = None
) -> None:
    """Both of the above, unless the argument is left out."""
    if function is not None:
        require_function(name, function, role, instead)


PLAIN: Final = "its result is needed at once; give a plain function"
"""What is right instead of a coroutine function where no element waits for a result."""


class CountError(RxmlError, ArgumentOutOfRangeException):
    """A count or index is too small; reactivex's error, and so a ValueError, too."""


def require_count(name: str, count: object, least: int = 0) -> int:
    """The count, as an int of at most `sys.maxsize`: nothing is ever counted further.

    Raises:
        PipelineError: not an integer.
        CountError: smaller than `least`.
    """
    try:
        number = index(cast("SupportsIndex", count))
    except TypeError:
        message = f"{name} wants an int >= {least}, got {count!r}"
        raise PipelineError(message) from None
    if number < least:
        message = f"{name} wants an int >= {least}, got {number}"
        raise CountError(message)
    return min(number, sys.maxsize)


def require_positive(name: str, number: object, *, finite: bool = True) -> float:
    """The number, which must be > 0.

    Raises:
        PipelineError: not a number.
        ValueError: not > 0, or infinite where that makes no sense.
    """
    wanted = f"{name} wants a number > 0{' and finite' * finite}, got {number!r}"
    if isinstance(number, bool) or not isinstance(number, Real):
        raise PipelineError(wanted)
    value = float(number)
    if not value > 0 or (finite and value == inf):
        raise ValueError(wanted)
    return value


def error_filter(name: str, on: Any) -> Callable[[Exception], object]:
    """What tells of an error whether it counts, made of an exception class, a tuple of them, or a predicate.

    Raises:
        PipelineError: it is none of these.
    """
    kinds = on if on.__class__ is tuple else (on,)
    if on is kinds or isinstance(on, type):
        for kind in kinds:
            _require_exception(name, kind)
        return lambda error: isinstance(error, kinds)
    require_function(
        f"{name}(on=)", on, "tells of an error whether it counts, or exception classes", PLAIN
    )
    return cast("Callable[[Exception], object]", on)


def _require_exception(name: str, kind: object) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        message = f"{name} wants classes of Exception, got {kind!r}"
        raise PipelineError(message)


def explained(name: str, error: Exception) -> Exception:
    """What is wrong with a function whose result cannot be awaited; else the error as it is.

    Args:
        name: of the stage that has called it.
        error: of the call.
    """
    if not isinstance(error, TypeError) or "'await' expression" not in str(error):
        return error
    message = (
        f"{name} wants a function that gives an awaitable, got one whose result is none: {error}"
    )
    return TypeError(f"{message}; map takes such functions")
