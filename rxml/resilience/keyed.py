"""Keyed: a mapping that holds a bounded number of keys, those that were used last."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from rxml.resilience.numbers import require_range

if TYPE_CHECKING:
    from collections.abc import Hashable

V = TypeVar("V")


class Keyed(Generic[V]):
    """What is known of each key; where there are too many, the one that was used longest ago is forgotten.

    Args:
        most: keys that are kept, >= 1.

    Attributes:
        forgotten: keys that were given up for want of room.

    Raises:
        ValueError: most below 1.
    """

    __slots__ = ("_items", "_most", "forgotten")

    def __init__(self, most: int) -> None:
        self._most = int(require_range("the number of keys", most, 1))
        self._items: OrderedDict[Hashable, V] = OrderedDict()
        self.forgotten: int = 0

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._items

    def get(self, key: Hashable) -> V | None:
        """What is known of the key, which counts as used; None if nothing is."""
        found = self._items.get(key)
        if found is not None:
            self._items.move_to_end(key)
        return found

    def put(self, key: Hashable, value: V) -> None:
        """Know this of the key, which counts as used."""
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._most:
            self._items.popitem(last=False)
            self.forgotten += 1

    def pop(self, key: Hashable) -> V | None:
        """Forget the key; returns what was known of it."""
        return self._items.pop(key, None)

    def keys(self) -> tuple[Hashable, ...]:
        """The keys, the one used longest ago first."""
        return tuple(self._items)
