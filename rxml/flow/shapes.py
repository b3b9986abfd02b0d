"""Shapes of operators that take elements of whatever type comes.

An `Operator[A, A]` whose A no argument tells is a puzzle that not every type checker solves in the middle of a pipe;
an operator that says of itself "whatever X comes, X goes" is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rxml.flow.flowable import Flowable

X = TypeVar("X")


class Same(Protocol):
    """Elements keep their type."""

    def __call__(self, source: Flowable[X], /) -> Flowable[X]:
        """The flow with this operator behind it; runs nothing."""
        ...


class Listed(Protocol):
    """Elements come out in lists."""

    def __call__(self, source: Flowable[X], /) -> Flowable[list[X]]:
        """The flow with this operator behind it; runs nothing."""
        ...


class Paired(Protocol):
    """Elements come out in pairs."""

    def __call__(self, source: Flowable[X], /) -> Flowable[tuple[X, X]]:
        """The flow with this operator behind it; runs nothing."""
        ...


class Unlisted(Protocol):
    """Lists, or other iterables, come out element by element."""

    def __call__(self, source: Flowable[Iterable[X]], /) -> Flowable[X]:
        """The flow with this operator behind it; runs nothing."""
        ...
