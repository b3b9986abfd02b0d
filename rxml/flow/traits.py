"""Traits: what is known of the elements behind a stage when the pipeline is built, such as which column is their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rxml.flow.kernel import Select
from rxml.flow.node import KernelSpec, MarkSpec

if TYPE_CHECKING:
    from rxml.flow.node import Node, Spec

T = TypeVar("T")


def trait(node: Node, kind: type[T]) -> T | None:
    """The nearest trait of that type upstream, behind whatever stages; of stages with several inputs, by the first."""
    while True:
        for found in node.spec.traits:
            if isinstance(found, kind):
                return found
        if not node.sources:
            return None
        node = node.sources[0]


def trait_of_elements(node: Node, kind: type[T]) -> T | None:
    """The nearest trait of that type that was given to these very elements: none stands behind what makes others."""
    while True:
        for found in node.spec.traits:
            if isinstance(found, kind):
                return found
        if not node.sources or not _passes(node.spec):
            return None
        node = node.sources[0]


def _passes(spec: Spec) -> bool:
    """Whether what comes out of the stage are the elements that came in, or some of them."""
    if isinstance(spec, MarkSpec):
        return True
    return isinstance(spec, KernelSpec) and (spec.opaque or isinstance(spec.kernel(), Select))
