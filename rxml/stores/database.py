"""Database: what a store keeps its tables in, used by one thread of its own while somebody needs it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Protocol, TypeVar

from rxml.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rxml.stores.ledger import Ledger

T = TypeVar("T")


class Backend(Protocol):
    """A kind of database, and where it is."""

    @property
    def name(self) -> str:
        """What people know it by; nothing in it is secret."""
        ...

    def open(self, *, make: bool) -> Ledger | None:
        """Connect, and make the tables unless they are there; it blocks.

        Args:
            make: else nothing is made, and None comes where there are none.

        Raises:
            CheckpointError: it is no store of this version.
        """
        ...

    def explained(self) -> AbstractContextManager[None]:
        """Turns what the database says into a CheckpointError that says what would be right."""
        ...


class Opening:
    """One thread with one connection, from the first lease to the last leave; work is done in the order of calls.

    Args:
        backend: to connect to.
        before: the close of the opening before: nothing is opened until that is over.
    """

    def __init__(self, backend: Backend, before: Future[None] | None) -> None:
        self._backend = backend
        self._before = before
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"store {backend.name}")
        self._ledger: Ledger | None = None

    def submit(self, work: Callable[[Ledger], T]) -> Future[T]:
        """Have the thread do some work, in tables that are made if there are none."""
        return self._thread.submit(self._worked, work)

    def look(self, work: Callable[[Ledger], T], default: T) -> Future[T]:
        """`submit`, but where there are no tables, none are made, and the default comes back."""
        return self._thread.submit(self._looked, work, default)

    def close(self) -> Future[None]:
        """Disconnect behind all that was submitted; nothing may be submitted any more."""
        closed = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        return closed

    def _worked(self, work: Callable[[Ledger], T]) -> T:
        with self._backend.explained():
            ledger = self._opened(make=True)
            if ledger is None:
                raise CheckpointError(f"{self._backend.name} was not made")
            return work(ledger)

    def _looked(self, work: Callable[[Ledger], T], default: T) -> T:
        with self._backend.explained():
            ledger = self._opened(make=False)
            return default if ledger is None else work(ledger)

    def _opened(self, *, make: bool) -> Ledger | None:
        before, self._before = self._before, None
        if before is not None:
            wait([before])
        if self._ledger is not None and not self._ledger.alive:
            self._close()  # whoever used it has been told; others connect again
        if self._ledger is None:
            self._ledger = self._backend.open(make=make)
        return self._ledger

    def _close(self) -> None:
        if self._before is not None:
            wait([self._before])
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()


class Database:
    """Opened by the first `lease`, closed by the last `leave`.

    Args:
        backend: what it is.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._leases = 0
        self._opening: Opening | None = None
        self._closed: Future[None] | None = None

    async def lease(self) -> None:
        """Hold it open, and make it if there is none.

        Raises:
            CheckpointError: it cannot be opened, or is no store of this version.
        """
        self.lease_to_look()
        try:
            await self.submit(lambda ledger: ledger.alive)
        except BaseException:
            await self.leave()
            raise

    def lease_to_look(self) -> None:
        """Hold it open if there is one; for `look`."""
        self._leases += 1
        if self._opening is None:
            self._opening = Opening(self._backend, self._closed)

    async def leave(self) -> None:
        """Give one lease back."""
        self._leases -= 1
        if self._leases == 0 and self._opening is not None:
            opening, self._opening = self._opening, None
            self._closed = opening.close()
            await asyncio.wait([asyncio.wrap_future(self._closed)])

    def submit(self, work: Callable[[Ledger], T]) -> asyncio.Future[T]:
        """Have the thread do some work, behind what it was given before; needs a lease."""
        return asyncio.wrap_future(self._open().submit(work))

    def look(self, work: Callable[[Ledger], T], default: T) -> asyncio.Future[T]:
        """`submit`, but where there are no tables, none are made, and the default comes back."""
        return asyncio.wrap_future(self._open().look(work, default))

    def _open(self) -> Opening:
        if self._opening is None:
            raise CheckpointError(f"{self._backend.name} is not open: use it while a run does")
        return self._opening
