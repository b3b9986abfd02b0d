"""Checks of arguments that several families of operators make."""

from __future__ import annotations

import inspect
import sys
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

from reactivex.internal.exceptions import ArgumentOutOfRangeException

from rxml.errors import PipelineError, RxmlError

if TYPE_CHECKING:
    from collections.abc import Callable


def require_callable(name: str, function: object, role: str) -> None:
    """Raise a PipelineError that says what the argument is for, unless it can be called."""
    if not callable(function):
        message = f"{name} wants a function that {role}, got {type(function).__name__}"
        raise PipelineError(message)


def refuse_coroutine_function(name: str, function: Callable[..., Any]) -> None:
    """Raise a TypeError that names `map_async` if calling the function would only give a coroutine."""
    called = getattr(function, "__call__", None)  # noqa: B004 - objects with an async __call__
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        shown = getattr(function, "__name__", repr(function))
        message = f"{name}({shown}): a coroutine function; use map_async({shown}, concurrency=...)"
        raise TypeError(message)


def require_function(name: str, function: Callable[..., Any], role: str) -> None:
    """Both of the above."""
    require_callable(name, function, role)
    refuse_coroutine_function(name, function)


def permit_function(name: str, function: Callable[..., Any] | None, role: str) -> None:
    """Both of the above, unless the argument is left out."""
    if function is not None:
        require_function(name, function, role)


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
    require_callable(name, on, "tells of an error whether it counts, or exception classes")
    return cast("Callable[[Exception], object]", on)


def _require_exception(name: str, kind: object) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        message = f"{name} wants classes of Exception, got {kind!r}"
        raise PipelineError(message)
