"""Cells: rows as all that their columns of alternatives may be at once, so that an event can be asked in each case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import shown
from rxml.aggregates.possible.readers import event_of, is_array, kind_of, shown_event
from rxml.batch.batch import Batch
from rxml.errors import DistributionError, SchemaError
from rxml.uncertain import Alternatives, Bernoulli, Categorical, Distribution
from rxml.uncertain.checks import rows_text
from rxml.uncertain.possible.logic import left_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.possible.readers import Event
    from rxml.uncertain import Rows
    from rxml.uncertain.checks import Floats, Mask

Discrete: TypeAlias = Alternatives | Categorical | Bernoulli
"""What is one of some things in each row."""

_MOST: Final = 1024
"""Cells of a row."""
_ADVICE: Final = "draw it by .to(Worlds, ...), with dependence='worlds', or give its Alternatives"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an event comes to in each row.

    Attributes:
        event: the events of n rows.
        seen: the columns that it has looked at; none where it is known.
    """

    event: Bernoulli
    seen: frozenset[str]


def asked(event: Event | None, batch: Batch) -> Asked:
    """An event of a batch, and what it has looked at for it; None is what always holds.

    Raises:
        SchemaError: there is no such column, or it comes to no events, booleans or probabilities of as many rows.
    """
    if event is None:
        return Asked(Bernoulli(np.ones(len(batch))), frozenset())
    seen: set[str] = set()
    watched = Batch.adopt(_Watched(batch.columns, seen), len(batch))
    found = watched[event] if isinstance(event, str) else event(watched)
    name = shown_event(event)
    told = event_of(found, name)
    if told.shape != (len(batch),):
        text = f"{name!r} has the shape {told.shape}"
        raise SchemaError(f"{text}: want an event for each of {len(batch)} rows")
    return Asked(told, frozenset() if is_array(found, "b") else frozenset(seen))


class _Watched(Mapping[str, Any]):
    """Columns that tell which of them were looked at."""

    def __init__(self, columns: Mapping[str, Any], seen: set[str]) -> None:
        self._columns = columns
        self._seen = seen

    @override
    def __getitem__(self, name: str) -> Any:
        found = self._columns[name]
        self._seen.add(name)
        return found

    @override
    def __contains__(self, name: object) -> bool:
        return name in self._columns

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    @override
    def __len__(self) -> int:
        return len(self._columns)


@dataclass(frozen=True, slots=True)
class Cells:
    """What n rows may be, C cells each, of which exactly one is the case.

    Attributes:
        names: of the columns of alternatives.
        p: the probability of each cell, (n, C).
        absent: in which of them some value that is given of is absent, (C,).
        sizes: how many there are of each column; C is their product, the first column's are the slowest to change.
        batch: n C rows, one for each cell, of what events look at; those columns are known there.
    """

    names: tuple[str, ...]
    p: Floats
    absent: Mask
    sizes: tuple[int, ...]
    batch: Batch


def cells(
    batch: Batch, names: Sequence[str], seen: frozenset[str], given: frozenset[str] = frozenset()
) -> Cells:
    """The cells of a batch: all that these columns of alternatives may be, independent of each other.

    Args:
        batch: of n rows.
        names: of columns that are `Alternatives`, whose last cell is that there is no value, `Categorical` or `Bernoulli`.
        seen: the columns that events look at, those among them.
        given: the columns that what is given looks at.

    Raises:
        DistributionError: there are too many in a row, or of a Bernoulli only bounds are known.
    """
    tables = [_chances(batch[name]) for name in names]
    sizes = tuple(table.shape[1] for table in tables)
    n, most = len(batch), prod(sizes)
    if most > _MOST:
        text = f"columns {', '.join(map(repr, names))} may be {most} things together in a row"
        raise DistributionError(f"{text}: an event may look at {_MOST} at most")
    rows, p, absent = np.repeat(np.arange(n), most), np.ones((n, most)), np.zeros(most, np.bool_)
    known: dict[str, Discrete] = {}
    for name, table, place in zip(names, tables, np.indices(sizes), strict=True):
        at = place.reshape(-1)
        with np.errstate(under="ignore"):
            p = p * table[:, at]
        if name in given and isinstance(batch[name], Alternatives):
            absent |= at == table.shape[1] - 1
        known[name] = _known(batch[name], rows, np.tile(at, n))
    cut = batch.select(*sorted(seen)).take(rows).with_columns(known) if known else batch
    return Cells(tuple(names), p, absent, sizes, cut)


def _chances(column: Discrete) -> Floats:
    """The probability of each of its cells, (n, K)."""
    match column:
        case Alternatives():
            return np.column_stack([column.p, left_over(column.p)])
        case Categorical():
            return column.p
        case Bernoulli():
            return np.stack([1.0 - column.p, column.p], axis=-1)


def _known(column: Discrete, rows: NDArray[np.intp], place: NDArray[np.intp]) -> Discrete:
    """A column of the same kind in which each row is surely what its cell says."""
    match column:
        case Alternatives():
            most = column.p.shape[1]
            values = column.values if most else np.zeros((len(column), 1))
            chosen = values[rows, np.minimum(place, max(most, 1) - 1)]
            return Alternatives(chosen[:, None], (place < most).astype(np.float64)[:, None])
        case Categorical():
            return Categorical(np.eye(len(column.classes))[place], column.classes)
        case Bernoulli():
            return Bernoulli(place.astype(np.float64))


def by_cell(event: Event | None, found: Asked, among: Cells) -> Floats:
    """How likely an event is in each cell, (n, C); it is asked again where it has looked at what they tell apart."""
    if found.seen.isdisjoint(among.names):
        return np.broadcast_to(found.event.p[:, None], among.p.shape)
    return asked(event, among.batch).event.p.reshape(among.p.shape)


def require_apart(column: Rows, name: Any, open_: Mask, why: str) -> None:
    """Refuse a column whose dependence on an event cannot be told from probabilities.

    Args:
        column: of n rows.
        name: of it, or the function that gives it.
        open_: in which rows the event may hold or not, (n,).
        why: the event has to do with it.

    Raises:
        DistributionError: it is uncertain where the event is, naming the rows.
    """
    if open_.any():
        at = np.flatnonzero(open_ & _is_uncertain(column))
        if len(at):
            what = f"column {name!r}" if isinstance(name, str) else f"what {shown(name)} gives"
            text = f"{what} is {kind_of(column)}, and {why}, in {rows_text(at)}"
            raise DistributionError(f"{text}: {_ADVICE}")


def _is_uncertain(column: Rows) -> Mask:
    if not isinstance(column, Distribution):
        return np.ones(len(column), np.bool_)
    return np.asarray(~(column.var() == 0))
