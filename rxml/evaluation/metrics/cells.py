"""Weighted sums over rows by the cell that each falls into: confusion matrices, histograms, bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.keeping import Keeper
from rxml.evaluation.metrics.ring import Ring
from rxml.evaluation.metrics.rows import Slots, folded, folded_singly, numbered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.evaluation.metrics.memory import Memory
    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True)
class Sums:
    """Of each slot.

    Args:
        cells: (k, cells, 1 + columns): the weight of the rows of each cell, and the sums of their columns.
        rows: how many equal rows would tell as much as all of them, (k,): their number, where nothing fades.
    """

    cells: Floats
    rows: Floats

    @property
    def weight(self) -> Floats:
        """Of all rows, (k,)."""
        weight: Floats = self.cells[:, :, 0].sum(axis=1)
        return weight

    @property
    def scale(self) -> Floats:
        """Rows for each weight, (k,): what a part of the weight is to be multiplied with to count in rows."""
        weight = self.weight
        return np.divide(self.rows, weight, out=np.zeros_like(weight), where=weight > 0)


class Added(Keeper):
    """Of all rows: counts are exact.

    Args:
        memory: that forgets nothing.
        cells: how many there are.
        columns: how many numbers a row has beside its cell.
    """

    def __init__(self, memory: Memory, cells: int, columns: int) -> None:
        super().__init__(memory, {"sums": np.zeros((1, cells, 1 + columns))})

    @override
    def take(self, slots: Slots, *columns: NDArray[Any]) -> None:
        sums = self.arrays["sums"]
        place = (slots, columns[0])
        np.add.at(sums[:, :, 0], place, 1.0)
        for nth, column in enumerate(columns[1:], start=1):
            np.add.at(sums[:, :, nth], place, column)

    def read(self, slots: Slots) -> Sums:
        """What is known of the slots."""
        sums = self.arrays["sums"][slots]
        return Sums(sums, sums[:, :, 0].sum(axis=1))

    @override
    def _merge(self, other: Keeper, at: Slots) -> None:
        self.arrays["sums"][at] += other.arrays["sums"]


class Faded(Keeper):
    """Of rows that weigh ever less. A cell fades when it is next touched or read: a row costs O(1), however many there are.

    Args:
        memory: that fades.
        cells: how many there are.
        columns: how many numbers a row has beside its cell.
    """

    def __init__(self, memory: Memory, cells: int, columns: int) -> None:
        arrays: dict[str, NDArray[Any]] = {
            "sums": np.zeros((1, cells, 1 + columns)),
            "touched": np.zeros((1, cells), np.int64),
            "seen": np.zeros(1, np.int64),
            "weight": np.zeros(1),
            "squares": np.zeros(1),
        }
        super().__init__(memory, arrays)

    @override
    def take(self, slots: Slots, *columns: NDArray[Any]) -> None:
        sums, touched, seen, weight, squares = self.arrays.values()
        cells, parts = sums.shape[1:]
        now = seen[slots] + numbered(slots) + 1
        place = slots * cells + columns[0]
        flat = sums.reshape(-1, parts)
        state = [touched.reshape(-1), *(flat[:, nth] for nth in range(parts))]
        # a power of plain floats and one of arrays may differ in the last bit
        if parts == 1:
            folded_singly(self._count, state, place, now)
        else:
            folded_singly(self._step, state, place, now, np.ones(len(place)), *columns[1:])
        folded(self._weigh, [weight, squares], slots)
        np.add.at(seen, slots, 1)

    def _count(self, touched: int, total: float, now: int) -> tuple[int, float]:
        return now, self.memory.fading ** (now - touched) * total + 1.0

    def _step(self, touched: int, *numbers: Any) -> tuple[Any, ...]:
        parts = len(numbers) // 2
        now: int = numbers[parts]
        left = self.memory.fading ** (now - touched)
        pairs = zip(numbers[:parts], numbers[parts + 1 :], strict=True)
        return (now, *(left * total + more for total, more in pairs))

    def _weigh(self, weight: Any, squares: Any) -> tuple[Any, Any]:
        fading = self.memory.fading
        return fading * weight + 1.0, fading * fading * squares + 1.0

    def read(self, slots: Slots) -> Sums:
        """What is known of the slots."""
        weight, squares = self.arrays["weight"][slots], self.arrays["squares"][slots]
        rows = np.divide(weight * weight, squares, out=np.zeros_like(weight), where=squares > 0)
        return Sums(self.now(slots), rows)

    def now(self, slots: Slots) -> Floats:
        """The sums as they have faded until the last row."""
        gap = self.arrays["seen"][slots, None] - self.arrays["touched"][slots]
        with np.errstate(under="ignore"):
            now: Floats = self.arrays["sums"][slots] * (self.memory.fading**gap)[:, :, None]
        return now

    @override
    def _merge(self, other: Keeper, at: Slots) -> None:
        if not isinstance(other, Faded):
            raise TypeError(f"cells that fade are merged with such, got {type(other).__name__}")
        sums = self.now(at) + other.now(at)
        seen = np.maximum(self.arrays["seen"][at], other.arrays["seen"])
        self.arrays["sums"][at] = sums
        self.arrays["seen"][at] = seen
        self.arrays["touched"][at] = seen[:, None]
        self.arrays["weight"][at] += other.arrays["weight"]
        self.arrays["squares"][at] += other.arrays["squares"]


class Windowed(Ring):
    """Of the last rows.

    Args:
        memory: with a window.
        cells: how many there are.
        columns: how many numbers a row has beside its cell.
    """

    cells: int

    def __init__(self, memory: Memory, cells: int, columns: int) -> None:
        super().__init__(memory, 1 + columns)
        self.cells = cells

    def read(self, slots: Slots) -> Sums:
        """What is known of the slots."""
        rows, there = self.held(slots)
        slot, place = np.nonzero(there)
        held = rows[slot, place]
        cell = held[:, 0].astype(np.intp)
        sums = np.zeros((len(slots), self.cells, rows.shape[2]))
        np.add.at(sums[:, :, 0], (slot, cell), 1.0)
        for nth in range(1, rows.shape[2]):
            np.add.at(sums[:, :, nth], (slot, cell), held[:, nth])
        return Sums(sums, sums[:, :, 0].sum(axis=1))


def cells_kept(memory: Memory, cells: int, columns: int = 0) -> Added | Faded | Windowed:
    """A keeper of sums by cell that remembers so."""
    if memory.window:
        return Windowed(memory, cells, columns)
    return Faded(memory, cells, columns) if memory.fading < 1 else Added(memory, cells, columns)
