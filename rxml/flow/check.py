"""Checks of arguments that several families of operators make."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def refuse_coroutine_function(name: str, function: Callable[..., Any]) -> None:
    """Raise a TypeError that names `map_async` if calling the function would only give a coroutine."""
    called = getattr(function, "__call__", None)  # noqa: B004 - objects with an async __call__
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        shown = getattr(function, "__name__", repr(function))
        message = f"{name}({shown}): a coroutine function; use map_async({shown}, concurrency=...)"
        raise TypeError(message)
