"""Traits: what is known of the elements behind a stage when the pipeline is built, such as which column is their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rxml.flow.node import MarkSpec

if TYPE_CHECKING:
    from rxml.flow.node import Node, Spec

T = TypeVar("T")


def trait(node: Node, kind: type[T]) -> T | None:
    """The nearest trait of that type upstream, behind whatever stages; of stages with several inputs, by the first."""
    while True:
        found = _given(node.spec, kind)
        if found is not None or not node.sources:
            return found
        node = node.sources[0]


def traits(node: Node, kind: type[T]) -> list[T]:
    """The nearest traits of that type upstream, behind whatever stages: several, if flows that merge differ in them."""
    found: list[T] = []
    seen: set[int] = set()
    ahead = [node]
    while ahead:
        node = ahead.pop()
        given = _given(node.spec, kind)
        if given is not None and given not in found:
            found.append(given)
        if given is None and id(node) not in seen:
            seen.add(id(node))
            ahead += reversed(_ways(node))
    return found


def trait_of_elements(node: Node, kind: type[T]) -> T | None:
    """The nearest trait of that type that was given to these very elements: none stands behind what makes others.

    Behind a stage that merges there is one if the elements of all inputs have the same.
    """
    found: list[T] = []
    seen: set[int] = set()
    ahead = [node]
    while ahead:
        node = ahead.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        given = _given(node.spec, kind)
        if given is not None:
            found.append(given)
        elif node.sources and _passes(node.spec):
            ahead += _ways(node)
        else:
            return None
    return found[0] if all(each == found[0] for each in found) else None


def lost(node: Node, kind: type[T]) -> tuple[T, Node] | None:
    """A trait of that type that elements upstream were given in vain: no stage went by it, and here it is gone.

    Returns:
        It, and the first stage behind which it is gone; None if these very elements have one, or there is no such.
    """
    if trait_of_elements(node, kind) is not None:
        return None
    seen: set[int] = set()
    ahead: list[tuple[Node, Node | None]] = [(node, None)]
    while ahead:
        node, end = ahead.pop()
        given = _given(node.spec, kind)
        if given is not None and end is not None:
            return given, end
        if given is None and id(node) not in seen and kind not in node.spec.reads:
            seen.add(id(node))
            end = end if _keeps(node, kind) else node
            ahead += [(each, end) for each in reversed(_ways(node))]
    return None


def _keeps(node: Node, kind: type[T]) -> bool:
    """Whether the stage lets the trait through, if its inputs have it."""
    if node.spec.merges:
        return trait_of_elements(node, kind) is not None
    return _passes(node.spec)


def _ways(node: Node) -> tuple[Node, ...]:
    """The inputs whose elements the stage goes by."""
    return node.sources if node.spec.merges else node.sources[:1]


def _given(spec: Spec, kind: type[T]) -> T | None:
    return next((each for each in spec.traits if isinstance(each, kind)), None)


def _passes(spec: Spec) -> bool:
    """Whether what comes out of the stage are the elements that came in, or some of them."""
    return spec.passes or spec.merges or isinstance(spec, MarkSpec)
