"""`rxml facts`: what is in a log, in lines; out to files and in again; upkeep."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from rxml.cli.failure import CommandError
from rxml.cli.plain import plain, plain_json
from rxml.facts.entities import entities_of
from rxml.facts.lines import line_of, payload_text
from rxml.facts.log import FactLog
from rxml.facts.partitioned import PartitionedLog
from rxml.facts.table import facts_of
from rxml.facts.transfer import export_ndjson, import_ndjson
from rxml.facts.views import View

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from rxml.facts.transfer import Imported, Problem

Log: TypeAlias = FactLog | PartitionedLog
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN: Final = 1000
"""Lines that are no facts, of which an import prints why."""


def facts(options: argparse.Namespace) -> None:
    """Do what was asked.

    Raises:
        CommandError: it cannot be done, and why.
        FactLogError: the log cannot be used, and why.
    """
    reads_only = options.action in {"list", "query", "export"}
    path = Path(options.log)
    if not path.exists() and options.action != "import":
        raise CommandError(f"there is no fact log at {path}")
    if options.action != "import":
        with _opened(path, read_only=True) as there:
            _ = there.length  # what is no log shall not become one
    with _opened(path, read_only=reads_only) as log:
        _ACTIONS[options.action](log, options)


def _opened(path: Path, *, read_only: bool) -> Log:
    if path.is_dir():
        return PartitionedLog(path, read_only=read_only)
    return FactLog(path, read_only=read_only)


def _list(log: Log, options: argparse.Namespace) -> None:
    del options
    found = log.statistics()
    rows = {
        "facts": f"{found.facts:,}",
        "first": _shown(found.first_event),
        "last": _shown(found.last_event),
        "next offset": f"{found.next_offset:,}",
        "chunks": f"{found.chunks:,}",
        "bytes": f"{found.bytes:,}",
    }
    if isinstance(log, PartitionedLog):
        rows["partitions"] = ", ".join(f"{part.length:,}" for part in log.logs)
    for name, value in rows.items():
        print(f"{name:<12}{value}")


def _shown(nanoseconds: int | None) -> str:
    """A time as people read it; what no calendar has is left as it is."""
    if nanoseconds is None:
        return "-"
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return str(nanoseconds)
    return moment.isoformat().replace("+00:00", "Z")


def _query(log: Log, options: argparse.Namespace) -> None:
    if options.entities:
        _print_entities(_filtered(log, options, whole=True), options)
        return
    view = _filtered(log, options)
    if options.count:
        print(view.count())
        return
    for batch in view.batches():
        for fact in facts_of(batch):
            print(plain_json(line_of(fact).decode()))


def _print_entities(view: View, options: argparse.Namespace) -> None:
    if any((options.latest, options.last, options.nth, options.as_of, options.count)):
        message = "--entities goes with --key, --from, --until, --known-at and --where only"
        raise CommandError(message)
    for key, entity in entities_of(view, on_problem=_told_of).items():
        shown = {
            "key": key,
            "properties": msgspec.Raw(payload_text(entity.properties).encode()),
            "first_updated": entity.first_updated,
            "last_updated": entity.last_updated,
        }
        print(plain_json(msgspec.json.encode(shown).decode()))


def _told_of(problem: Exception) -> None:
    print(f"left out: {plain(str(problem))}", file=sys.stderr)


def _filtered(log: Log, options: argparse.Namespace, *, whole: bool = False) -> View:
    """The facts that are meant; `whole` leaves out what picks some of them."""
    view = View(log).between(options.from_, options.until)
    if options.key:
        view = view.key(*options.key)
    if options.known_at is not None:
        view = view.known_at(options.known_at)
    for name, value in options.where:
        view = view.where(**{name: _value(value)})
    view = view if whole else _picked(view, options)
    if options.skip:
        view = view.skip(options.skip)
    return view if options.limit is None else view.limit(options.limit)


def _picked(view: View, options: argparse.Namespace) -> View:
    if options.as_of is not None:
        return view.as_of(options.as_of)
    if options.latest:
        return view.latest()
    if options.last is not None:
        return view.last(options.last)
    return view if options.nth is None else view.nth(options.nth)


def _value(text: str) -> Any:
    """What was typed as a value: JSON if it is some, else the text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _export(log: Log, options: argparse.Namespace) -> None:
    view = _filtered(log, options)
    if options.file == "-":
        export_ndjson(view, sys.stdout.buffer)
        return
    if _is_parquet(options.file):
        from rxml.facts.parquet import export_parquet

        count = _needing_extra(lambda: export_parquet(view, options.file))
    else:
        count = export_ndjson(view, options.file)
    print(f"{count:,} facts in {plain(options.file)}")


def _import(log: Log, options: argparse.Namespace) -> None:
    told = _Told()
    if options.file == "-":
        done = import_ndjson(log, sys.stdin.buffer, told)
    elif _is_parquet(options.file):
        from rxml.facts.parquet import import_parquet

        done = _needing_extra(lambda: import_parquet(log, options.file, told))
    else:
        done = import_ndjson(log, options.file, told)
    _report(done)


def _needing_extra(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except ModuleNotFoundError as error:
        raise CommandError(str(error)) from error


def _is_parquet(name: str) -> bool:
    return name.endswith(".parquet")


class _Told:
    """Prints why lines are no facts, as long as somebody may still read it."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, problem: Problem) -> None:
        self._count += 1
        if self._count <= _SHOWN:
            print(f"line {problem.line}: {plain(problem.reason)}", file=sys.stderr)


def _report(done: Imported) -> None:
    print(f"{done.stored:,} stored, {done.duplicates:,} known already")
    if done.rejected:
        many = done.rejected > 1
        text = "lines are no facts and were" if many else "line is no fact and was"
        raise CommandError(f"{done.rejected:,} {text} left out")


def _compact(log: Log, options: argparse.Namespace) -> None:
    del options
    print(f"{log.compact():,} chunks less")


def _trim(log: Log, options: argparse.Namespace) -> None:
    if options.older_than is None and options.max_bytes is None:
        raise CommandError("wants --older-than, --max-bytes or both")
    gone = log.trim(older_than=options.older_than, max_bytes=options.max_bytes)
    print(f"{gone:,} facts removed")


_ACTIONS: Final[dict[str, Callable[[Log, argparse.Namespace], None]]] = {
    "list": _list,
    "query": _query,
    "export": _export,
    "import": _import,
    "compact": _compact,
    "trim": _trim,
}
