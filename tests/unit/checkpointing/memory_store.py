"""A store in memory, whose runs can be told to die behind a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.checkpointing.store import anything
from rxml.stores.packing import encoded, packed, parts_of, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.checkpointing.store import Admit, Saved


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

    async def begin(self, pipeline: str, admit: Admit = anything) -> MemorySession:
        session = MemorySession(self, pipeline)
        if session.saved is not None:
            admit(session.saved, session.states)
        self.open += 1
        return session


class MemorySession:
    def __init__(self, store: MemoryStore, pipeline: str) -> None:
        data = store.kept.get(pipeline)
        self.saved: Saved | None = None if data is None else unpacked(data, "memory")
        self.states: Mapping[int, Any] = (
            {} if self.saved is None else parts_of(self.saved, "memory")
        )
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
