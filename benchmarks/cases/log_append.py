"""log_append: facts into a log, a batch of 1024 in each transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.events import clocked
from benchmarks.cases.facts import INSERT, ROWS, batches, checksum, folder, row_of, rows
from benchmarks.cases.facts import by_hand as opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def _stored(size: int, store: Callable[[Path], object]) -> Outcome:
    """Store all facts in a new file, to its closing, and look at what is in it then."""
    with folder() as where:
        path = where / "facts.db"
        _, measures = clocked(lambda: store(path))
        return Outcome(checksum(path), {**measures, "facts_per_second": size / measures["seconds"]})


def rxml(size: int) -> Outcome:
    """Ours: the operator, in the log's thread; every outcome is asked for."""
    from rxml import from_batches  # noqa: PLC0415
    from rxml.facts import FactLog  # noqa: PLC0415

    facts = batches(size)

    async def store(path: Path) -> None:
        async with FactLog(path) as log:
            appended = from_batches(facts).pipe(log.append())
            async with appended.open() as subscription:
                while not (await subscription.request(ROWS)).end:
                    pass

    return _stored(size, lambda path: asyncio.run(store(path)))


def calls(size: int) -> Outcome:
    """Ours, without a loop: `append_batch` for each batch."""
    from rxml.facts import FactLog  # noqa: PLC0415

    facts = batches(size)

    def store(path: Path) -> None:
        with FactLog(path) as log:
            for batch in facts:
                log.append_batch(batch)

    return _stored(size, store)


def _inserted(path: Path, made: Iterable[tuple[object, ...]]) -> None:
    with opened(path) as connection:
        for row in made:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(INSERT, row)
            connection.execute("COMMIT")


def by_hand(size: int) -> Outcome:
    """Blobs made by the log's own encoder, and one INSERT each; nothing is checked, and no id looked for."""
    from rxml.facts.blob import Thrift  # noqa: PLC0415

    facts = batches(size)

    def store(path: Path) -> None:
        thrift = Thrift(1)
        _inserted(path, (row_of(each, at * ROWS, thrift) for at, each in enumerate(facts)))

    return _stored(size, store)


def ready(size: int) -> Outcome:
    """The INSERTs alone, of blobs made beforehand: what SQLite and the disk take."""
    made: Any = rows(size)
    return _stored(size, lambda path: _inserted(path, made))


CASE = Case(
    name="log_append",
    what="append facts with ids, 1,000 keys and a number each to a log, batches of 1024, a transaction each",
    limit="making the blobs and one INSERT each in the same table, by sqlite3 with the same settings",
    size=1024 * 1000,
    quick=1024 * 200,
    unit="facts",
    contestants={
        "rxml": Contestant(rxml, "from_batches | log.append(), request(1024): an outcome a fact"),
        "calls": Contestant(calls, "log.append_batch: checks, a look for ids, outcomes as columns"),
        "hand": Contestant(by_hand, "sqlite3, the same blobs, made by the same encoder"),
        "inserts": Contestant(ready, "sqlite3, the same blobs, made beforehand"),
    },
    musts=(Must("speed", "hand", 0.5),),
    shown=("seconds", "facts_per_second"),
)
