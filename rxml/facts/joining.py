"""LogCheckpoints: checkpoints in the file of a fact log, so that facts are committed with them.

What is appended between two checkpoints lies in one open transaction of the log's writer. It is committed with the
checkpoint, and gone with a process that dies before: so facts need no ids of their own to be stored once.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from typing_extensions import override

from rxml.errors import CheckpointError, FactLogError, LogClosedError
from rxml.facts.database import explained
from rxml.flow.checkpointing.store import anything
from rxml.flow.scope import finished
from rxml.stores.checking import require_keep
from rxml.stores.file import SCHEMA, SqliteLedger, transaction
from rxml.stores.ledger import forgotten, taken
from rxml.stores.packing import encoded
from rxml.stores.session import SqlSession

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rxml.facts.joint import Joint
    from rxml.facts.writer import Writer
    from rxml.flow.checkpointing.store import Admit, Saved
    from rxml.stores.ledger import Ledger

T = TypeVar("T")


class JointLog(Protocol):
    """What is needed of a `FactLog`; see there."""

    path: Path
    joint: Joint

    def writing(self) -> Writer:
        """See `FactStore.writing`."""
        ...

    def in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """See `FactLog.in_thread`."""
        ...

    def tell(self) -> None:
        """See `FactStore.tell`."""
        ...


@dataclass(frozen=True, slots=True)
class LogCheckpoints:
    """Keeps checkpoints in the file of a fact log (a `Store`); `FactLog.checkpoints` makes it.

    Args:
        log: they are kept in.
        keep: checkpoints of each pipeline that stay, >= 1.

    Raises:
        ValueError: `keep` below 1.
    """

    log: JointLog
    keep: int = field(default=3, compare=False)

    def __post_init__(self) -> None:
        require_keep("checkpoints", self.keep)

    def encode(self, value: Any) -> bytes:
        """See `Store.encode`."""
        return encoded(value)

    async def begin(self, pipeline: str, admit: Admit = anything) -> LogSession:
        """See `Store.begin`; this takes the writer's lock of the log.

        Raises:
            CheckpointError: another pipeline has its checkpoints in the log and runs, or somebody else writes to it.
        """
        session = LogSession(self.log, pipeline, self.keep)
        try:
            await session.take_over(admit)
        except BaseException:
            await session.close()
            raise
        return session

    async def forget(self, pipeline: str = "main") -> None:
        """Forget the checkpoints of a pipeline: it begins anew. Facts stay, since they have happened.

        A run of it that goes on meanwhile ends with a CheckpointError.
        """

        def forget() -> None:
            if self.log.path.exists():
                with _in(self.log) as ledger:
                    ledger.why = forgotten(pipeline)
                    with ledger.transaction(pipeline):
                        ledger.forget(pipeline)

        await self.log.in_thread(forget)


class LogSession(SqlSession):
    """One run's hold on a pipeline (a `Session`), and on the log.

    Args:
        log: that the checkpoints are in.
        pipeline: its name.
        keep: checkpoints that are kept.

    Attributes:
        log: see above.
        appends: facts are committed with the checkpoints.
        lost: why it has the log no more; None while it has.
    """

    def __init__(self, log: JointLog, pipeline: str, keep: int) -> None:
        super().__init__(_Lease(log), pipeline, keep)
        self.log: JointLog = log
        self.appends: bool = False
        self.lost: CheckpointError | None = None
        self._number = 0
        self._bell: asyncio.Future[None] | None = None

    @override
    def _take_over(self, ledger: Ledger, admit: Admit) -> None:
        super()._take_over(ledger, admit)
        self._number = 0 if self.saved is None else self.saved.number
        self.log.joint.holder = self
        self.log.writing().harden()

    @override
    def _commit(self, ledger: Ledger, saved: Saved) -> None:
        self.log.joint.require(self)
        super()._commit(ledger, saved)

    @override
    async def commit(self, saved: Saved) -> None:
        await super().commit(saved)
        self._number = saved.number
        self._ring()
        self.log.tell()

    async def passed(self, number: int) -> None:
        """Wait until the checkpoint of that number is committed: what is appended then belongs to the next."""
        while self._number < number:
            if self._bell is None:
                self._bell = asyncio.get_running_loop().create_future()
            await finished(self._bell)

    def _ring(self) -> None:
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.set_result(None)

    @override
    async def close(self) -> None:
        """See `Session.close`."""
        if not self._closed:
            self._closed = True
            with suppress(LogClosedError):  # then nothing is left to be given back
                await self.log.in_thread(self._end)

    def _end(self) -> None:
        joint = self.log.joint
        if joint.holder is self:
            joint.end()
            self.log.writing().abandon()


class LogLedger(SqliteLedger):
    """The tables of a store in a log. Whoever begins anew has what was not committed thrown away.

    Attributes:
        why: the run that has the log has it no more, once a transaction that is not durable begins.
    """

    def __init__(self, log: JointLog) -> None:
        self._writer = log.writing()
        super().__init__(self._writer.connection)
        self.why: CheckpointError | None = None
        self._log = log
        if not self.execute("SELECT 1 FROM sqlite_schema WHERE name='_rxml_sinks'"):
            with transaction(self.connection):
                for statement in SCHEMA.split(";"):
                    self.execute(statement)

    @override
    def transaction(
        self, pipeline: str, *, durable: bool = False
    ) -> AbstractContextManager[object]:
        return self._with_facts() if durable else self._anew(pipeline)

    @contextmanager
    def _with_facts(self) -> Generator[None]:
        try:
            self._writer.begin()
            yield
            self._writer.commit()
        except BaseException:
            self._log.joint.end()
            self._writer.abandon()
            raise

    @contextmanager
    def _anew(self, pipeline: str) -> Generator[None]:
        joint = self._log.joint
        holder = joint.holder
        if holder is not None and holder.pipeline != pipeline:
            raise CheckpointError(
                f"{self._log.path} keeps the checkpoints of {holder.pipeline!r}, which runs: a log has one such run at a "
                "time; wait until it has ended, or take another store"
            )
        joint.end(self.why or taken(pipeline))
        self._writer.abandon()
        with transaction(self.connection):
            yield


class _Lease:
    """A log that is held for a session (a `Leased`)."""

    def __init__(self, log: JointLog) -> None:
        self._log = log

    def submit(self, work: Callable[[Ledger], T]) -> asyncio.Future[T]:
        """See `Database.submit`."""

        def worked() -> T:
            with _in(self._log) as ledger:
                return work(ledger)

        return self._log.in_thread(worked)

    async def leave(self) -> None:
        """The session gives it back by itself."""


@contextmanager
def _in(log: JointLog) -> Generator[LogLedger]:
    """The tables, in the log's thread and under its mutex; its errors are those of a store."""
    try:
        with explained(log.path):
            yield LogLedger(log)
    except FactLogError as error:
        raise CheckpointError(str(error)) from error
