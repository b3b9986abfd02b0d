"""Table: arrays over slots that grow, are saved and are restored together; and rows taken in turns by slot."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np

from rxml.errors import DistributionError
from rxml.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Slots: TypeAlias = NDArray[np.intp]
    Rows: TypeAlias = NDArray[np.intp] | slice

_SHOWN: Final = 5


class Table:
    """State of many keys: for each name an array (keys, ...), of which every row begins as the one that is given.

    Args:
        keys: rows at first, >= 0.
        blank: by name the row of a key of which nothing is known; its shape and dtype are those of all.
    """

    def __init__(self, keys: int, blank: Mapping[str, ArrayLike]) -> None:
        self._blank = {name: np.asarray(row) for name, row in blank.items()}
        self._keys = 0
        self._room: dict[str, NDArray[Any]] = {}
        self._views: dict[str, memoryview[float]] = {}
        self._make_room(keys)
        self._keys = keys

    @property
    def keys(self) -> int:
        """Rows in use."""
        return self._keys

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, with the room that they have for more rows."""
        return sum(array.nbytes for array in self._room.values())

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._room[name]

    def grow(self, keys: int) -> None:
        """Have at least so many rows; room is doubled, so that growing by one is cheap."""
        if keys > len(next(iter(self._room.values()))):
            self._make_room(max(keys, 2 * self._keys))
        self._keys = max(keys, self._keys)

    def clear(self, rows: Rows) -> None:
        """Have these rows as they were at first."""
        for name, blank in self._blank.items():
            self._room[name][rows] = blank

    def view(self, name: str) -> memoryview[float]:
        """A column of a number a key, to be read and written a key at a time, several times as fast as the array is.

        It is good until the table grows or is restored.
        """
        if name not in self._views:
            self._views[name] = cast("memoryview[float]", self._room[name].data)
        return self._views[name]

    def snapshot(self) -> dict[str, Any]:
        """Copies of the arrays, by name."""
        return {name: array[: self._keys].copy() for name, array in self._room.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take these arrays, in place of those that there are.

        Raises:
            ValueError: they are not the arrays of such a table.
        """
        arrays = {name: self._fitting(name, state) for name in self._blank}
        lengths = {len(array) for array in arrays.values()}
        if len(lengths) != 1:
            raise ValueError(f"a state whose arrays have as many rows each, got {sorted(lengths)}")
        self._room = arrays
        self._views.clear()
        self._keys = lengths.pop()

    def _fitting(self, name: str, state: Mapping[str, Any]) -> NDArray[Any]:
        row = self._blank[name]
        if name not in state:
            raise ValueError(f"the state has no {name!r}; it has: {', '.join(map(str, state))}")
        array = np.array(state[name], row.dtype, order="C")
        if array.shape[1:] != row.shape or array.ndim != row.ndim + 1:
            wanted = ("keys", *row.shape)
            raise ValueError(f"{name!r} of the state is of shape {array.shape}, wanted {wanted}")
        return array

    def _make_room(self, rows: int) -> None:
        for name, blank in self._blank.items():
            array = np.empty((rows, *blank.shape), blank.dtype)
            array[:] = blank
            if self._keys:
                array[: self._keys] = self._room[name][: self._keys]
            self._room[name] = array
        self._views.clear()


def checked_slots(slots: ArrayLike, keys: int) -> Slots:
    """Slots as an array (n,) of whole numbers, each below `keys`.

    Raises:
        ValueError: not of one axis, or no whole numbers.
        IndexError: one is negative, or not below `keys`.
    """
    given = np.asarray(slots)
    if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
        raise ValueError(f"slots are {given.dtype} of shape {given.shape}: give ints (n,)")
    result = given.astype(np.intp, copy=False)
    if result.size == 1:
        low = high = result.item()
    else:
        low, high = (result.min(), result.max()) if result.size else (0, -1)
    if low < 0 or high >= keys:
        raise IndexError(f"slots from {low} to {high} of {keys} keys: call grow({high + 1}) first")
    return result


def checked_numbers(
    name: str, values: ArrayLike, shape: tuple[int, ...], *, finite: bool = False
) -> Floats:
    """Numbers of that shape, with -0.0 made 0.0, so that equal ones are the same to the last bit.

    Raises:
        ValueError: another shape.
        DistributionError: some are NaN, or with `finite` infinite; it names the rows.
    """
    result = np.asarray(values, np.float64) + 0.0
    if result.shape != shape:
        raise ValueError(f"{name} are of shape {result.shape}, wanted {shape}")
    if not (isfinite(result.item()) if result.size == 1 else np.isfinite(result).all()):
        refuse(name, np.isnan(result), "NaN")
        refuse(name, np.isinf(result) & finite, "infinite")
    return result


def refuse(name: str, bad: NDArray[np.bool_], what: str) -> None:
    """Raise if any row is bad, naming the first of them.

    Raises:
        DistributionError: one is.
    """
    if bad.any():
        rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
        more = ", ..." if len(rows) > _SHOWN else ""
        named = ", ".join(map(str, rows[:_SHOWN].tolist()))
        raise DistributionError(f"{name} are {what} in {len(rows)} row(s): {named}{more}")


def is_increasing(slots: Slots) -> bool:
    """Whether each is above the one before, so that none occurs twice."""
    return bool((slots[1:] > slots[:-1]).all())


def turns(slots: Slots, keys: int) -> list[tuple[Rows, Rows]]:
    """Rows in turns, in none of which a slot occurs twice: the slots of each, and which rows they are.

    A turn of all slots in order is a slice, so that what is read through it is a view.
    """
    if not len(slots):
        return []
    if is_increasing(slots):
        whole = len(slots) == keys
        return [(slice(0, keys) if whole else slots, slice(None))]
    return [(slots[rows], rows) for rows in rounds(slots)]
