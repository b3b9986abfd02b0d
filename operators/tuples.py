"""Operators that put elements of several flows into tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.combining import functions as combining
from rxml.flow.combining.combination import Combination

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator


def zip(*args: Flowable[Any]) -> Operator[Any, tuple[Any, ...]]:  # noqa: A001 - reactivex's name
    """Put the k-th elements of all flows into a tuple.

    Marble:
        -1--2-----3-|
        ---a--b-----c-|
        zip()
        ---1a-2b----|

    Demand: of each flow, as many as are wanted and not held.
    Buffers: of each flow what it is ahead of the slowest, at most the demand, at most 1,024 elements.
    Emits: a tuple as soon as its last part has come; it has the contexts of all parts, joined: settling it settles
        them all. The watermark is the least of all flows, behind what it came behind; a barrier passes when the last
        flow has come to it.
    Completes: as soon as a flow has ended and none of its elements is left to pair; the others are closed at once.
    Fails: with any flow, after the tuples that are complete.
    Cancels: all flows, at once.
    Cost: one task for each flow; under half a microsecond a tuple.

    Args:
        args: the other flows.

    Raises:
        PipelineError: something is no flow.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.zip(rxml.of("a", "b"))).to_list())
        [(1, 'a'), (2, 'b')]
    """
    return Combination(combining.zip, args)


def zip_latest(*others: Flowable[Any]) -> Operator[Any, tuple[Any, ...]]:
    """Put the newest elements of all flows into a tuple, each element into one at most.

    Marble:
        -1--2-----3-----|
        ------a-b-----c-|
        zip_latest()
        ------2a--3b----|

    Demand: of each flow its share of the demand, while the reader waits.
    Buffers: the newest element of each flow, and one chunk.
    Emits: a tuple when every flow has given an element since the last tuple; an element that was replaced before that
        ends as dropped. Contexts are joined as by `zip`; the watermark is the least of all flows.
    Completes: when a flow has ended whose last element has been used; the others are closed at once.
    Fails: with any flow, after the tuples before.
    Cancels: all flows, at once.
    Cost: one task for each flow; about a microsecond an element.

    Args:
        others: the other flows.

    Raises:
        PipelineError: something is no flow.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.zip_latest(rxml.of("a", "b"))).to_list())
        [(3, 'a')]
    """
    return Combination(combining.zip_latest, others)


def combine_latest(*others: Flowable[Any]) -> Operator[Any, tuple[Any, ...]]:
    """Put the newest elements of all flows into a tuple, whenever one of them gives a new one.

    Marble:
        -1----2------3-|
        ---a----b--c---|
        combine_latest()
        ---1a-2a2b-2c3c|

    Demand: of each flow its share of the demand, while the reader waits; put `conflate` behind a flow that is to be read
        meanwhile.
    Buffers: the newest element of each flow, and one chunk.
    Emits: a tuple for each element once every flow has given one, with the context of that element; an element that was
        replaced before that ends as dropped. The watermark is the least of all flows.
    Completes: when all flows have ended, or as soon as one has ended without an element.
    Fails: with any flow, after the tuples before.
    Cancels: all flows, at once.
    Cost: one task for each flow; about a microsecond an element.

    Args:
        others: the other flows.

    Raises:
        PipelineError: something is no flow.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.combine_latest(rxml.of("a", "b"))).to_list())
        [(2, 'a'), (2, 'b')]
    """
    return Combination(combining.combine_latest, others)


def with_latest_from(*sources: Flowable[Any]) -> Operator[Any, tuple[Any, ...]]:
    """Put each element of the flow into a tuple with the newest elements of others.

    Marble:
        -1----2------3-|
        ---a----b--c---|
        with_latest_from()
        ------2a-----3c|

    Demand: n elements for n; of each other flow as many, while the reader waits: they are asked first, so that what is
        there already is used. Put `conflate` behind one that is to be read while the reader does not ask.
    Buffers: the newest element of each other flow, and one chunk.
    Emits: a tuple for each element of the flow once every other has given one, with its context; an element before that
        ends as dropped, and so do those of the others. Signals are those of the flow.
    Completes: with the flow; the end of another means nothing.
    Fails: with any flow, after the tuples before.
    Cancels: all flows, at once.
    Cost: one task for each flow; about a microsecond an element.

    Args:
        sources: the other flows.

    Raises:
        PipelineError: something is no flow.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.with_latest_from(rxml.of("a", "b"))).to_list())
        [(1, 'b'), (2, 'b')]
    """
    return Combination(combining.with_latest_from, sources)


def fork_join(*others: Flowable[Any]) -> Operator[Any, tuple[Any, ...]]:
    """Put the last elements of all flows into one tuple when all have ended.

    Marble:
        -1--2-|
        ---a----b-|
        fork_join()
        ----------2b|

    Demand: 1,024 elements at a time of each flow, until it ends.
    Buffers: the newest element of each flow, and one chunk of each.
    Emits: one tuple, with the contexts of its parts, joined; the elements before end as dropped.
    Completes: behind the tuple; at once, without one, when a flow ends without an element.
    Fails: with any flow.
    Cancels: all flows, at once.
    Cost: one task for each flow.

    Args:
        others: the other flows.

    Raises:
        PipelineError: something is no flow.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.fork_join(rxml.of("a", "b"))).to_list())
        [(2, 'b')]
    """
    return Combination(combining.fork_join, others)
