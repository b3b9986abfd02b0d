"""Keys: those of the windows that are open, and the order in which their results are told."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.aggregates.states import cells
from rxml.eventtime.keyed.key_table import KeyTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keying import Keying

_SMALLEST: Final = 64

_KEPT: Final = 1024
"""Keys that are remembered though nothing holds them, beside as many as are held: they may come again at once."""


_BURST: Final = 4
"""Where fewer than one of so many places for keys is in use, those behind the last one in use are given up."""

_FEW: Final = 4
"""Where fewer than one of so many keys are asked for, and others have come since, only these are put in order."""


class Keys:
    """Numbers keys, counts what holds them, and forgets those that nothing holds any more.

    Args:
        keying: which key an element belongs to; None: all belong to one.
    """

    __slots__ = ("_held", "_idle", "_keying", "_rank", "_released", "_table", "_whole")

    def __init__(self, keying: Keying | None) -> None:
        self._keying = keying
        self._table = KeyTable()
        self._held: NDArray[np.int64] = np.zeros(0, np.int64)
        self._released = True
        self._idle = 0  # new keys that nothing has come to hold, since they were swept last
        self._rank: NDArray[np.intp] | None = None
        self._whole: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self._table)

    @property
    def name(self) -> str | None:
        """The column of the key in results, or None if there are no keys."""
        return None if self._keying is None else self._keying.name

    @property
    def capacity(self) -> int:
        """All codes are below this number."""
        return len(self._held)

    def read(self, items: Sequence[Any]) -> Sequence[Any] | NDArray[Any]:
        """The keys of elements; nothing is remembered yet.

        Raises:
            SchemaError: an element has none.
        """
        return [True] * len(items) if self._keying is None else self._keying.of(items)

    def codes(self, keys: Sequence[Any] | NDArray[Any]) -> NDArray[np.intp]:
        """The number of each key, shape (n,).

        Raises:
            SchemaError: a key is missing or cannot be hashed; then nothing has changed.
        """
        if self._keying is None:
            self._table.codes([True])
            codes = np.zeros(len(keys), np.intp)
        else:
            codes = self._table.codes(keys)
        if self._table.fresh:
            self._rank = self._whole = None
            self._fit()
        return codes

    def _fit(self) -> None:
        missing = self._table.capacity - len(self._held)
        if missing > 0:
            room = max(missing, len(self._held), _SMALLEST)
            self._held = np.concatenate([self._held, np.zeros(room, np.int64)])

    def hold(self, codes: NDArray[np.intp]) -> None:
        """Something new holds these keys; one may be named several times."""
        np.add.at(self._held, codes, 1)

    def release(self, codes: NDArray[np.intp]) -> None:
        """What held these keys does so no more; they are remembered until `sweep`."""
        np.subtract.at(self._held, codes, 1)
        self._released = True

    def settle(self) -> None:
        """Behind the elements of the last `codes`: of their keys, nothing may hold those that were new and too late."""
        fresh = self._table.fresh
        if not fresh:
            return
        self._idle += len(fresh) - int(np.count_nonzero(self._held[fresh]))
        if self._idle > max(_KEPT, len(self._table) // 2):
            self._released = True
            self.sweep()

    def sweep(self) -> None:
        """Forget keys that nothing holds, if they are many."""
        if not self._released:
            return
        self._idle, self._released = 0, False
        unheld = len(self._table) - int(np.count_nonzero(self._held))
        if unheld > max(_KEPT, len(self._table) // 2):
            slots = self._table.slots()
            self._table.release(slots[self._held[slots] == 0])
            self._rank = self._whole = None
            self._shrink()

    def _shrink(self) -> None:
        """Behind a burst of keys: have room for those that are left only."""
        if _BURST * len(self._table) < self._table.capacity:
            self._table.shrink()
            self._held = self._held[: max(self._table.capacity, _SMALLEST)].copy()

    def column(self, codes: NDArray[np.intp]) -> NDArray[Any]:
        """The keys with these numbers: int64 if they are whole numbers, else objects, whatever other keys there are."""
        if self._whole is None and _FEW * len(codes) >= len(self._table):
            slots = self._table.slots()
            named = column_of(self._table.keys_of(slots))
            self._whole = np.zeros(len(self._held), named.dtype)
            self._whole[slots] = named
        if self._whole is not None and self._whole.dtype == np.int64:
            found: NDArray[Any] = self._whole[codes]
            return found
        return column_of(self._table.keys_of(codes))

    def rank(self, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where these keys stand in the order of all: by value, or where these do not compare, by type and text."""
        if self._rank is None and _FEW * len(codes) < len(self._table):
            some, places = np.unique(codes, return_inverse=True)
            return ranked(self._table.keys_of(some))[places]
        if self._rank is None:
            slots = self._table.slots()
            self._rank = np.zeros(len(self._held), np.intp)
            self._rank[slots] = ranked(self._table.keys_of(slots))
        return self._rank[codes]

    def snapshot(self) -> Any:
        """All of it, as plain values."""
        return [self._table.snapshot(), self._held.copy()]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        table, held = state
        self._table.restore(table)
        self._held = np.array(held, np.int64)
        self._rank = self._whole = None


def column_of(keys: list[Any]) -> NDArray[Any]:
    """Keys as a column: whole numbers as int64, all else as objects."""
    if set(map(type, keys)) == {int} and -(1 << 63) <= min(keys) <= max(keys) < 1 << 63:
        return np.array(keys, np.int64)
    return cells(keys)


def ranked(keys: list[Any]) -> NDArray[np.intp]:
    """The place of each key in the order of all, which of two comes first depends on these two alone."""
    kinds = set(map(type, keys))
    if kinds <= {int} or kinds <= {str}:
        order = sorted(range(len(keys)), key=keys.__getitem__)
    else:
        comparable = [_comparable(key) for key in keys]
        order = sorted(range(len(keys)), key=comparable.__getitem__)
    ranks = np.empty(len(keys), np.intp)
    ranks[order] = np.arange(len(keys))
    return ranks


def _comparable(key: Any) -> tuple[Any, ...]:
    """What compares like the key with keys of its type, and by type with others."""
    if isinstance(key, (int, float, np.number)):
        return (0, "", cast("Any", key))
    if isinstance(key, tuple):
        return (1, "tuple", tuple(map(_comparable, cast("Iterable[Any]", key))))
    if isinstance(key, str | bytes | date):
        kind = type(key).__name__
        return (1, kind, key if not isinstance(key, date) else key.isoformat())
    return (1, type(key).__name__, repr(key))
