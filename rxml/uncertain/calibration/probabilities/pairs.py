"""PairWindows: the newest probabilities of each key, with their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rxml.uncertain.calibration.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows

    Floats: TypeAlias = NDArray[np.float64]


class PairWindows(Table):
    """The newest `size` pairs of what a model said and what happened, for each key.

    Args:
        keys: rows at first.
        size: pairs that are kept for a key, >= 1; 9 bytes each.
    """

    size: int

    def __init__(self, keys: int, size: int) -> None:
        self.size = size
        none = np.zeros((), np.int64)
        said, happened = np.zeros(size), np.zeros(size, np.bool_)
        super().__init__(keys, {"said": said, "happened": happened, "seen": none})

    def put(self, rows: Rows, p: Floats, labels: Floats) -> NDArray[np.int64]:
        """Take in a pair for each of these keys, of which none occurs twice; how many each has seen in all."""
        each = np.arange(self.keys)[rows]
        place = self["seen"][each] % self.size
        self["said"][each, place] = p
        self["happened"][each, place] = labels != 0
        self["seen"][each] += 1
        seen: NDArray[np.int64] = self["seen"][each]
        return seen

    def of(self, slot: int) -> tuple[Floats, Floats, Floats]:
        """The pairs of a key: each p once, in order, with how many there are and how many of them happened."""
        count = min(int(self["seen"][slot]), self.size)
        p, which = np.unique(self["said"][slot, :count], return_inverse=True)
        happened = self["happened"][slot, :count]
        weights = np.bincount(which, minlength=len(p)).astype(np.float64)
        hits = np.bincount(which, happened, len(p)).astype(np.float64)
        return p, weights, hits
