"""Placing: what puts stages behind a flow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.flow.adopt import adopted
from rxml.flow.flowable import Flowable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Node, Spec
    from rxml.flow.operator import Operator


A = TypeVar("A")
B = TypeVar("B")


class StageOperator:
    """An operator of one stage: puts its spec behind a flow."""

    __slots__ = ("sources", "spec")

    def __init__(self, spec: Spec, sources: tuple[Node, ...] = ()) -> None:
        self.spec: Spec = spec
        self.sources: tuple[Node, ...] = sources

    def __call__(self, source: Flowable[Any]) -> Flowable[Any]:
        """The flow with this stage behind it (and its further inputs, if it has any, beside)."""
        return Flowable(self.spec, (flowable(source, self.spec.name), *self.sources))

    @override
    def __repr__(self) -> str:
        return self.spec.name


class PlacedOperator:
    """An operator that is made when it is put behind a flow."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[[Flowable[Any]], Operator[Any, Any]]) -> None:
        self.name: str = name
        self.make: Callable[[Flowable[Any]], Operator[Any, Any]] = make

    def __call__(self, source: Flowable[Any]) -> Flowable[Any]:
        """The flow with what was made for it behind it."""
        flow = flowable(source, self.name)
        return self.make(flow)(flow)

    @override
    def __repr__(self) -> str:
        return self.name


def reading(operator: Operator[A, B], *kinds: type[object]) -> Operator[A, B]:
    """The operator of one stage, said to go by these types of traits."""
    stage = cast("StageOperator", operator)
    return cast("Operator[A, B]", StageOperator(replace(stage.spec, reads=kinds), stage.sources))


def flowable(source: object, name: str) -> Flowable[Any]:
    """The source as a flow (see `rxml.flow.adopt`); else an error that says what would be right."""
    flow = adopted(source)
    if flow is not None:
        return flow
    message = (
        f"{name} wants a Flowable, got {type(source).__name__}; "
        "use rxml.from_rx for an Observable, rxml.from_iterable or rxml.from_async_iterable for the rest"
    )
    raise PipelineError(message)
