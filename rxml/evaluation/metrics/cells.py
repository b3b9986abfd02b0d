"""Weighted sums over rows by the cell that each falls into: confusion matrices, histograms, bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.keeping import Keeper
from rxml.evaluation.metrics.ring import Ring
from rxml.evaluation.metrics.rows import Slots, folded, numbered

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        return divided(self.rows, self.weight, 0.0)


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
        cells, parts = sums.shape[1:]
        place = (slots * cells + columns[0]) * parts
        # over one axis numpy adds several times as fast
        flat = sums.reshape(-1)
        np.add.at(flat, place, 1.0)
        for nth, column in enumerate(columns[1:], start=1):
            np.add.at(flat, place + nth, column)

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
        state = [flat[:, nth] for nth in range(parts)]
        left = faded(self.memory.fading, now - _before(place, now, touched.reshape(-1)))
        with np.errstate(under="ignore"):
            folded(_add, state, place, left, np.ones(len(place)), *columns[1:])
            folded(self._weigh, [weight, squares], slots)
        # times rise within a slot, and of the same place the last is written last
        touched.reshape(-1)[place] = now
        np.add.at(seen, slots, 1)

    def _weigh(self, weight: Any, squares: Any) -> tuple[Any, Any]:
        fading = self.memory.fading
        return fading * weight + 1.0, fading * fading * squares + 1.0

    def read(self, slots: Slots) -> Sums:
        """What is known of the slots."""
        weight, squares = self.arrays["weight"][slots], self.arrays["squares"][slots]
        return Sums(self.now(slots), divided(weight * weight, squares, 0.0))

    def now(self, slots: Slots) -> Floats:
        """The sums as they have faded until the last row."""
        sums = self.arrays["sums"][slots]
        slot, cell = np.nonzero(sums[:, :, 0])
        gap = self.arrays["seen"][slots[slot]] - self.arrays["touched"][slots[slot], cell]
        with np.errstate(under="ignore"):
            sums[slot, cell] *= faded(self.memory.fading, gap)[:, None]
        return sums

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
        at = slot * self.cells + held[:, 0].astype(np.intp)
        return sums_by_cell(at, (len(slots), self.cells), held[:, 1:].T)


def sums_by_cell(at: Slots, shape: tuple[int, int], columns: Iterable[Floats]) -> Sums:
    """Of rows that weigh alike.

    Args:
        at: the place of each row, its slot times the number of cells and its cell, (n,).
        shape: slots and cells.
        columns: each (n,).
    """
    size = shape[0] * shape[1]
    parts = [np.bincount(at, column, size) for column in columns]
    counts = np.bincount(at, minlength=size).astype(np.float64)
    sums = np.asarray(np.stack([counts, *parts], axis=-1), np.float64).reshape(*shape, -1)
    return Sums(sums, sums[:, :, 0].sum(axis=1))


def faded(fading: float, gap: NDArray[np.int64]) -> Floats:
    """The power of the factor, by squaring: powers of numpy need not have the same bits for one number and for many."""
    left, factor = np.ones(len(gap)), fading
    rest = gap.copy()
    with np.errstate(under="ignore"):
        while rest.any():
            left[rest % 2 == 1] *= factor
            factor *= factor
            rest >>= 1
    return left


def _before(place: Slots, now: NDArray[np.int64], touched: NDArray[np.int64]) -> NDArray[np.int64]:
    """When the place of each row was last touched: by an earlier row, or as it is kept."""
    order = np.argsort(place, kind="stable")
    before = touched[place]
    again = np.flatnonzero(place[order[1:]] == place[order[:-1]])
    before[order[again + 1]] = now[order[again]]
    return before


def _add(*numbers: Any) -> tuple[Any, ...]:
    """Sums, then what is left of them, then what is added to each."""
    parts = len(numbers) // 2
    left = numbers[parts]
    pairs = zip(numbers[:parts], numbers[parts + 1 :], strict=True)
    return tuple(left * total + more for total, more in pairs)


def cells_kept(memory: Memory, cells: int, columns: int = 0) -> Added | Faded | Windowed:
    """A keeper of sums by cell that remembers so."""
    if memory.window:
        return Windowed(memory, cells, columns)
    return Faded(memory, cells, columns) if memory.fading < 1 else Added(memory, cells, columns)
