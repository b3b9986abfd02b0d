"""compose: several operators as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from typing_extensions import override

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable, Operator, Step
    from rxml.flow.shapes import Same

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")


class Composed:
    """Operators, one behind the other; an operator like any other."""

    __slots__ = ("operators",)

    def __init__(self, *operators: Any) -> None:
        self.operators: tuple[Any, ...] = operators

    def __call__(self, source: Flowable[Any]) -> Flowable[Any]:
        """The flow with all of them behind it."""
        return source.pipe(*self.operators)

    @override
    def __repr__(self) -> str:
        return f"compose({', '.join(map(repr, self.operators))})"


# fmt: off
@overload
def compose() -> Same: ...
@overload
def compose(o1: Step[A, B], /) -> Operator[A, B]: ...
@overload
def compose(o1: Step[A, B], o2: Step[B, C], /) -> Operator[A, C]: ...
@overload
def compose(o1: Step[A, B], o2: Step[B, C], o3: Step[C, D], /) -> Operator[A, D]: ...
@overload
def compose(
    o1: Step[A, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E], /,
) -> Operator[A, E]: ...
@overload
def compose(
    o1: Step[A, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E], o5: Step[E, F], /,
) -> Operator[A, F]: ...
@overload
def compose(
    o1: Step[A, B], o2: Step[B, C], o3: Step[C, D], o4: Step[D, E], o5: Step[E, F],
    o6: Step[F, G], /,
) -> Operator[A, G]: ...
# More of them, and rows that begin with an operator that takes any element, which pyright cannot follow.
@overload
def compose(*operators: Step[Any, Any]) -> Operator[Any, Any]: ...
# fmt: on


def compose(*operators: Any) -> Operator[Any, Any]:
    """One operator that stands for several, in order."""
    return Composed(*operators)
