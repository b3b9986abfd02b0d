"""What every keeper of rows can do, and how its arrays go to a snapshot and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.evaluation.metrics.rows import Slots, grown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rxml.evaluation.metrics.memory import Memory


class Keeper(ABC):
    """States over slots, in arrays whose first axis they are.

    Args:
        memory: how long rows weigh.
        arrays: the state of one slot without rows, by name, each of the shape (1, ...).
    """

    memory: Memory
    arrays: dict[str, NDArray[Any]]

    def __init__(self, memory: Memory, arrays: dict[str, NDArray[Any]]) -> None:
        self.memory = memory
        self.arrays = arrays

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return len(next(iter(self.arrays.values())))

    def grow(self, slots: int) -> None:
        """Have at least so many slots; new ones without rows."""
        self.arrays = {name: grown(array, slots) for name, array in self.arrays.items()}

    def forget(self, slots: Slots) -> None:
        """Have no rows in these slots."""
        for array in self.arrays.values():
            array[slots] = 0

    @abstractmethod
    def take(self, slots: Slots, *columns: NDArray[Any]) -> None:
        """Take rows in, in order; slots may repeat."""

    def merge(self, other: Keeper) -> None:
        """Have the rows of the other too, slot by slot: both forgot until the same moment.

        Raises:
            ValueError: they remember differently, or only the last rows: which of them come last is not known.
        """
        self.require_mergeable(other)
        self.grow(other.slots)
        self._merge(other, np.arange(other.slots))

    def require_mergeable(self, other: Keeper) -> None:
        """Whether `merge` can.

        Raises:
            ValueError: it cannot.
        """
        if self.memory != other.memory or type(self) is not type(other):
            raise ValueError(
                f"only metrics that remember alike can be merged, got {self.memory} and {other.memory}"
            )
        if self.memory.window:
            raise ValueError(
                "metrics of the last rows cannot be merged: which rows are last is not known"
            )

    @abstractmethod
    def _merge(self, other: Keeper, at: Slots) -> None: ...

    def snapshot(self) -> dict[str, Any]:
        """Copies of the arrays, and what they were kept by."""
        kept = {name: array.copy() for name, array in self.arrays.items()}
        return {"memory": self.memory.plain(), **kept}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Be as when the snapshot was taken.

        Raises:
            ValueError: it is of a metric that is set otherwise.
        """
        if list(kept["memory"]) != self.memory.plain():
            raise ValueError(
                f"the snapshot has [fading, window] {kept['memory']}, the metric {self.memory.plain()}"
            )
        self.arrays = {name: self._fitting(name, kept) for name in self.arrays}

    def _fitting(self, name: str, kept: Mapping[str, Any]) -> NDArray[Any]:
        array, new = self.arrays[name], np.array(kept[name])
        if new.shape[1:] != array.shape[1:] or new.dtype != array.dtype:
            raise ValueError(
                f"the snapshot has {name} of {new.dtype}{new.shape[1:]} for each slot, the metric {array.dtype}{array.shape[1:]}"
            )
        return new
