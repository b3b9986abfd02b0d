"""Adopt: what else than a Flowable may stand where a flow is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from rxml.errors import PipelineError
from rxml.flow.flowable import Flowable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

_KINDS: list[tuple[type[Any], Callable[[Any], Flowable[Any]]]] = []


def adopt(kind: type[T], convert: Callable[[T], Flowable[Any]]) -> None:
    """Take objects of that class as flows from now on, wherever an operator wants a flow.

    Bridges call this when they are imported, so that the engine need not know them.
    """
    _KINDS.append((kind, convert))


def adopted(value: Any) -> Flowable[Any] | None:
    """The flow that the value is, or that a bridge makes of it; None if it is no flow."""
    if issubclass(type(value), Flowable):
        return cast("Flowable[Any]", value)
    for kind, convert in _KINDS:
        if isinstance(value, kind):
            return convert(value)
    return None


def flows(name: str, values: Iterable[object]) -> tuple[Flowable[Any], ...]:
    """The values as flows.

    Raises:
        PipelineError: one of them is no flow.
    """
    return tuple(_flow(name, position, value) for position, value in enumerate(values))


def _flow(name: str, position: int, value: object) -> Flowable[Any]:
    flow = adopted(value)
    if flow is None:
        message = (
            f"{name} wants flows, but input {position} is a {type(value).__name__}; use rxml.from_iterable, "
            "rxml.from_async_iterable or rxml.from_rx to make a flow of it"
        )
        raise PipelineError(message)
    return flow
