"""A store in memory, whose runs can be told to die behind a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.stores.packing import decoded, encoded, packed, unpacked

if TYPE_CHECKING:
    from rxml.flow.checkpointing.store import Saved


class Died(Exception):  # noqa: N818 - what happens to the process
    """The process dies."""


class MemoryStore:
    """Keeps bytes, as real stores do.

    Attributes:
        deaths: numbers of checkpoints behind which the run dies, once each.
        numbers: of all that were committed.
    """

    def __init__(self, *deaths: int) -> None:
        self.deaths: set[int] = set(deaths)
        self.numbers: list[int] = []
        self.kept: dict[str, bytes] = {}
        self.open: int = 0

    def encode(self, value: Any) -> bytes:
        return encoded(value)

    def decode(self, data: bytes) -> Any:
        return decoded(data, "memory")

    async def begin(self, pipeline: str) -> MemorySession:
        self.open += 1
        return MemorySession(self, pipeline)


class MemorySession:
    def __init__(self, store: MemoryStore, pipeline: str) -> None:
        data = store.kept.get(pipeline)
        self.saved: Saved | None = None if data is None else unpacked(data, "memory")
        self._store = store
        self._pipeline = pipeline

    async def commit(self, saved: Saved) -> None:
        store = self._store
        store.kept[self._pipeline] = packed(saved)
        store.numbers.append(saved.number)
        if saved.number in store.deaths:
            store.deaths.remove(saved.number)
            raise Died

    async def close(self) -> None:
        self._store.open -= 1
