"""Poison: elements that fail again and again are not tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rxml.resilience.keyed import Keyed
from rxml.resilience.numbers import require_range

if TYPE_CHECKING:
    from collections.abc import Hashable


class Poison:
    """Counts failures of each key; after `after` of them the key is in quarantine until it is released.

    A success forgets the failures of a key that is not in quarantine. Where more keys fail than it has room for, those
    whose failures are the oldest are forgotten.

    Args:
        after: failures, >= 1.
        keys: failing keys, and keys in quarantine, that are remembered, >= 1 each.

    Raises:
        ValueError: a number out of its range.
    """

    __slots__ = ("_after", "_counts", "_shut")

    def __init__(self, after: int = 3, *, keys: int = 10_000) -> None:
        self._after = int(require_range("Poison(after)", after, 1))
        self._counts: Keyed[int] = Keyed(keys)
        self._shut: Keyed[int] = Keyed(keys)

    def failed(self, key: Hashable) -> bool:
        """The key has failed; returns whether it is in quarantine now."""
        if self.quarantined(key):
            return True
        count = (self._counts.get(key) or 0) + 1
        if count < self._after:
            self._counts.put(key, count)
            return False
        self._counts.pop(key)
        self._shut.put(key, count)
        return True

    def succeeded(self, key: Hashable) -> None:
        """The key has not failed this time."""
        self._counts.pop(key)

    def quarantined(self, key: Hashable) -> bool:
        """Whether the key is not to be tried; being asked for keeps it remembered."""
        return self._shut.get(key) is not None

    def release(self, key: Hashable) -> bool:
        """Let the key be tried again; returns whether it was in quarantine."""
        return self._shut.pop(key) is not None

    def keys(self) -> tuple[Hashable, ...]:
        """The keys in quarantine, the one asked for longest ago first."""
        return self._shut.keys()

    def snapshot(self) -> list[list[list[Hashable | int]]]:
        """The state as plain lists: [key, count] of failing keys, then of those in quarantine."""
        tables = (self._counts, self._shut)
        return [[[key, table.get(key) or 0] for key in table.keys()] for table in tables]  # noqa: SIM118 - no dict

    def restore(self, state: list[list[list[Hashable | int]]]) -> None:
        """Go on from a snapshot."""
        for table, rows in zip((self._counts, self._shut), state, strict=True):
            for key, count in rows:
                table.put(_hashable(key), int(str(count)))


def _hashable(key: object) -> Hashable:
    """A key as it was: a tuple may have come back as a list."""
    if isinstance(key, list):
        return tuple(map(_hashable, cast("list[object]", key)))
    return key
