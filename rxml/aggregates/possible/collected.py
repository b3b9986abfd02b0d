"""Collected: the rows of each group, kept until they are lowered, those of all groups that have as many at once."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import require_whole
from rxml.aggregates.held import Held
from rxml.errors import BufferOverflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.aggregates.reader import Reader

Part: TypeAlias = "Sequence[NDArray[Any]]"
"""Times (n,), then arrays (n, ...)."""

MOST: Final = 10_000
"""Rows that a group may have, if nothing else is said."""


class Collected(Held):
    """Rows as arrays. State: an object for each group, parts of at least halving length; None without rows.

    Args:
        readers: of the arrays.
        most: rows that a group may have, at least 1; one more is a BufferOverflowError.
    """

    most: int

    def __init__(self, *readers: Reader, most: int) -> None:
        super().__init__(*readers)
        self.most = require_whole("most", most, 1)

    @abstractmethod
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        """The result of each of G groups that have as many rows, in the order of event time.

        Args:
            columns: an array (G, n, ...) for each reader.
        """

    @abstractmethod
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        """The results of all groups as columns: the main one, then those beside it."""

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        order = np.argsort(codes, kind="stable")
        arrays = [each[order] for each in (times, *values)]

        def made(rows: slice) -> tuple[Part, ...]:
            self._require(rows.stop - rows.start)
            # copies, for views would hold on to all rows that came with these
            return (tuple(each[rows].copy() for each in arrays),)

        return self.held(codes, groups, made)

    @override
    def merged(self, early: Sequence[Part], late: Sequence[Part]) -> tuple[Part, ...]:
        parts = list(early)
        for part in late:
            parts.append(part)
            while len(parts) > 1 and len(parts[-2][0]) < 2 * len(parts[-1][0]):
                last = parts.pop()
                parts[-1] = self._joined([parts[-1], last])
        self._require(sum(len(part[0]) for part in parts))
        return tuple(parts)

    def _require(self, held: int) -> None:
        if held > self.most:
            text = f"a group has {held} rows, and {self._function()} may hold {self.most}"
            raise BufferOverflowError(f"{text}: raise `most`, or let windows be shorter")

    @override
    def lower(self, state: State) -> Any:
        return self.lowered(state)[0]

    @override
    def lowered(self, state: State) -> list[Any]:
        results: list[Any] = [None] * len(state[0])
        shapes: dict[Any, list[int]] = {}
        rows = [None if held is None else self._in_order(held) for held in state[0]]
        for group, arrays in enumerate(rows):
            shape = None if arrays is None else tuple(each.shape for each in arrays)
            shapes.setdefault(shape, []).append(group)
        for groups in shapes.values():
            found = self._of([rows[group] for group in groups])
            for group, result in zip(groups, found, strict=True):
                results[group] = result
        return self.columns_of(results)

    def _of(self, rows: Sequence[Any]) -> Sequence[Any]:
        if rows[0] is None:
            return [self.nothing()] * len(rows)
        return self.alike([np.stack(each) for each in zip(*rows, strict=True)])

    @abstractmethod
    def nothing(self) -> Any:
        """The result of a group without rows."""

    def _in_order(self, parts: Sequence[Part]) -> list[NDArray[Any]]:
        """All rows in the order of event time; of equal times the one that came first is first."""
        times, *arrays = parts[0] if len(parts) == 1 else self._joined(parts)
        order = np.argsort(np.asarray(times), kind="stable")
        return [np.asarray(each)[order] for each in arrays]

    def _joined(self, parts: Sequence[Part]) -> Part:
        columns = [[np.asarray(each) for each in column] for column in zip(*parts, strict=True)]
        return tuple(np.concatenate(self._alike(column)) for column in columns)

    def _alike(self, arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
        if arrays[0].ndim == 1 or len({each.shape[1] for each in arrays}) == 1:
            return arrays
        most = max(each.shape[1] for each in arrays)
        return [self.widened(each, most) for each in arrays]

    def widened(self, array: NDArray[Any], most: int) -> NDArray[Any]:
        """Rows with so many alternatives: those that come to them cannot be."""
        wide = [(0, most - array.shape[1]) if axis == 1 else (0, 0) for axis in range(array.ndim)]
        return np.pad(array, wide, mode="edge" if array.dtype.kind in "OUS" else "constant")
