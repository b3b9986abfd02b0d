"""Facts of the log cases, a folder for each run, and the log by hand: the same table, and the same blobs in it."""

from __future__ import annotations

import random
import sqlite3
import zlib
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

ROWS: Final = 1024
KEYS: Final = 1_000
START: Final = 1_700_000_000 * 10**9
SPACING: Final = 1_000
"""Nanoseconds: a million facts a second."""

INSERT: Final = "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SCHEMA: Final = """
CREATE TABLE chunks (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, min_event INTEGER NOT NULL,
max_event INTEGER NOT NULL, min_arrival INTEGER NOT NULL, max_arrival INTEGER NOT NULL, crc INTEGER NOT NULL,
blob BLOB NOT NULL)
"""


@cache
def batches(size: int) -> list[Any]:
    """Batches of 1024 facts of a thousand keys, with ids as `new_id` makes them and one number each as payload."""
    import numpy as np  # noqa: PLC0415

    from rxml.batch import Batch  # noqa: PLC0415

    generator, texts = np.random.default_rng(9), random.Random(9)
    names = np.array([f"sensor-{number}" for number in range(KEYS)], object)
    made: list[Any] = []
    for start in range(0, size, ROWS):
        n = min(ROWS, size - start)
        arrived = START + (start + np.arange(n)) * SPACING
        ids = np.empty(n, object)
        ids[:] = [f"{time // 1000:014x}{texts.getrandbits(72):018x}" for time in arrived.tolist()]
        columns = {
            "id": ids,
            "key": names[generator.integers(0, KEYS, n)],
            "event_time": arrived - generator.integers(0, 10**8, n),
            "arrival_time": arrived,
            "payload.value": generator.normal(size=n),
        }
        made.append(Batch(columns))
    return made


@contextmanager
def folder() -> Generator[Path]:
    """A folder on the disk, which goes with all that is in it."""
    with TemporaryDirectory(prefix="rxml-bench-") as path:
        yield Path(path)


@contextmanager
def by_hand(path: Path) -> Generator[sqlite3.Connection]:
    """A database set up as a log is: pages of 8 KiB, a write-ahead log of 16 MB, `synchronous=NORMAL`."""
    connection = sqlite3.connect(path, isolation_level=None)
    for setting in (
        "page_size=8192",
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        "wal_autocheckpoint=2000",
        "synchronous=NORMAL",
    ):
        connection.execute(f"PRAGMA {setting}")
    connection.execute(_SCHEMA)
    try:
        yield connection
    finally:
        connection.close()


def row_of(batch: Any, first: int, thrift: Any) -> tuple[object, ...]:
    """The row of the table for a batch, with the blob that the log's own encoder makes; nothing is looked at."""
    from rxml.facts.blob import encode, hex_bytes, hex_form  # noqa: PLC0415

    n = len(batch)
    happened, arrived = batch["event_time"], batch["arrival_time"]
    ids = hex_form(hex_bytes(batch["id"].tolist()))
    blob = encode(completed(batch), ids, thrift)
    spans = (happened.min(), happened.max(), arrived.min(), arrived.max())
    return (first + n - 1, first, *map(int, spans), zlib.crc32(blob), blob)


def completed(batch: Any) -> dict[str, Any]:
    """The columns as a log has them, in its order: with bounds that no fact has."""
    import numpy as np  # noqa: PLC0415

    none = np.full(len(batch), np.nan)
    names = ("id", "key", "event_time", "arrival_time")
    columns = {name: batch[name] for name in names}
    return {**columns, "lower": none, "upper": none, "payload.value": batch["payload.value"]}


@cache
def rows(size: int) -> list[tuple[object, ...]]:
    """The rows of the table for all batches."""
    from rxml.facts.blob import Thrift  # noqa: PLC0415

    thrift = Thrift(1)
    return [row_of(batch, number * ROWS, thrift) for number, batch in enumerate(batches(size))]


def checksum(path: Path) -> int:
    """Of a log: how many facts it has, and what its blobs are, to the byte."""
    connection = sqlite3.connect(path)
    try:
        facts, length, crcs = connection.execute(
            "SELECT sum(last - first + 1), sum(length(blob)), sum(crc) FROM chunks"
        ).fetchone()
    finally:
        connection.close()
    return int(facts) * 1_000_003 + int(length) * 1_009 + int(crcs)
