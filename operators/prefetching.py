"""The operator that takes elements ahead while its reader is busy."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rxml.flow.check import require_count
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.workers.prefetch import PrefetchStage

if TYPE_CHECKING:
    from rxml.flow.shapes import Same

A = TypeVar("A")


def prefetch(capacity: int, *, max_bytes: int | None = None) -> Same:
    """Take elements ahead into a buffer while the reader is busy.

    Marble:
        -1-2-3------4-|
        prefetch(2)
        -1-2-3------4-|

    Demand: what the buffer has room for, whether or not the reader asks, after its first request; again when a quarter
        of the buffer is free. A reader who finds it empty while nobody asks passes its own demand on.
    Buffers: at most `capacity` elements, those that were asked for and are not there yet included; and at most
        `max_bytes`, except that a single element may have more, and that the first elements of a kind that is heavier
        than all before them may bring it over.
    Emits: every element, in order.
    Completes: with upstream, after what is in the buffer.
    Fails: with upstream, after what is in the buffer.
    Cancels: upstream, at once; what is in the buffer is dropped.
    Cost: one task; no hand-over between tasks but for what was really taken ahead.

    Args:
        capacity: elements, >= 1.
        max_bytes: bytes, >= 1, as `rxml.flow.buffers.weigh` counts them; None: elements are not weighed.

    Raises:
        ValueError: a number below 1.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 3).pipe(ops.prefetch(2)).to_list())
        [1, 2, 3]
    """
    require_count("prefetch", capacity, 1)
    if max_bytes is not None:
        require_count("prefetch(max_bytes=)", max_bytes, 1)
    return stage(
        label("prefetch", capacity),
        PrefetchStage,
        passes=True,
        checkpointing=Checkpointing.PASSES,
        cardinality=Cardinality.ONE,
        capacity=capacity,
        max_bytes=max_bytes,
    )
