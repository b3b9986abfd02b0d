"""Rows: the latest elements, for a trainer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from rxml.batch.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence


class LatestRows:
    """The latest elements, in the parts in which they came: nothing is copied as they pass.

    Args:
        most: elements, >= 0.
    """

    __slots__ = ("_count", "_most", "_parts")

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: deque[Sequence[Any]] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, items: Sequence[Any]) -> None:
        """Elements passed; labels are none."""
        if not self._most or not len(items):
            return
        part = items[max(0, len(items) - self._most) :]
        self._parts.append(part)
        self._count += len(part)
        while self._count > self._most:
            self._shorten(self._parts.popleft())

    def _shorten(self, oldest: Sequence[Any]) -> None:
        surplus = self._count - self._most
        self._count -= min(surplus, len(oldest))
        if surplus < len(oldest):
            self._parts.appendleft(oldest[surplus:])

    def parts(self) -> list[Sequence[Any]]:
        """What is kept now."""
        return list(self._parts)

    def snapshot(self) -> list[Any]:
        """The state, as plain values and batches."""
        return [_plain(part) for part in self._parts]

    def restore(self, state: list[Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        self._parts = deque(state)
        self._count = sum(map(len, state))


def _plain(part: Sequence[Any]) -> Any:
    return part if isinstance(part, Batch) else [dict(row) for row in part]


def batch_of(parts: Sequence[Sequence[Any]]) -> Batch | None:
    """All rows in one batch; None if there are none. Takes long: call it in a thread.

    Raises:
        SchemaError: they are no rows of the same columns.
    """
    batches = [part for part in parts if isinstance(part, Batch)]
    if len(batches) == len(parts):
        return Batch.concat(batches) if batches else None
    return Batch.from_rows([row for part in parts for row in part])
