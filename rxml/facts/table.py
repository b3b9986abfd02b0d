"""Facts as columns: one row a fact.

| column | dtype | |
|---|---|---|
| `id`, `key` | objects (str) | |
| `event_time`, `arrival_time` | int64 | nanoseconds since 1970 UTC |
| `lower`, `upper` | float64 | NaN where there are no bounds |
| `payload` | objects (mappings), or one column `payload.NAME` for each name | |
| `offset` | int64 | where the log has it; only in what is read |
| `sequence` | int64 | the order among all partitions; only in the files of a `PartitionedLog` |

Facts become rows with one column `payload`. Who has columns appends them as `payload.NAME`, and gets them back so: no
mapping is ever made of them. They may be distributions, one a row.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.batch import Batch
from rxml.batch.column import is_array, sealed
from rxml.errors import FactError
from rxml.facts.fact import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rxml.batch.column import AnyArray

PREFIX: Final = "payload."
NAMES: Final = ("id", "key", "event_time", "arrival_time", "lower", "upper")


def facts_batch(facts: Iterable[Fact]) -> Batch:
    """Facts as columns, with one column `payload`."""
    listed = list(facts)
    n = len(listed)
    columns: dict[str, AnyArray] = {
        "id": objects([fact.id for fact in listed]),
        "key": objects([fact.key for fact in listed]),
        "event_time": np.fromiter((fact.event_time for fact in listed), np.int64, n),
        "arrival_time": np.fromiter((fact.arrival_time for fact in listed), np.int64, n),
        "lower": _bounds([fact.lower for fact in listed]),
        "upper": _bounds([fact.upper for fact in listed]),
        "payload": objects([fact.payload for fact in listed]),
    }
    return Batch.adopt({name: sealed(column) for name, column in columns.items()}, n)


def facts_of(batch: Batch) -> list[Fact]:
    """The rows of a batch as facts.

    Raises:
        FactError: a column is missing, or a row is no fact.
    """
    missing = [name for name in NAMES if name not in batch.columns]
    if missing:
        raise FactError(f"a batch of facts has the columns {NAMES}: {missing} are missing")
    columns = [cast("list[Any]", batch.array(name).tolist()) for name in NAMES]
    lower, upper = (_optional(column) for column in columns[4:])
    ids, keys, happened, arrived = columns[:4]
    return list(map(Fact, ids, keys, happened, arrived, payloads_of(batch), lower, upper))


def payloads_of(batch: Batch) -> Iterable[Mapping[str, Any]]:
    """The payload of each row, one after the other, as mappings.

    Raises:
        FactError: there are both a column `payload` and columns `payload.NAME`.
    """
    columns = batch.columns
    names = [name for name in columns if name.startswith(PREFIX)]
    if "payload" not in columns:
        return _gathered(batch, names)
    if names:
        raise FactError(f"a batch of facts has either payload or {PREFIX}NAME: both are there")
    return cast("list[Mapping[str, Any]]", batch.array("payload").tolist())


def packed(batch: Batch) -> Batch:
    """The batch with one column `payload`, whether or not it has it already: so that any two can be concatenated."""
    names = [name for name in batch.names if name.startswith(PREFIX)]
    if "payload" in batch.columns:
        return batch
    payload = objects(list(payloads_of(batch)))
    return batch.drop(*names).with_columns(payload=sealed(payload))


def _gathered(batch: Batch, names: Sequence[str]) -> Iterable[Mapping[str, Any]]:
    if not names:
        return repeat(cast("Mapping[str, Any]", {}), len(batch))
    bare = [name.removeprefix(PREFIX) for name in names]
    values = [values_of_column(batch[name]) for name in names]
    return (dict(zip(bare, row, strict=True)) for row in zip(*values, strict=True))


def values_of_column(column: Any) -> Iterable[Any]:
    """The values of a column, one a row, as Python has them and payloads want them."""
    if not is_array(column):
        return [column.at(row) for row in range(len(column))]
    if column.dtype.kind == "M" and column.ndim == 1:
        return _moments(column)
    return cast("list[Any]", column.tolist())


def _moments(column: AnyArray) -> list[Any]:
    """Aware datetimes, as payloads have them; what is finer than a microsecond is cut, NaT is None."""
    plain: list[Any] = column.astype("M8[us]").tolist()
    return [each.replace(tzinfo=UTC) if isinstance(each, datetime) else each for each in plain]


def objects(values: Sequence[Any]) -> AnyArray:
    """A column of Python objects, one a row, whatever they are."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _bounds(values: list[float | None]) -> AnyArray:
    if values.count(None) == len(values):
        return np.full(len(values), np.nan)
    return np.array(values, np.float64)  # None is NaN


def _optional(column: list[float]) -> list[float | None]:
    return [None if value != value else value for value in column]  # noqa: PLR0124 - NaN is no number
