"""PostgresStore: checkpoints, and the rows of sinks that are committed with them, in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from rxml.flow.timing.duration import seconds_of
from rxml.stores.checking import require_keep
from rxml.stores.database import Database
from rxml.stores.server import PostgresServer
from rxml.stores.sqlstore import SqlStore

if TYPE_CHECKING:
    from rxml.flow.timing.duration import Duration


class PostgresStore(SqlStore):
    """Keeps checkpoints in a PostgreSQL database (12 or later), which may hold several pipelines, by name.

    Its tables begin with `_rxml_`, and lie with the views of its sinks in the first schema of the `search_path` that has
    them, else in the first. Needs the extra `postgres`. One connection is opened when a run begins and closed with the last run that uses it; all work is
    done in a thread of its own. A checkpoint is on the server's disk when it is committed, unless the server was told
    otherwise (`fsync`). Where the connection is lost, the run fails, and the next goes on from the last checkpoint.

    Args:
        dsn: `postgresql://user:password@host:5432/database`, or `host=... dbname=...`, with any parameter of libpq;
            what it does not say comes from the environment (`PGPASSWORD`, `PGHOST`, ...) and `~/.pgpass`. A schema is
            named by `options=-csearch_path=NAME`. The password is in no error and no repr.
        keep: checkpoints of each pipeline that are kept, >= 1.
        wait: how long another one may keep what is needed locked, as a duration; as long it may take to connect, at
            least 2 seconds.

    Raises:
        ValueError: `keep` below 1, or `dsn` is none.
        ModuleNotFoundError: psycopg is not installed; the message names the extra.
    """

    longest: ClassVar[int] = 48  # of 63, what stands in front of it in names of ours taken off

    def __init__(self, dsn: str, *, keep: int = 3, wait: Duration = 5.0) -> None:
        require_keep("PostgresStore", keep)
        server = PostgresServer(dsn, seconds_of(wait, "PostgresStore(wait)"))
        self._name = server.name
        super().__init__(Database(server), keep)

    @override
    def __repr__(self) -> str:
        return f"PostgresStore({self._name})"
