"""SqliteStore: checkpoints, and the rows of sinks that are committed with them, in one SQLite file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rxml.flow.timing.duration import seconds_of
from rxml.stores.checking import require_keep
from rxml.stores.database import Database
from rxml.stores.file import SqliteFile
from rxml.stores.sqlstore import SqlStore

if TYPE_CHECKING:
    from rxml.flow.timing.duration import Duration


class SqliteStore(SqlStore):
    """Keeps checkpoints in a SQLite file (WAL), which may hold several pipelines, by name.

    The file is opened when a run begins and closed with the last run that uses it; all work is done in a thread of its
    own. A checkpoint is on the disk when it is committed, whatever happens to the machine then.

    Args:
        path: of the file; it is made if there is none. `-wal` and `-shm` files stand beside it.
        keep: checkpoints of each pipeline that are kept, >= 1.
        wait: how long another program may keep the file locked, as a duration.

    Raises:
        ValueError: `keep` below 1.
    """

    def __init__(self, path: str | Path, *, keep: int = 3, wait: Duration = 5.0) -> None:
        require_keep("SqliteStore", keep)
        self.path: Path = Path(path)
        file = SqliteFile(self.path, seconds_of(wait, "SqliteStore(wait)"))
        super().__init__(Database(file), keep)
