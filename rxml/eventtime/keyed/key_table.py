"""KeyTable: keys and the dense slots that their states are kept under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.batch.column import values_of
from rxml.errors import SchemaError
from rxml.eventtime.keyed.growing import packed, unpacked
from rxml.eventtime.keyed.plain_keys import from_plain, to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_DIRECT: Final = 1 << 16
_DIRECT_BY_SLOT: Final = 8
"""Whole numbers below this, or below so many for each slot, are looked up in an array: 512 KiB, or 64 bytes for a key."""

_SURE: Final = frozenset({str, int, bytes})
"""Types of keys that are never missing."""

_BEYOND: Final = 1 << 63

_SHORTEST: Final = 1 << 10


class _Slots(dict[Any, int]):
    """Slots by key; a key that is asked for and has none gets one."""

    __slots__ = ("free", "fresh", "keys_by_slot", "role")

    def __init__(self, role: str) -> None:
        self.role = role
        self.keys_by_slot: list[Any] = []
        self.free: list[int] = []
        self.fresh: list[int] = []

    def __missing__(self, key: Any) -> int:
        if key.__class__ not in _SURE:
            require_key(key, self.role)
        if self.free:
            slot = self.free.pop()
            self.keys_by_slot[slot] = key
        else:
            slot = len(self.keys_by_slot)
            self.keys_by_slot.append(key)
        self[key] = slot
        self.fresh.append(slot)
        return slot


class KeyTable:
    """Gives each key a slot, a small whole number, so that states of all keys are rows of arrays.

    Keys are equal as in a dict: 1, 1.0, True and numpy's 1 are one key. Slots are dense: a new key gets the one that was
    released last, or else the next, `capacity`. State arrays have `capacity` rows at least.

    Args:
        role: what the keys are, for errors.

    Attributes:
        fresh: the slots of the keys that the last `codes` has met for the first time, in their order.
    """

    __slots__ = ("_direct", "_places", "_slots")

    def __init__(self, role: str = "key") -> None:
        self._slots = _Slots(role)
        self._direct: NDArray[np.intp] = np.empty(0, np.intp)  # the slot of a small number, or -1
        self._places: NDArray[np.intp] = np.empty(0, np.intp)  # of a slot's number there, or -1

    def __len__(self) -> int:
        """Keys that have a slot."""
        return len(self._slots)

    def __contains__(self, key: object) -> bool:
        return key in self._slots

    @property
    def capacity(self) -> int:
        """Slots that are or were in use: all are below this number."""
        return len(self._slots.keys_by_slot)

    @property
    def fresh(self) -> list[int]:
        """See above; not to be changed."""
        return self._slots.fresh

    def codes(self, keys: Sequence[Any] | NDArray[Any]) -> NDArray[np.intp]:
        """The slot of each key, shape (n,); new keys get one.

        Args:
            keys: n keys; an array of shape (n,) stands for the Python values of its elements.

        Raises:
            SchemaError: a key is missing (None, NaN, NaT) or cannot be hashed; then nothing has changed.
        """
        self._slots.fresh = []
        if not isinstance(keys, np.ndarray):
            return self._looked_up(keys)
        if keys.dtype.kind in "iu" and keys.ndim == 1:
            return self._of_numbers(keys)
        return self._looked_up(values_of(keys))

    def _looked_up(self, keys: Sequence[Any]) -> NDArray[np.intp]:
        slots = self._slots
        try:
            return np.fromiter(map(slots.__getitem__, keys), np.intp, len(keys))
        except BaseException as error:
            self.release(slots.fresh[::-1])
            slots.fresh = []
            if isinstance(error, TypeError):
                _blame(keys, slots.role)
            raise

    def _of_numbers(self, column: NDArray[Any]) -> NDArray[np.intp]:
        """By an array that holds the slots of small numbers; it follows the dict, which knows all keys."""
        if not len(column):
            return np.empty(0, np.intp)
        largest = _largest(column)
        if largest >= max(_DIRECT, _DIRECT_BY_SLOT * self.capacity):
            return self._looked_up(column.tolist())
        if largest >= len(self._direct):
            self._direct = _longer(self._direct, largest + 1)
        codes: NDArray[np.intp] = self._direct[column]
        if codes.min() < 0:
            new = np.flatnonzero(codes < 0)
            codes[new] = self._remembered(column[new])
        return codes

    def _remembered(self, numbers: NDArray[Any]) -> NDArray[np.intp]:
        codes = self._looked_up(numbers.tolist())
        self._direct[numbers] = codes
        self._places = _longer(self._places, self.capacity)
        self._places[codes] = numbers
        return codes

    def slot_of(self, key: Any) -> int | None:
        """The slot of one key, or None if it has none."""
        return self._slots.get(key)

    def keys_of(self, slots: Iterable[int] | NDArray[np.intp]) -> list[Any]:
        """The keys of slots in use, in order."""
        listed = slots.tolist() if isinstance(slots, np.ndarray) else slots
        return list(map(self._slots.keys_by_slot.__getitem__, listed))

    def slots(self) -> NDArray[np.intp]:
        """The slots in use, in the order in which their keys came."""
        return np.fromiter(self._slots.values(), np.intp, len(self._slots))

    def release(self, slots: Iterable[int] | NDArray[np.intp]) -> None:
        """Forget the keys of these slots, each in use and named once; new keys get the slots."""
        listed: list[int] = slots.tolist() if isinstance(slots, np.ndarray) else list(slots)
        self.retire(listed)
        self.free(listed)

    def slot_for(self, key: Any) -> int:
        """The slot of one key, which gets one if it has none; a new one is added to `fresh`."""
        return self._slots[key]

    def retire(self, slots: list[int]) -> None:
        """Forget the keys of these slots; nobody else gets the slots before `free`."""
        table = self._slots
        for key in self.keys_of(slots):
            del table[key]
        if len(self._places):
            within = [slot for slot in slots if slot < len(self._places)]
            places = self._places[within]
            self._direct[places[places >= 0]] = -1
            self._places[within] = -1

    def revive(self, slots: list[int]) -> None:
        """Take `retire` back, while the keys have no other slot."""
        self._slots.update(zip(self.keys_of(slots), slots, strict=True))

    def free(self, slots: list[int]) -> None:
        """Let new keys have slots that were retired."""
        for slot in slots:
            self._slots.keys_by_slot[slot] = None
        self._slots.free += slots

    def shrink(self) -> None:
        """Give up the slots behind the last one in use, while none is retired; new keys get the lowest that are free."""
        table, lesser = self._slots, _Slots(self._slots.role)
        length = max(table.values(), default=-1) + 1
        lesser.update(table)
        lesser.keys_by_slot = table.keys_by_slot[:length]
        lesser.free = sorted((slot for slot in table.free if slot < length), reverse=True)
        self._slots = lesser
        self._direct = self._places = np.empty(0, np.intp)

    def snapshot(self) -> Any:
        """All of it, as plain values; nothing in it changes afterwards."""
        slots = self.slots()
        return [to_plain(list(self._slots)), packed(slots), list(self._slots.free)]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot; slots are the same as before."""
        keys, slots, free = state
        self._direct = self._places = np.empty(0, np.intp)
        self._slots = table = _Slots(self._slots.role)
        table.free = list(free)
        listed: list[int] = unpacked(slots).tolist()
        table.keys_by_slot = [None] * (len(listed) + len(free))
        for key, slot in zip(from_plain(keys), listed, strict=True):
            table.keys_by_slot[slot] = key
            table[key] = slot


def require_key(key: Any, role: str = "key") -> None:
    """Refuse a key that is missing.

    Raises:
        SchemaError: it is None, NaN or NaT, or a tuple in which one of these is.
    """
    if _missing(key):
        message = (
            f"an element has no {role}: got {key!r}; leave such elements out before, "
            f"or give a function that says what their {role} is"
        )
        raise SchemaError(message)


def _missing(key: Any) -> bool:
    if isinstance(key, tuple):
        for part in cast("Iterable[Any]", key):
            if part.__class__ not in _SURE and _missing(part):
                return True
        return False
    return key is None or bool(key != key)  # noqa: PLR0124 - only what is missing differs from itself


def require_hashable(key: Any, role: str = "key") -> None:
    """Refuse a key that cannot be looked up.

    Raises:
        SchemaError: it has no hash.
    """
    try:
        hash(key)
    except TypeError:
        message = (
            f"an element's {role} must be hashable, got {key!r} ({type(key).__name__}); "
            "use a text, a number or a tuple of these"
        )
        raise SchemaError(message) from None


def _blame(keys: Sequence[Any], role: str) -> None:
    for key in keys:
        require_hashable(key, role)


def _largest(column: NDArray[Any]) -> int:
    """The largest of some whole numbers; beyond all places where one is negative."""
    if column.dtype.kind == "u":
        return int(column.max())
    if column.dtype == np.int64:
        return int(np.maximum.reduce(column.view(np.uint64)))  # negative ones are 2**63 or more
    return int(column.max()) if int(column.min()) >= 0 else _BEYOND


def _longer(array: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    if length <= len(array):
        return array
    room = max(_SHORTEST, 1 << (length - 1).bit_length())
    longer = np.full(room, -1, np.intp)
    longer[: len(array)] = array
    return longer
