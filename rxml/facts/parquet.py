"""Facts out to a Parquet file and in again. Needs pyarrow: the extra `arrow`.

The columns are id, key (text), event_time, arrival_time (timestamps in nanoseconds, UTC), lower, upper (double, null
where there are no bounds) and payload (text: JSON as in `rxml.facts.lines`).
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

from rxml.batch.extras import extra_module
from rxml.errors import FactError
from rxml.facts.fact import Fact
from rxml.facts.lines import payload_of, payload_text
from rxml.facts.picking import joined
from rxml.facts.table import payloads_of
from rxml.facts.transfer import Intake, written
from rxml.facts.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rxml.batch import Batch
    from rxml.facts.transfer import Appendable, Imported, Problem
    from rxml.facts.views import Scannable

GROUP: Final = 65_536
"""Rows of a row group: the same however the log is cut, so that the same facts are the same file."""

_TEXTS: Final = ("id", "key")
_TIMES: Final = ("event_time", "arrival_time")
_BOUNDS: Final = ("lower", "upper")


def export_parquet(facts: Scannable | View, file: str | Path | IO[bytes]) -> int:
    """Write facts to a Parquet file, in the order of the log or view; 65,536 are held, and a batch.

    Args:
        facts: a log, or a view of one.
        file: a path, where the file stands when it is whole and not before; or an open binary file.

    Returns:
        How many facts were written.

    Raises:
        ModuleNotFoundError: pyarrow is missing, with the name of the extra.
    """
    arrow, parquet = _arrow()
    view = facts if isinstance(facts, View) else View(facts)
    schema = _schema(arrow)
    count = 0
    with written(file) as out, parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for group in _regrouped(view.batches()):
            writer.write_table(_table(arrow, schema, group), row_group_size=GROUP)
            count += len(group)
    return count


def import_parquet(
    log: Appendable,
    file: str | Path | IO[bytes],
    on_problem: Callable[[Problem], None] | None = None,
) -> Imported:
    """Append the facts of a Parquet file; rows that are none are told and left out, numbered from 1.

    Args:
        log: takes the facts, in the order of the rows; a `FactLog`.
        file: a path, or an open binary file.
        on_problem: told of each row that is no fact, as it is found; see `Imported.problems`, too.

    Raises:
        FactError: the file has other columns, or is no Parquet file.
        ModuleNotFoundError: pyarrow is missing, with the name of the extra.
    """
    arrow, parquet = _arrow()
    intake = Intake(log, on_problem)
    try:
        with parquet.ParquetFile(file) as found:
            _check(arrow, found.schema_arrow)
            number = 1
            for rows in found.iter_batches(batch_size=8192):
                _take(intake, number, _columns(arrow, rows))
                number += rows.num_rows
    except arrow.ArrowException as error:
        raise FactError(f"no Parquet file of facts: {error}") from error
    return intake.done()


def _arrow() -> tuple[Any, Any]:
    return extra_module("pyarrow", "arrow"), extra_module("pyarrow.parquet", "arrow")


def _schema(arrow: Any) -> Any:
    moment = arrow.timestamp("ns", tz="UTC")
    types = {
        **dict.fromkeys(_TEXTS, arrow.string()),
        **dict.fromkeys(_TIMES, moment),
        **dict.fromkeys(_BOUNDS, arrow.float64()),
        "payload": arrow.string(),
    }
    return arrow.schema([arrow.field(name, kind) for name, kind in types.items()])


def _check(arrow: Any, found: Any) -> None:
    wanted = _schema(arrow)
    if not found.equals(wanted):
        raise FactError(f"the file has the columns {_shown(found)}; wanted {_shown(wanted)}")


def _shown(schema: Any) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def _regrouped(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same rows in groups that are full, but for the last."""
    held: list[Batch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += len(batch)
        if rows >= GROUP:
            whole = joined(held)
            full = rows // GROUP * GROUP
            yield from (whole[at : at + GROUP] for at in range(0, full, GROUP))
            held, rows = [whole[full:]], rows - full
    if rows:
        yield joined(held)


def _table(arrow: Any, schema: Any, batch: Batch) -> Any:
    """A group of facts as a table."""
    columns: list[Any] = [
        arrow.array(batch.array(name).tolist(), arrow.string()) for name in _TEXTS
    ]
    moment = schema.field("event_time").type
    columns += [arrow.array(batch.array(name)).cast(moment) for name in _TIMES]
    columns += [arrow.array(batch.array(name), from_pandas=True) for name in _BOUNDS]
    columns.append(arrow.array(list(map(payload_text, payloads_of(batch))), arrow.string()))
    return arrow.Table.from_arrays(columns, schema=schema)


def _columns(arrow: Any, rows: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a part of a table, as Python values; times are nanoseconds."""
    names = (*_TEXTS, *_TIMES, *_BOUNDS, "payload")
    columns = [rows.column(name) for name in names]
    plain = [
        each.cast(arrow.int64()) if name in _TIMES else each
        for name, each in zip(names, columns, strict=True)
    ]
    return zip(*(each.to_pylist() for each in plain), strict=True)


def _take(intake: Intake, number: int, rows: Iterator[tuple[Any, ...]]) -> None:
    for at, (id_, key, happened, arrived, lower, upper, payload) in enumerate(rows, number):
        try:
            given = payload_of(payload or "{}")
            fact = Fact(id_, key, happened, arrived, given, lower, upper)
            intake.add(at, fact, len(payload or ""))
        except FactError as error:
            intake.refuse(at, str(error))
