"""Alike: messages that are laid out as one before, of which only the numbers are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.batch import Batch

if TYPE_CHECKING:
    from rxml.batch.column import AnyArray


_NUMBERS: Final = "iufc"


class Alike:
    """Reads batches of numbers of one sender, whose messages often differ in nothing but the numbers.

    All bytes of a message that are no elements of its columns are kept. Another one of the same length, with the same bytes in
    the same places, says the same but for the elements: it has columns of the same names, dtypes and shapes in the same
    places, and whatever was checked of the first one holds for it. Two of one length have to come in a row before the second
    is kept, so that messages that are not alike cost little.

    Args:
        begin: where batches begin; who reads the bytes before checks them, too.
    """

    __slots__ = ("_begin", "_columns", "_heads", "_last", "_length", "_rows")

    def __init__(self, begin: int) -> None:
        self._begin = begin
        self._last = self._length = -1
        self._heads: tuple[tuple[int, bytes], ...] = ()
        self._columns: tuple[tuple[str, tuple[int, ...], np.dtype[np.generic], int], ...] = ()
        self._rows = 0

    def read(self, data: bytes) -> Batch | None:
        """The batch in a message, if it is laid out as the one that was kept."""
        if len(data) != self._length:
            return None
        for at, head in self._heads:
            if not data.startswith(head, at):
                return None
        columns: dict[str, AnyArray] = {}
        for name, shape, dtype, start in self._columns:
            columns[name] = np.ndarray(shape, dtype, data, start)
        return Batch.adopt(columns, self._rows)

    def saw(self, data: bytes, batch: Batch) -> None:
        """A message was read otherwise, and accepted.

        Args:
            data: of the message, which ends with a batch.
            batch: the very one; its columns, one after the other, lie in the message.
        """
        before, self._last = self._last, len(data)
        if before == self._last:
            self._keep(data, batch)

    def _keep(self, data: bytes, batch: Batch) -> None:
        origin = _place(np.frombuffer(data, np.uint8))
        end = self._begin
        heads: list[tuple[int, bytes]] = []
        columns: list[tuple[str, tuple[int, ...], np.dtype[np.generic], int]] = []
        for name, column in batch.columns.items():
            if not isinstance(column, np.ndarray) or not _just_numbers(column, data):
                return
            start = _place(column) - origin
            heads.append((end, data[end:start]))
            columns.append((name, column.shape, column.dtype, start))
            end = start + column.nbytes
        self._length, self._rows = len(data), len(batch)
        self._heads, self._columns = (*heads, (end, data[end:])), tuple(columns)


def _just_numbers(column: AnyArray, data: bytes) -> bool:
    """Whether whatever bytes stand in its place are elements, too."""
    base: object = column.base
    return base is data and column.nbytes > 0 and column.dtype.kind in _NUMBERS


def _place(array: AnyArray) -> int:
    place: int = array.__array_interface__["data"][0]
    return place
