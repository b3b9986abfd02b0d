"""Combination: how a flow is combined with others, as an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.adopt import flows
from rxml.flow.placing import flowable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable


class Combination:
    """An operator that puts the flow in front of others and combines them all."""

    __slots__ = ("_combine", "_name", "_others")

    def __init__(self, combine: Callable[..., Flowable[Any]], others: tuple[object, ...]) -> None:
        self._name = combine.__name__
        self._combine = combine
        self._others = flows(self._name, others)

    def __call__(self, source: Flowable[Any]) -> Flowable[Any]:
        """The combination of the flow with the others."""
        return self._combine(flowable(source, self._name), *self._others)

    @override
    def __repr__(self) -> str:
        return f"{self._name}({', '.join(map(repr, self._others))})"
