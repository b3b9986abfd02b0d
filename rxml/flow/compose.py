"""compose: several operators as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator


class Composed:
    """Operators, one behind the other; an operator like any other."""

    __slots__ = ("operators",)

    def __init__(self, *operators: Any) -> None:
        self.operators = operators

    def __call__(self, source: Flowable[Any]) -> Flowable[Any]:
        """The flow with all of them behind it."""
        return source.pipe(*self.operators)

    @override
    def __repr__(self) -> str:
        return f"compose({', '.join(map(repr, self.operators))})"


def compose(*operators: Any) -> Operator[Any, Any]:
    """One operator that stands for several, in order."""
    return Composed(*operators)
