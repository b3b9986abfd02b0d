"""A store's PostgreSQL database: how it is reached, and what is in it."""

from __future__ import annotations

from contextlib import contextmanager
from math import ceil, isinf
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zlib import crc32

from typing_extensions import override

from rxml.batch.extras import extra_module
from rxml.errors import CheckpointError, CheckpointVersionError
from rxml.stores.ledger import Ledger, rows_of
from rxml.stores.refusals import explained, unreached

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from contextlib import AbstractContextManager

FORMAT: Final = 1
"""The version of the tables, in `_rxml_format`."""

_LOCKS: Final = 0x7278636B  # "rxck": the first half of the numbers of advisory locks
_SHOWN: Final = ("host", "hostaddr", "port", "dbname", "user", "service")
_LONGEST: Final = 2**31 - 1  # that the server takes, and libpq
_PATIENCE: Final[Mapping[str, object]] = {
    "application_name": "rxml",
    "client_encoding": "utf8",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Unless the dsn says otherwise, a server that is gone is noticed within half a minute."""

_SCHEMA: Final = f"""
CREATE TABLE _rxml_format (version BIGINT NOT NULL);
INSERT INTO _rxml_format VALUES ({FORMAT});
CREATE TABLE _rxml_pipelines (
    name TEXT PRIMARY KEY, owner BIGINT NOT NULL, committed BIGINT NOT NULL
);
CREATE TABLE _rxml_checkpoints (
    pipeline TEXT, number BIGINT, data BYTEA NOT NULL, PRIMARY KEY (pipeline, number)
);
CREATE TABLE _rxml_commits (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pipeline TEXT NOT NULL, number BIGINT NOT NULL,
    UNIQUE (pipeline, number)
);
CREATE TABLE _rxml_sinks (name TEXT PRIMARY KEY)
"""  # noqa: S608 - a number of ours

_FOUND: Final = """
SELECT schemaname FROM pg_tables WHERE schemaname = ANY(current_schemas(false)) AND tablename='_rxml_format'
ORDER BY array_position(current_schemas(false), schemaname) LIMIT 1
"""
"""Not by `to_regclass`, which may still know of no such table when another one has just made it."""


class PostgresLedger(Ledger):
    """Keeps it in PostgreSQL. A pipeline is locked by an advisory lock, which its transaction takes first.

    Args:
        connection: of psycopg, in `autocommit`.
    """

    inner_join: ClassVar[str] = "JOIN"

    def __init__(self, connection: Any) -> None:
        self.connection: Any = connection

    @property
    @override
    def alive(self) -> bool:
        return not self.connection.closed

    @override
    def execute(self, text: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(text.replace("?", "%s"), values, binary=True)
        return cursor.fetchall() if cursor.description else []

    @override
    def transaction(
        self, pipeline: str, *, durable: bool = False
    ) -> AbstractContextManager[object]:
        return self._transaction(pipeline, durable=durable)

    @contextmanager
    def _transaction(self, pipeline: str, *, durable: bool) -> Generator[None]:
        with self.connection.transaction():
            if not durable:  # the disk has it with the next one that is
                self.execute("SET LOCAL synchronous_commit TO off")
            self._lock(pipeline)
            yield

    def _lock(self, name: str) -> None:
        """In a transaction: keep all others that lock this name waiting until its end."""
        key = crc32(name.encode()) - 2**31
        self.execute("SELECT pg_advisory_xact_lock(?::int, ?::int)", (_LOCKS, key))

    @override
    def make(self, table: str) -> None:
        self._lock("")  # CREATE IF NOT EXISTS fails where two do it at once
        if self.has(table):
            return
        rows = rows_of(table)
        self.execute(
            f"CREATE TABLE {rows} (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            "pipeline TEXT NOT NULL, number BIGINT NOT NULL, value BYTEA NOT NULL)"
        )
        self.execute(f'CREATE INDEX "_rxml_number_{table}" ON {rows} (pipeline, number, id)')
        self.execute(
            f'CREATE VIEW "{table}" AS SELECT r.id, r.pipeline, r.value '  # noqa: S608 - a checked word
            f"FROM {self.committed(table)} ORDER BY c.seq, r.id"
        )
        self.execute("INSERT INTO _rxml_sinks VALUES (?)", (table,))

    @override
    def insert(self, table: str, pipeline: str, number: int, values: Sequence[bytes]) -> None:
        text = (
            f"INSERT INTO {rows_of(table)} (pipeline, number, value) SELECT %s, %s, value "  # noqa: S608 - a checked word
            "FROM unnest(%b::bytea[]) WITH ORDINALITY AS given (value, place) ORDER BY place"
        )
        for part in parted(values):
            self.connection.execute(text, (pipeline, number, part))

    @override
    def stand_in_line(self) -> None:
        self.execute("LOCK TABLE _rxml_commits IN EXCLUSIVE MODE")

    @override
    def close(self) -> None:
        self.connection.close()

    def prepare(self, *, make: bool) -> bool:
        """Whether there are tables of this format; they are made if that is wanted.

        Those of sinks are made beside them, even if that is not the first schema of the path.
        """
        if self._is_store():
            return True
        if not make:
            return False
        with self.transaction(""):
            if not self._is_store():  # another one may have been quicker
                for statement in _SCHEMA.split(";"):
                    self.execute(statement)
        return True

    def _is_store(self) -> bool:
        found = self.execute(_FOUND)
        if not found:
            return False
        self.execute("SELECT set_config('search_path', quote_ident(?), false)", found[0])
        version = self.execute("SELECT version FROM _rxml_format")[0][0]
        if version > FORMAT:
            raise CheckpointVersionError(
                f"the tables _rxml_* have format {version}, this rxml knows formats up to {FORMAT}: upgrade rxml"
            )
        return True


def parted(values: Sequence[bytes], most: int = 4 * 2**20) -> Generator[list[bytes]]:
    """Values cut in parts of so many bytes at most, or one value: a server takes 1 GB at once, and libpq is slow long before."""
    part, size = list[bytes](), 0
    for value in values:
        if part and size + len(value) > most:
            yield part
            part, size = [], 0
        part.append(value)
        size += len(value)
    if part:
        yield part


class PostgresServer:
    """A database (a `Backend`) on a server.

    Args:
        dsn: see `PostgresStore`.
        wait: seconds for which another one may keep locked what is needed.

    Raises:
        ValueError: `dsn` is none.
        ModuleNotFoundError: psycopg is not installed.
    """

    def __init__(self, dsn: str, wait: float) -> None:
        self._psycopg = extra_module("psycopg", "postgres")
        self._wait = wait
        given = self._parsed(dsn)
        shown = " ".join(f"{key}={given[key]}" for key in _SHOWN if given.get(key))
        self._name = f"PostgreSQL ({shown or 'as the environment says'})"
        self._parameters = {**_PATIENCE, "connect_timeout": self._whole_seconds(), **given}

    def _parsed(self, dsn: object) -> dict[str, Any]:
        if isinstance(dsn, str):
            try:
                return dict(self._psycopg.conninfo.conninfo_to_dict(dsn))
            except self._psycopg.ProgrammingError:
                pass  # what it says may have the password in it
        raise ValueError(
            "PostgresStore(dsn) is no connection string: give postgresql://user@host:5432/database, or "
            f"host=... dbname=..., got another form of {type(dsn).__name__}"
        ) from None

    def _whole_seconds(self) -> int:
        """As libpq wants it, where 0 is for ever."""
        return 0 if isinf(self._wait) else min(max(2, ceil(self._wait)), _LONGEST)

    @property
    def name(self) -> str:
        """See `Backend.name`."""
        return self._name

    def open(self, *, make: bool) -> PostgresLedger | None:
        """See `Backend.open`."""
        ledger = PostgresLedger(self._connected())
        try:
            most = 0 if isinf(self._wait) else max(1, round(self._wait * 1000))
            ledger.execute(
                "SELECT set_config('lock_timeout', ?, false)", (f"{min(most, _LONGEST)}ms",)
            )
            if ledger.prepare(make=make):
                return ledger
        except BaseException:
            ledger.close()
            raise
        ledger.close()
        return None

    def _connected(self) -> Any:
        try:
            return self._psycopg.connect(autocommit=True, **self._parameters)
        except self._psycopg.Error as error:
            raise CheckpointError(f"{self._name} {unreached(error)}") from error

    def explained(self) -> AbstractContextManager[None]:
        """See `Backend.explained`."""
        return explained(self._name, self._wait, self._psycopg.Error)
