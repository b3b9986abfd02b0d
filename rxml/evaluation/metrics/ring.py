"""The last rows of each slot, kept as they came: nothing is ever subtracted, so nothing drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.keeping import Keeper
from rxml.evaluation.metrics.rows import Slots, numbered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.evaluation.metrics.memory import Memory
    from rxml.uncertain.checks import Floats


class Ring(Keeper):
    """The last `memory.window` rows of each slot. Memory: 8 bytes times slots, window and columns.

    A row is written in O(1); what is asked for is computed from the rows, in O(window).

    Args:
        memory: with a window.
        columns: how many numbers a row has.
    """

    def __init__(self, memory: Memory, columns: int) -> None:
        arrays: dict[str, NDArray[Any]] = {
            "rows": np.zeros((1, memory.window, columns)),
            "seen": np.zeros(1, np.int64),
        }
        super().__init__(memory, arrays)

    @override
    def take(self, slots: Slots, *columns: NDArray[Any]) -> None:
        rows, seen = self.arrays["rows"], self.arrays["seen"]
        turn = seen[slots] + numbered(slots)
        np.add.at(seen, slots, 1)
        # rows that later ones of the same call push out would be written twice
        stays = np.flatnonzero(turn >= seen[slots] - self.memory.window)
        at = (slots[stays], turn[stays] % self.memory.window)
        for place, column in enumerate(columns):
            rows[(*at, place)] = column[stays]

    def held(self, slots: Slots) -> tuple[Floats, NDArray[np.bool_]]:
        """The rows of the slots, (k, window, columns), and which of them there are, (k, window)."""
        rows, seen = self.arrays["rows"], self.arrays["seen"]
        return rows[slots], np.arange(self.memory.window) < seen[slots, None]

    @override
    def _merge(self, other: Keeper, at: Slots) -> None:
        self.require_mergeable(other)
