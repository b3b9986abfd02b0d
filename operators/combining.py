"""Operators that make one flow of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from rxml.flow.check import require_count
from rxml.flow.chunk import CHUNK
from rxml.flow.combining import functions as combining
from rxml.flow.combining.combination import Combination
from rxml.flow.kinds import label, stage
from rxml.flow.nested.flattening import FlatMapStage
from rxml.flow.node import Checkpointing

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
X = TypeVar("X")
B_co = TypeVar("B_co", covariant=True)


class Joined(Protocol[B_co]):
    """Elements of the flow and of others."""

    def __call__(self, source: Flowable[X], /) -> Flowable[X | B_co]:
        """The flow with the others beside or behind it; runs nothing."""
        ...


@overload
def merge() -> Same: ...


@overload
def merge(s1: Flowable[B], /) -> Joined[B]: ...


@overload
def merge(s1: Flowable[B], s2: Flowable[C], /) -> Joined[B | C]: ...


@overload
def merge(*sources: Flowable[B]) -> Joined[B]: ...


@overload
def merge(*, max_concurrent: int) -> Operator[Flowable[B], B]: ...


def merge(*sources: Flowable[Any], max_concurrent: int | None = None) -> Any:
    """Merge the elements of several flows as they come.

    Marble:
        -1-----2-----3-|
        ----a-----b--|
        merge()
        -1--a--2--b--3-|

    Demand: of each flow its share of the demand, at least one element.
    Buffers: one chunk for all flows together, or one element for each if that is more.
    Emits: every element as it comes, the elements of each flow in their order. Flows that are always ready take turns:
        neither is ahead by more than a share. The watermark is the least of all flows that have not ended; a barrier
        passes when all flows have come to it, and those that came first wait.
    Completes: when all flows have ended.
    Fails: with the first flow that does, after what came before; the others are cancelled and awaited.
    Cancels: all flows, at once.
    Cost: one task for each flow; about ten microseconds a chunk.

    Args:
        sources: the other flows.
        max_concurrent: the elements are flows themselves, to be merged, so many at a time, >= 1; then there must be no
            other flow. `flat_map` does the same with a function.

    Raises:
        PipelineError: something is no flow.
        ValueError: max_concurrent below 1, or together with other flows.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.merge(rxml.of(3))).to_list())
        [1, 2, 3]
    """
    if max_concurrent is None:
        return Combination(combining.merge, sources)
    require_count("merge(max_concurrent=)", max_concurrent, 1)
    if sources:
        raise ValueError(
            "merge: max_concurrent merges flows that are elements; give no other flows with it"
        )
    return stage(
        label("merge", max_concurrent),
        lambda env, node: FlatMapStage(env, node, lambda element: element, max_concurrent),
        capacity=max_concurrent + max(CHUNK, max_concurrent),
        checkpointing=Checkpointing.PASSES,
    )


@overload
def concat() -> Same: ...


@overload
def concat(s1: Flowable[B], /) -> Joined[B]: ...


@overload
def concat(s1: Flowable[B], s2: Flowable[C], /) -> Joined[B | C]: ...


@overload
def concat(*sources: Flowable[B]) -> Joined[B]: ...


def concat(*sources: Flowable[Any]) -> Any:
    """Let other flows follow when the flow has ended.

    Marble:
        -1--2-|
        -a--b-|
        concat()
        -1--2--a--b-|

    Demand: n elements for n, of the flow whose turn it is.
    Buffers: nothing.
    Emits: all elements of one flow, then those of the next, which is opened only then. A watermark that would go back,
        since a flow begins before the time that the one before has reached, is held back.
    Completes: with the last flow.
    Fails: with the flow whose turn it is.
    Cancels: the flow whose turn it is, at once; those behind it were never opened.
    Cost: nothing an element.

    Args:
        sources: the other flows.

    Raises:
        PipelineError: something is no flow.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.concat(rxml.of(3), rxml.of(4))).to_list())
        [1, 2, 3, 4]
    """
    return Combination(combining.concat, sources)


def amb(right_source: Flowable[A]) -> Operator[A, A]:
    """Follow the flow that answers first.

    Marble:
        ----1--2--3-|
        --a--b--c-|
        amb()
        --a--b--c-|

    Demand: one element of each flow; then n for n, of the one that answered.
    Buffers: one element.
    Emits: the elements of the flow that first gives an element, ends or fails. Of flows that are ready at the same
        moment the left one wins. The other is cancelled, and awaited, before its answer is passed on.
    Completes: with that flow.
    Fails: with that flow.
    Cancels: both flows, at once.
    Cost: two tasks, until the first answer; then nothing an element.

    Args:
        right_source: the other flow.

    Raises:
        PipelineError: it is no flow.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.amb(rxml.of("a", "b"))).to_list())
        [1, 2]
    """
    return Combination(combining.amb, (right_source,))
