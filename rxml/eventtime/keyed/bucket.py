"""Bucket: the slots of one granule of age, sorted as far as somebody has asked for a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Bucket:
    """Entries, of which some may be of no more use, and some may be there twice.

    Attributes:
        parts: slots that came since the last sort.
    """

    __slots__ = ("_runs", "parts")

    def __init__(self) -> None:
        self.parts: list[NDArray[np.intp]] = []
        self._runs: list[tuple[NDArray[np.int64], NDArray[np.intp]]] = []

    def slots(self) -> NDArray[np.intp]:
        """All entries."""
        arrays = [*(slots for _, slots in self._runs), *self.parts]
        return np.concatenate(arrays) if arrays else np.empty(0, np.intp)

    def keep(self, slots: NDArray[np.intp]) -> None:
        """It has these slots, and no others."""
        self._runs, self.parts = [], [slots]

    def sort(self, ages: NDArray[np.int64]) -> None:
        """Sort what has come, by the age that each slot has now: none is lower later.

        Args:
            ages: of each slot.
        """
        if not self.parts:
            return
        slots = self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)
        self.parts = []
        self._runs.append(ordered(ages[slots], slots))
        # The shorter run is at least doubled, so an entry is merged log2(n) times at most.
        while len(self._runs) > 1 and len(self._runs[-2][1]) < 2 * len(self._runs[-1][1]):
            (before, first), (later, second) = self._runs[-2:]
            merged = ordered(np.concatenate((before, later)), np.concatenate((first, second)))
            self._runs[-2:] = [merged]

    def cut(self, age: int) -> NDArray[np.intp]:
        """Take out the sorted entries of a lower age, in no order."""
        found: list[NDArray[np.intp]] = []
        for number, (ages, slots) in enumerate(self._runs):
            end = int(np.searchsorted(ages, age))
            found.append(slots[:end])
            self._runs[number] = (ages[end:], slots[end:])
        self._runs = [run for run in self._runs if len(run[1])]
        return np.concatenate(found) if found else np.empty(0, np.intp)


def ordered(
    ages: NDArray[np.int64], slots: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Entries in the order of their ages."""
    order = np.argsort(ages, kind="stable")
    return ages[order], slots[order]
