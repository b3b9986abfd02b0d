"""What rows of zeros and ones add up to, key by key, after each row; and arguments that several tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.calibration.table import Slots

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]


def require_share(name: str, value: float) -> float:
    """A number strictly between 0 and 1.

    Raises:
        ValueError: it is not.
    """
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} is {value!r}: give a number between 0 and 1")
    return float(value)


def checked_bools(name: str, values: ArrayLike, rows: int) -> Ints:
    """Zeros and ones, or booleans, (rows,).

    Raises:
        ValueError: another shape, or other values.
    """
    given = np.asarray(values)
    if given.shape != (rows,):
        raise ValueError(f"{name} are of shape {given.shape}, wanted {(rows,)}")
    ones = given == 1
    if not (ones | (given == 0)).all():
        raise ValueError(
            f"{name} are neither True nor False in row {int((~ones & (given != 0)).argmax())}"
        )
    result: Ints = ones.astype(np.int64)
    return result


class Running:
    """Sums by slot after each row, all at once: they are whole numbers, so that no order of adding matters."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._order: Slots = np.argsort(slots, kind="stable")
        ordered = slots[self._order]
        self._starts: Slots = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(slots)])
        self._lengths: NDArray[Any] = np.diff(np.r_[self._starts, len(slots)])
        self.last: Slots = self._order[self._starts + self._lengths - 1]
        """The last row of each slot."""

    def sums(self, ones: Ints, before: Ints) -> Ints:
        """Of each row, what its slot had `before` (keys,), and its ones up to that row."""
        ordered = ones[self._order]
        total = np.cumsum(ordered)
        own = total - np.repeat((total - ordered)[self._starts], self._lengths)
        result = np.empty(len(ones), np.int64)
        result[self._order] = own
        result += before[self._slots]
        return result

    def first(self, holds: Bools) -> Slots:
        """The first row of each slot for which that holds; slots without such a row are left out."""
        rows = self._order[holds[self._order]]
        slots = self._slots[rows]
        found: Slots = rows[np.r_[True, slots[1:] != slots[:-1]][: len(rows)]]
        return found
