"""Dropping: what a stage gives up ends as dropped, and is counted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rxml.flow.context import drop

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rxml.flow.chunk import Chunk


def dropped(*chunks: Chunk[Any]) -> int:
    """The elements of the chunks end as dropped; returns how many they are, to be counted."""
    drop(context for chunk in chunks for context in chunk.contexts or ())
    return sum(len(chunk.elements) for chunk in chunks)


@contextmanager
def in_hand(chunk: Chunk[Any], count: Callable[[int], None]) -> Generator[None]:
    """Inside, a stage has a chunk in its hand: if it is cancelled meanwhile, or fails, the elements end as dropped.

    Args:
        chunk: what nobody else holds.
        count: counts what was dropped.
    """
    try:
        yield
    except BaseException:
        count(dropped(chunk))
        raise
