"""Late: what came when all its windows had ended."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

A = TypeVar("A")


class Late(NamedTuple, Generic[A]):
    """An element that is in no result.

    Attributes:
        element: as it came.
        time: its event time, int64 ns UTC.
        watermark: how far the stream had come by then.
    """

    element: A
    time: int
    watermark: int


def lates(items: Any, times: Any, watermark: int) -> list[Late[Any]]:
    """Elements with their times, in order, as late ones."""
    return [Late(item, time, watermark) for item, time in zip(items, times.tolist(), strict=True)]
