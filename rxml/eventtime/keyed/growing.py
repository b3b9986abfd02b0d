"""Arrays of whole numbers with a row for each slot: they grow with the key table, and go into snapshots as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST: Final = 64


def room_for(slots: int) -> int:
    """Rows to have for so many slots: the next power of two, so that growing costs little for each slot."""
    return max(_LEAST, 1 << (slots - 1).bit_length()) if slots else _LEAST


def lengthened(array: NDArray[np.int64], slots: int, filling: int) -> NDArray[np.int64]:
    """The array, or a longer copy of it, with room for slots; new rows hold `filling`.

    Args:
        array: shape (rows,), int64.
        slots: how many there must be room for.
        filling: of new rows.
    """
    if slots <= len(array):
        return array
    longer = np.full(room_for(slots), filling, np.int64)
    longer[: len(array)] = array
    return longer


def packed(array: NDArray[Any]) -> bytes:
    """Whole numbers as bytes, for snapshots: eight each, little-endian."""
    return array.astype("<i8").tobytes()


def unpacked(raw: bytes) -> NDArray[np.int64]:
    """The whole numbers that `packed` was given, in a new array."""
    return np.frombuffer(raw, "<i8").astype(np.int64)
