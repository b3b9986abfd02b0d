"""Operator: what users write, test, publish and deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable

A_contra = TypeVar("A_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)


class Operator(Protocol[A_contra, B_co]):
    """From one flow to another. Any callable of that shape is an operator; composed operators are operators."""

    def __call__(self, source: Flowable[A_contra], /) -> Flowable[B_co]:
        """The flow with this operator behind it; runs nothing."""
        ...
