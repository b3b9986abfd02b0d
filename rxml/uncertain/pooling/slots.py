"""States of many keys, a slot each, as arrays that grow, and are saved and put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

State: TypeAlias = dict[str, NDArray[Any]]
Step: TypeAlias = Callable[[State, NDArray[np.intp]], tuple[State, State]]

_FIRST: Final = 8


class Slots:
    """Arrays of one row for each key, all starting alike.

    Args:
        fresh: name -> what one key starts with, an array or a number; its dtype and shape are those of the state.
        keys: how many there are at first, >= 0.

    Attributes:
        keys: how many there are.

    Raises:
        ValueError: keys is negative.
    """

    __slots__ = ("_arrays", "_fresh", "keys")

    def __init__(self, fresh: Mapping[str, Any], keys: int = 0) -> None:
        self.keys: int = 0
        self._fresh = {name: np.asarray(value) for name, value in fresh.items()}
        self._arrays: dict[str, NDArray[Any]] = {
            name: np.empty((0, *value.shape), value.dtype) for name, value in self._fresh.items()
        }
        self.grow(keys)

    def grow(self, keys: int) -> None:
        """Have slots for this many keys; those that are there stay as they are, and none is taken away.

        Raises:
            ValueError: keys is negative.
        """
        if keys < 0:
            raise ValueError(f"keys must be >= 0, got {keys!r}")
        if keys > self.keys:
            for name, value in self._fresh.items():
                self._arrays[name] = self._grown(self._arrays[name], value, keys)
            self.keys = keys

    def _grown(self, old: NDArray[Any], value: NDArray[Any], keys: int) -> NDArray[Any]:
        if keys > len(old):
            # twice as many, so that keys that come one by one cost no copy each
            new = np.empty((max(keys, 2 * len(old), _FIRST), *value.shape), value.dtype)
            new[: self.keys] = old[: self.keys]
            old = new
        old[self.keys : keys] = value
        return old

    def places(self, slots: ArrayLike) -> NDArray[np.intp]:
        """The slots as an array of indices.

        Raises:
            ValueError: they are not integers of one axis.
            IndexError: one is negative, or there is no such key yet.
        """
        places = np.asarray(slots)
        if places.ndim != 1 or (places.dtype.kind not in "iu" and len(places)):
            raise ValueError(
                f"slots must be integers of shape (n,), got {places.dtype} {places.shape}"
            )
        if len(places) and not (places.min() >= 0 and places.max() < self.keys):
            raise IndexError(
                f"slots must be from 0 to {self.keys - 1}: call grow; got {places.max()}"
            )
        return places.astype(np.intp)

    def take(self, places: NDArray[np.intp]) -> State:
        """The states of these slots, copied."""
        return {name: array[places] for name, array in self._arrays.items()}

    def put(self, places: NDArray[np.intp], state: State) -> None:
        """Set the states of these slots, of which none occurs twice; arrays that are not named stay."""
        for name, array in state.items():
            self._arrays[name][places] = array

    def forget(self, places: NDArray[np.intp]) -> None:
        """Have these slots as new ones are."""
        for name, value in self._fresh.items():
            self._arrays[name][places] = value

    def fold(self, places: NDArray[np.intp], step: Step) -> State:
        """Take rows in order, those of one key one after the other; if a step fails nothing is changed.

        Args:
            places: (n,) slots of the rows; they may repeat.
            step: given the states of some rows, of which no two share a slot, and the indices of these rows: their
                new states, and what is told of each row.

        Returns:
            What was told, (n, ...) each.
        """
        touched, codes = places, np.zeros(len(places), np.intp)
        if len(places) > 1:
            touched, codes = np.unique(places, return_inverse=True)
        state = self.take(touched)
        told: dict[str, NDArray[Any]] = {}
        for rows in rounds(codes):
            at = codes[rows]
            after, said = step({name: array[at] for name, array in state.items()}, rows)
            for name, array in after.items():
                state[name][at] = array
            for name, array in said.items():
                if name not in told:
                    told[name] = np.empty((len(places), *array.shape[1:]), array.dtype)
                told[name][rows] = array
        self.put(touched, state)
        return told

    def snapshot(self) -> dict[str, Any]:
        """A copy of all states, of arrays and a number."""
        copies = {name: array[: self.keys].copy() for name, array in self._arrays.items()}
        return {"keys": self.keys, **copies}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Have the states of a snapshot, in place of those that are there.

        Raises:
            ValueError: it is of something else: other names or shapes; nothing is changed.
        """
        if set(state) != {"keys", *self._fresh}:
            raise ValueError(
                f"the snapshot needs keys, {', '.join(self._fresh)}; got {', '.join(state)}"
            )
        keys, arrays = int(state["keys"]), dict[str, NDArray[Any]]()
        for name, value in self._fresh.items():
            array = np.array(state[name], value.dtype)
            if array.shape != (keys, *value.shape):
                wanted = (keys, *value.shape)
                raise ValueError(f"the snapshot needs {name} of shape {wanted}, got {array.shape}")
            arrays[name] = array
        self._arrays, self.keys = arrays, keys
