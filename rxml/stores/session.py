"""SqlSession: one run's hold on a pipeline whose checkpoints are in a database."""

from __future__ import annotations

from dataclasses import replace
from secrets import randbits
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rxml.stores.ledger import lost
from rxml.stores.packing import packed, parts_of, unpacked

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from rxml.flow.checkpointing.store import Admit, Saved
    from rxml.stores.ledger import Ledger

T = TypeVar("T")


class Leased(Protocol):
    """A database that is held open for a session."""

    def submit(self, work: Callable[[Ledger], T]) -> asyncio.Future[T]:
        """See `Database.submit`."""
        ...

    async def leave(self) -> None:
        """See `Database.leave`."""
        ...


class SqlSession:
    """One run's hold on a pipeline (a `Session`).

    Args:
        database: is leased for it.
        pipeline: its name.
        keep: checkpoints that are kept.

    Attributes:
        database: see above.
        pipeline: see above.
        owner: by which the run is known in the database.
        saved: see `Session`.
        states: see `Session`.
    """

    def __init__(self, database: Leased, pipeline: str, keep: int) -> None:
        self.database: Leased = database
        self.pipeline: str = pipeline
        self.owner: int = randbits(62)
        self.saved: Saved | None = None
        self.states: Mapping[int, Any] = {}
        self._keep = keep
        self._connection: object = None
        self._closed = False

    async def take_over(self, admit: Admit) -> None:
        """Become the owner, unless the newest checkpoint is refused."""
        await self.database.submit(lambda ledger: self._take_over(ledger, admit))

    def _take_over(self, ledger: Ledger, admit: Admit) -> None:
        """What takes long, and may be refused, is done before it is locked; if it is still the newest, that was it."""
        while True:
            saved = _newest(ledger, self.pipeline)
            if saved is not None:
                self.states = parts_of(saved, f"checkpoint {saved.number} of {self.pipeline!r}")
                admit(saved, self.states)
            number = 0 if saved is None else saved.number
            with ledger.transaction(self.pipeline):
                if ledger.newest_number(self.pipeline) == number:
                    ledger.own(self.pipeline, self.owner)
                    self.saved, self._connection = saved, ledger.connection
                    return

    async def commit(self, saved: Saved) -> None:
        """See `Session.commit`."""
        await self.database.submit(lambda ledger: self._commit(ledger, saved))

    def _commit(self, ledger: Ledger, saved: Saved) -> None:
        """The end may have overtaken a barrier: then what came behind that is done, too."""
        data = packed(saved)
        numbers = range(saved.number, saved.number + (2 if saved.complete else 1))
        with ledger.transaction(self.pipeline, durable=True):
            self.require_hold(ledger)
            ledger.store(self.pipeline, numbers, data, self._keep)

    def require_hold(self, ledger: Ledger) -> None:
        """Raise a CheckpointError if the pipeline is not this run's any more, or not all is there that it has written."""
        if ledger.connection is not self._connection:
            raise lost(self.pipeline)
        ledger.require_hold(self.pipeline, self.owner)

    async def close(self) -> None:
        """See `Session.close`."""
        if not self._closed:
            self._closed = True
            await self.database.leave()


def _newest(ledger: Ledger, pipeline: str) -> Saved | None:
    found = ledger.newest(pipeline)
    if found is None:
        return None
    number, data = found
    return replace(unpacked(data, f"checkpoint {number} of {pipeline!r}"), number=number)
