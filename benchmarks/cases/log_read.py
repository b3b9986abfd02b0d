"""log_read: all facts of a log from its beginning, in the chunks of 1024 that were appended."""

from __future__ import annotations

import asyncio
import atexit
import sqlite3
import zlib
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.events import clocked
from benchmarks.cases.facts import ROWS, batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.facts.blob import Forms

    Columns = dict[str, Any]

SELECT = "SELECT first, last, crc, blob FROM chunks WHERE last >= ? ORDER BY last LIMIT 1"
VALUE = "payload.value"


@cache
def log(size: int) -> Path:
    """A log of that many facts, for as long as the process lives."""
    from rxml.facts import FactLog  # noqa: PLC0415

    folder = TemporaryDirectory(prefix="rxml-bench-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "facts.db"
    with FactLog(path) as made:
        for batch in batches(size):
            made.append_batch(batch)
    return path


def _read(size: int, read: Callable[[Path], list[Any]]) -> Outcome:
    """Read all, each batch or dict of columns by itself; it adds up what each of them has."""
    path = log(size)
    found, measures = clocked(lambda: read(path))
    n = sum(len(column) for column in found)
    total = sum(float(column.sum()) for column in found)
    measures["facts_per_second"] = size / measures["seconds"]
    return Outcome(n + total, measures)


def rxml(size: int) -> Outcome:
    """Ours: by demand, in a thread that reads one chunk ahead."""
    from rxml.facts import FactLog  # noqa: PLC0415

    async def read(path: Path) -> list[Any]:
        found: list[Any] = []
        async with FactLog(path, read_only=True) as facts, facts.read().open() as subscription:
            while not (chunk := await subscription.request(ROWS)).end:
                batch: Any = chunk.elements
                found.append(batch[VALUE])
        return found

    return _read(size, lambda path: asyncio.run(read(path)))


def scan(size: int) -> Outcome:
    """Ours, without a loop."""
    from rxml.facts import FactLog  # noqa: PLC0415

    def read(path: Path) -> list[Any]:
        with FactLog(path, read_only=True) as facts:
            return [batch.array(VALUE) for batch in facts.scan()]

    return _read(size, read)


def _by_hand(size: int, columns: Callable[[Forms], Any]) -> Outcome:
    from rxml.facts.blob import Forms  # noqa: PLC0415

    def read(path: Path) -> list[Any]:
        found: list[Any] = []
        following = 0
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            while (row := connection.execute(SELECT, (following,)).fetchone()) is not None:
                first, last, crc, blob = row
                assert zlib.crc32(blob) == crc
                found.append(columns(Forms(blob, last - first + 1)))
                following = last + 1
        return found

    return _read(size, read)


def by_hand(size: int) -> Outcome:
    """The same blobs, all columns of each decoded by the log's own decoder."""
    return _by_hand(size, lambda forms: forms.columns()[VALUE])


def one_column(size: int) -> Outcome:
    """The same blobs, of each the one column that is wanted."""
    return _by_hand(size, lambda forms: forms.column(VALUE))


CASE = Case(
    name="log_read",
    what="read facts with ids, 1,000 keys and a number each from a log, in chunks of 1024",
    limit="a SELECT for each chunk, its checksum, and decoding its columns",
    size=1024 * 1000,
    quick=1024 * 200,
    unit="facts",
    contestants={
        "rxml": Contestant(rxml, "log.read(), request(1024)"),
        "scan": Contestant(scan, "log.scan(), no loop and no thread"),
        "hand": Contestant(by_hand, "sqlite3, the same blobs, decoded by the same decoder"),
        "one_column": Contestant(one_column, "the same, but one column of seven decoded"),
    },
    musts=(Must("speed", "hand", 0.5),),
    shown=("seconds", "facts_per_second"),
    tolerance=1e-9,
)
