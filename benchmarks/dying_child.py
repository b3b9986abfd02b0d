"""A pipeline that is killed: run as `python -m benchmarks.dying_child FOLDER joined|appended|logged`.

Writes a line when it begins, and one of 64 bytes for each result. Few of these fit into the pipe, so that it is never far
ahead of who reads them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rxml
from benchmarks.dying import (
    BARRIER,
    BOUND_SECONDS,
    DSN,
    EVENTS,
    FACTS,
    RESULTS,
    STORE,
    WINDOW_SECONDS,
    WINDOWS,
)
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.eventtime import bounded
from rxml.eventtime.windows.windowing import tumbling
from rxml.facts import FactLog, derived_id
from rxml.stores import Checkpoint, PostgresStore, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml import Flowable
    from rxml.flow.checkpointing.store import Store


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a file, line by line."""
    with path.open() as lines:
        for line in lines:
            yield json.loads(line)


def tell(_: object) -> None:
    """A result is out."""
    os.write(1, b"." * 63 + b"\n")


def joined(folder: Path, store: SqliteStore | PostgresStore) -> Flowable[Any]:
    """Windows by key, into a table that commits with the checkpoints."""
    return rxml.from_iterable(lambda: read(folder / EVENTS)).pipe(
        ops.with_event_time("ts", bounded(BOUND_SECONDS)),
        ops.key_by("key"),
        ops.window(tumbling(WINDOW_SECONDS)).aggregate(n=agg.count(), total=agg.sum("value")),
        store.sink("windows"),
        ops.do_action(tell),
    )


def as_fact(row: Any) -> dict[str, Any]:
    """The result of a window as a fact, whose id is the same whenever it is made."""
    key, start = row["key"], int(row["start"])
    found = {"n": int(row["n"]), "total": int(row["total"])}
    return {
        "id": derived_id("windows", key, str(start)),
        "key": key,
        "event_time": start,
        "payload": found,
    }


def logged(folder: Path, _: SqliteStore) -> Flowable[Any]:
    """Windows by key over the facts of one log, as facts of another."""
    facts, windows = FactLog(folder / FACTS, read_only=True), FactLog(folder / WINDOWS)
    return facts.read().pipe(
        ops.with_event_time("event_time", bounded(BOUND_SECONDS)),
        ops.key_by("key"),
        ops.window(tumbling(WINDOW_SECONDS)).aggregate(n=agg.count(), total=agg.sum(value_of)),
        ops.map(as_fact),
        windows.append(),
        ops.do_action(tell),
    )


def value_of(fact: Any) -> int:
    """The value of an event that is a fact."""
    return int(fact["payload"]["value"])


def counted(state: tuple[int, int], event: dict[str, Any]) -> tuple[int, int]:
    """How many events there were, and their sum."""
    return state[0] + 1, state[1] + int(event["value"])


def appended(folder: Path, _: SqliteStore) -> Flowable[Any]:
    """Running totals, into a file that knows nothing of checkpoints."""
    file = (folder / RESULTS).open("a", buffering=1)

    def put(state: tuple[int, int]) -> None:
        file.write(f"{os.getpid()} {state[0]} {state[1]}\n")

    return rxml.from_iterable(lambda: read(folder / EVENTS)).pipe(
        ops.scan(counted, (0, 0)),
        ops.do_action(put),
        ops.do_action(tell),
    )


def nameless(folder: Path, log: FactLog) -> Flowable[Any]:
    """Windows by key, as facts without ids of their own, in a log that keeps the checkpoints, too."""

    def fact(row: Any) -> dict[str, Any]:
        return {name: value for name, value in as_fact(row).items() if name != "id"}

    return rxml.from_iterable(lambda: read(folder / EVENTS)).pipe(
        ops.with_event_time("ts", bounded(BOUND_SECONDS)),
        ops.key_by("key"),
        ops.window(tumbling(WINDOW_SECONDS)).aggregate(n=agg.count(), total=agg.sum("value")),
        ops.map(fact),
        log.append(),
        ops.do_action(tell),
    )


def begun(folder: Path, how: str) -> tuple[Flowable[Any], Store]:
    """The pipeline, and where its checkpoints are."""
    if how == "nameless":
        log = FactLog(folder / WINDOWS)
        return nameless(folder, log), log.checkpoints()
    if how == "postgres":
        server = PostgresStore((folder / DSN).read_text())
        return joined(folder, server), server
    store = SqliteStore(folder / STORE)
    return {"joined": joined, "appended": appended, "logged": logged}[how](folder, store), store


def main(folder: Path, how: str) -> None:
    """One life."""
    os.write(1, b"begun\n")
    flow, store = begun(folder, how)
    asyncio.run(flow.run(checkpoint=Checkpoint(store, every=None, elements=BARRIER)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
