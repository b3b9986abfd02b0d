"""Rows taken in order into states over slots, and what numbers they have in their slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Slots: TypeAlias = NDArray[np.intp]

_MANY: Final = 32  # rows in a round from which numpy is quicker than a loop over plain floats


def numbered(slots: Slots) -> Slots:
    """How many rows of the same slot came before each row."""
    order = np.argsort(slots, kind="stable")
    ordered = slots[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[first, len(slots)])
    number = np.empty(len(slots), np.intp)
    number[order] = np.arange(len(slots)) - np.repeat(first, lengths)
    return number


def folded(
    step: Callable[..., tuple[Any, ...]],
    state: Sequence[NDArray[Any]],
    slots: Slots,
    *columns: NDArray[Any],
) -> None:
    """Put step(*state of the slot, *row) in place of the state of the slot, for each row in order.

    The step is given plain numbers or arrays of them; by IEEE 754 both have the same bits, if it only adds, takes
    away, multiplies and divides.
    """
    if len(slots) < _MANY * max(_most(slots), 1):
        folded_singly(step, state, slots, *columns)
        return
    for rows in rounds(slots):
        at = slots[rows]
        new = step(*(each[at] for each in state), *(column[rows] for column in columns))
        for each, values in zip(state, new, strict=True):
            each[at] = values


def _most(slots: Slots) -> int:
    """How often the slot that comes most often does."""
    if len(slots) < _MANY:
        return len(slots)
    return int(np.unique(slots, return_counts=True)[1].max())


def folded_singly(
    step: Callable[..., tuple[Any, ...]],
    state: Sequence[NDArray[Any]],
    slots: Slots,
    *columns: NDArray[Any],
) -> None:
    """As `folded`, of plain numbers only: any step has the same bits then."""
    if not len(slots):
        return
    touched, codes = np.unique(slots, return_inverse=True)
    held = list(zip(*(each[touched].tolist() for each in state), strict=True))
    lists = [column.tolist() for column in columns]
    for row in zip(codes.tolist(), *lists, strict=True):
        held[row[0]] = step(*held[row[0]], *row[1:])
    for each, values in zip(state, zip(*held, strict=True), strict=True):
        each[touched] = values


def grown(array: NDArray[Any], slots: int) -> NDArray[Any]:
    """With zeros for slots that it does not have yet."""
    if slots <= len(array):
        return array
    more = np.zeros((slots - len(array), *array.shape[1:]), array.dtype)
    return np.concatenate([array, more])
