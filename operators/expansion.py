"""Operators that make many elements of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rxml.batch.batch import Batch
from rxml.flow.kinds import expand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rxml.flow.shapes import Unlisted

A = TypeVar("A")


def unbatch() -> Unlisted:
    """Let out the elements of elements: of lists, of batches, of any iterables.

    Marble:
        --[1,2]--[]--[3]--|
        unbatch()
        --1-2--------3----|

    Demand: one element first, then as many as lately were needed for n.
    Buffers: what was asked for and is not opened yet, at most 1024 elements; one iterable is open at a time.
    Emits: the elements of each element, in order, as they are asked for. The rows of a `Batch` come out as slices of it.
        They have the context of the element, which has ended when all of them have; without any it ends as dropped.
    Completes: with upstream.
    Fails: with upstream, when an element is no iterable (a TypeError), or when iterating raises, after the elements before.
    Cancels: upstream and the open iterable, which is closed, at once.
    Cost: next to nothing an element, a look for each iterable.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of([1, 2], [], [3]).pipe(ops.unbatch()).to_list())
        [1, 2, 3]
    """
    return expand("unbatch", _itself, whole=(Batch,))


def _itself(element: Iterable[Any]) -> Iterable[Any]:
    return element
