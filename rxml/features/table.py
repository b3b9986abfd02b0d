"""Named arrays over slots: what a transform remembers of each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Table:
    """Arrays of shape (places, *trail), each with the value that a place has of which nothing is known.

    Args:
        places: how many, at least 0.
        trail: the shape of one place's part.
        empty: that value for each name; its type is the array's.
    """

    trail: tuple[int, ...]

    def __init__(
        self, places: int, trail: tuple[int, ...] = (), **empty: np.float64 | np.int64
    ) -> None:
        self.trail = trail
        self._empty = empty
        self._arrays = self._made(places)

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def grow(self, places: int) -> None:
        """Makes room for more places, of which nothing is known."""
        if places <= len(self):
            return
        more = self._made(places - len(self))
        self._arrays = {name: np.concatenate([a, more[name]]) for name, a in self._arrays.items()}

    def clear(self, places: NDArray[np.intp]) -> None:
        """Forgets what is known of some places."""
        for name, value in self._empty.items():
            self._arrays[name][places] = value

    def keep(self, places: NDArray[np.intp]) -> None:
        """Has these places only, in this order."""
        if len(places) < len(self):
            self._arrays = {name: array[places] for name, array in self._arrays.items()}

    def snapshot(self) -> dict[str, Any]:
        """A copy of each array, by name."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def restore(self, state: Mapping[str, Any], places: int) -> None:
        """Becomes what a snapshot was of, of so many places.

        Raises:
            SchemaError: it is a snapshot of something else; the table is as it was.
        """
        arrays = {name: np.array(state[name]) for name in self._empty if name in state}
        shape = (places, *self.trail)
        wanted = {name: (a.dtype, shape) for name, a in self._arrays.items()}
        got = {name: (a.dtype, a.shape) for name, a in arrays.items()}
        if got != wanted:
            raise SchemaError(f"got a snapshot of {got}: this transform's is of {wanted}")
        self._arrays = arrays

    def _made(self, places: int) -> dict[str, NDArray[Any]]:
        shape = (places, *self.trail)
        return {name: np.full(shape, value) for name, value in self._empty.items()}
