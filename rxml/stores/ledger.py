"""Ledger: the tables of a store in an SQL database. Their names begin with an underscore, which those of sinks do not.

Rows lie in a table for each sink, under the number of the checkpoint that they belong to. What is committed has an entry
in `_rxml_commits`, whose `seq` is the order in which that was: by it rows are read, since ids are given when rows are
written, and two pipelines that write into one table may commit the other way round.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from rxml.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

FoundRow: TypeAlias = tuple[int, int, bytes]
"""Of a row: the `seq` of the commit that it came with, its id, and its value."""


class Ledger(ABC):
    """What a store does in its database, by one connection and in one thread.

    What is SQL to all databases is here, with `?` for values; what is not, a database says for itself.
    """

    connection: Any
    """To the database."""

    inner_join: ClassVar[str]
    """By which commits come first, and their rows in order, without being sorted if the database can."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether the connection can still be used."""

    @abstractmethod
    def execute(self, text: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Do it, and give all rows that come of it."""

    @abstractmethod
    def transaction(
        self, pipeline: str, *, durable: bool = False
    ) -> AbstractContextManager[object]:
        """All or nothing; nobody else changes what is the pipeline's meanwhile.

        Args:
            pipeline: its name.
            durable: what was done is on the disk behind it; else by the next one that is durable at the latest.
        """

    @abstractmethod
    def make(self, table: str) -> None:
        """Make the table of a sink and its view, unless they are there; in a transaction."""

    @abstractmethod
    def insert(self, table: str, pipeline: str, number: int, values: Sequence[bytes]) -> None:
        """Add rows in this order, which belong to the checkpoint of that number."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""

    @abstractmethod
    def stand_in_line(self) -> None:
        """In a transaction: until its end no other one gives numbers to commits."""

    def newest(self, pipeline: str) -> tuple[int, bytes] | None:
        """The number and the bytes of the newest checkpoint."""
        found = self.execute(
            "SELECT number, data FROM _rxml_checkpoints WHERE pipeline=? ORDER BY number DESC LIMIT 1",
            (pipeline,),
        )
        return (found[0][0], bytes(found[0][1])) if found else None

    def newest_number(self, pipeline: str) -> int:
        """The number of the newest checkpoint; 0 if there is none."""
        text = "SELECT coalesce(max(number), 0) FROM _rxml_checkpoints WHERE pipeline=?"
        number: int = self.execute(text, (pipeline,))[0][0]
        return number

    def own(self, pipeline: str, owner: int) -> None:
        """Give the pipeline to an owner, and throw away what was not committed."""
        ((committed,),) = self.execute(
            "INSERT INTO _rxml_pipelines VALUES (?,?,0) ON CONFLICT (name) DO UPDATE SET owner=excluded.owner "
            "RETURNING committed",
            (pipeline, owner),
        )
        self._drop_behind(pipeline, committed)

    def require_hold(self, pipeline: str, owner: int) -> None:
        """Raise a CheckpointError if the pipeline is not that owner's any more."""
        found = self.execute("SELECT owner FROM _rxml_pipelines WHERE name=?", (pipeline,))
        if not found:
            raise forgotten(pipeline)
        if found[0][0] != owner:
            raise taken(pipeline)

    def store(self, pipeline: str, numbers: range, data: bytes, keep: int) -> None:
        """Store a checkpoint, show the rows that belong to it, and throw away checkpoints that are too many.

        Args:
            pipeline: its name.
            numbers: of the checkpoint, and of those behind it that are done with it.
            data: its bytes.
            keep: how many stay.
        """
        number = numbers[0]
        self.stand_in_line()
        last = (numbers[-1], pipeline)
        self.execute("UPDATE _rxml_pipelines SET committed=? WHERE name=?", last)
        self.execute("INSERT INTO _rxml_checkpoints VALUES (?,?,?)", (pipeline, number, data))
        old = (pipeline, number - keep)
        self.execute("DELETE FROM _rxml_checkpoints WHERE pipeline=? AND number<=?", old)
        for each in numbers:
            self._show(pipeline, each)

    def _show(self, pipeline: str, number: int) -> None:
        for rows in self._all_rows():
            found = f"SELECT 1 FROM {rows} WHERE pipeline=? AND number=? LIMIT 1"  # noqa: S608 - a checked word
            if self.execute(found, (pipeline, number)):
                text = "INSERT INTO _rxml_commits (pipeline, number) VALUES (?,?)"
                self.execute(text, (pipeline, number))
                return

    def forget(self, pipeline: str) -> None:
        """Take everything of a pipeline away; in a transaction."""
        self._drop_behind(pipeline, 0)
        for table in ("checkpoints", "commits"):
            self.execute(f"DELETE FROM _rxml_{table} WHERE pipeline=?", (pipeline,))  # noqa: S608 - a word of ours
        self.execute("DELETE FROM _rxml_pipelines WHERE name=?", (pipeline,))

    def _drop_behind(self, pipeline: str, number: int) -> None:
        """Throw away the rows of all checkpoints of a pipeline behind that number."""
        for rows in self._all_rows():
            text = f"DELETE FROM {rows} WHERE pipeline=? AND number>?"  # noqa: S608 - a checked word
            self.execute(text, (pipeline, number))

    def after(self, table: str, seq: int, row: int, n: int) -> list[FoundRow] | None:
        """The next committed rows; None if there is no such row to go on from, unless it is (0, 0)."""
        if not self.has(table):
            return None if seq else []
        found = self._behind(table, seq, row, n) if seq else []
        if found is None:
            return None
        text = f"SELECT c.seq, r.id, r.value FROM {self.committed(table)} WHERE c.seq>? ORDER BY c.seq, r.id LIMIT ?"  # noqa: S608
        found += self.execute(text, (seq, n - len(found)))
        return [(seq, row, value) for seq, row, value in found]

    def _behind(self, table: str, seq: int, row: int, n: int) -> list[tuple[Any, ...]] | None:
        """What comes behind a row in its commit, by an index, however much that is; None if there is no such row."""
        text = f"SELECT c.pipeline, c.number FROM {self.committed(table)} WHERE c.seq=? AND r.id=?"  # noqa: S608
        commit = self.execute(text, (seq, row))
        text = f"SELECT id, value FROM {rows_of(table)} WHERE pipeline=? AND number=? AND id>? ORDER BY id LIMIT ?"  # noqa: S608
        return (
            [(seq, *each) for each in self.execute(text, (*commit[0], row, n))] if commit else None
        )

    def has(self, table: str) -> bool:
        """Whether there is such a sink."""
        return bool(self.execute("SELECT 1 FROM _rxml_sinks WHERE name=?", (table,)))

    def _all_rows(self) -> list[str]:
        return [rows_of(name) for (name,) in self.execute("SELECT name FROM _rxml_sinks")]

    def committed(self, table: str) -> str:
        """What to select the committed rows of a sink from: commits are `c`, rows are `r`."""
        return (
            f"_rxml_commits AS c {self.inner_join} {rows_of(table)} AS r "
            "ON r.pipeline = c.pipeline AND r.number = c.number"
        )


def rows_of(table: str) -> str:
    """The table of a sink's rows."""
    return f'"_rxml_rows_{table}"'


def taken(pipeline: str) -> CheckpointError:
    """What is wrong if another run has begun."""
    return CheckpointError(
        f"another run of {pipeline!r} has begun in this store and goes on from the last checkpoint; this one ends"
    )


def lost(pipeline: str) -> CheckpointError:
    """What is wrong if what a run has written was not on the disk yet, and may be gone with the connection."""
    return CheckpointError(
        f"this run of {pipeline!r} lost its connection to the store, and perhaps what it has written since the checkpoint "
        "before; that stands, and the next run goes on from it"
    )


def forgotten(pipeline: str) -> CheckpointError:
    """What is wrong if a pipeline was forgotten while it ran."""
    return CheckpointError(
        f"the pipeline {pipeline!r} was forgotten in this store while this run went on; it ends, and the next begins anew"
    )
