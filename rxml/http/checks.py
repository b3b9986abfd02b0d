"""Checks of what users pass: values that type checkers have not seen."""

from __future__ import annotations

from typing import Any

from rxml.errors import PipelineError


def is_span(seconds: Any) -> bool:
    """True for a number of seconds > 0."""
    return not isinstance(seconds, bool) and isinstance(seconds, int | float) and seconds > 0


def is_path(path: Any) -> bool:
    """True for the path of a URL, without a query."""
    return isinstance(path, str) and path.startswith("/") and "?" not in path and "#" not in path


def names(what: str, given: Any, example: str) -> tuple[str, ...]:
    """Names that were given as a list of str.

    Raises:
        PipelineError: they are something else.
    """
    try:
        found: list[Any] = [] if isinstance(given, str) else list(given)
    except TypeError:
        found = [None]
    if isinstance(given, str) or not all(isinstance(name, str) for name in found):
        raise PipelineError(f"{what} must be a list of str such as [{example!r}], got {given!r}")
    return tuple(found)


def instance(what: str, given: Any, kind: type[Any]) -> None:
    """Let pass what is of that class.

    Raises:
        PipelineError: it is not.
    """
    if not isinstance(given, kind):
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        raise PipelineError(f"{what} must be of {name}, got {given!r}")
