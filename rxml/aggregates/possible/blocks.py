"""Blocks: rows given an event, as what presence and values are then, by Bayes' rule in each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
from typing_extensions import override

from rxml.aggregates.possible.cells import asked, by_cell, cells, require_apart
from rxml.aggregates.possible.readers import Presence, shown_event
from rxml.aggregates.possible.results import known
from rxml.aggregates.reader import Reader
from rxml.batch.batch import Batch
from rxml.uncertain import Alternatives, Bernoulli, Categorical, Rows
from rxml.uncertain.possible.logic import given_cells, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.possible.cells import Cells
    from rxml.aggregates.possible.readers import Amounts, Chances, Event
    from rxml.aggregates.reader import Find
    from rxml.uncertain.checks import Floats, Mask

    Names: TypeAlias = frozenset[str]


@dataclass(frozen=True, slots=True)
class Block(Reader):
    """Each row given that it agrees, (n, 1 + M, 3): its presence and the probability that it agrees, then its alternatives.

    A row agrees if it is absent, or a value that the event looks at is, or else if the event holds. Where the event looks at
    alternatives, it is asked for each of them, and `where` with it: those that do not agree are ruled out. So is `where` where it
    looks at the values itself.

    Attributes:
        where: what must hold for a row to count; None for nothing.
        presence: the column of presence; rows without it are surely there.
        values: of rows; None where only their number counts, M is 0 then.
        given: the event.
    """

    where: Event | None
    presence: str
    values: Amounts | Chances | None
    given: Event

    @override
    def __repr__(self) -> str:
        values = "rows" if self.values is None else repr(self.values)
        where = "" if self.where is None else f" where {shown_event(self.where)}"
        return f"{values} by {self.presence}{where} given {shown_event(self.given)}"

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        there = Presence(None, self.presence).event(items, find)
        likely = np.ones(len(items)) if there is None else known(np.stack(there.bounds, axis=-1))
        found = self._given(_without(items, self.presence), likely)
        values, counts = self._read_values(items, find), found.counts
        if self._column in found.among.names:
            values[..., 0], counts = found.first[:, : values.shape[1]], np.ones(len(items))
        head = np.stack([counts, found.agrees, np.zeros(len(items))], axis=-1)
        return np.concatenate([head[:, None], values], axis=1)

    @property
    def _column(self) -> Any:
        return None if self.values is None else self.values.column

    def _read_values(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        """Probability, mean and variance of each alternative, (n, M, 3)."""
        if self.values is None:
            return np.zeros((len(items), 0, 3))
        found = self.values.read(items, find)
        if found.ndim == 3:
            return found
        return np.stack([found, np.zeros_like(found), np.zeros_like(found)], axis=-1)

    @np.errstate(under="ignore")
    def _given(self, batch: Batch, there: Floats) -> _Given:
        """What Bayes' rule makes of rows that are there with these probabilities."""
        given, where = asked(self.given, batch), asked(self.where, batch)
        weighed = where.seen & {self._column}
        shared = {*where.seen, self._column}
        names = _opened(batch, given.seen | weighed, shared, self._column)
        among = cells(batch, names, given.seen | where.seen, given.seen)
        agree = np.where(among.absent, 1.0, by_cell(self.given, given, among))
        counted = by_cell(self.where, where, among)
        self._require_apart(batch, agree, counted, given.seen - {*names}, where.seen - {*names})
        p = np.column_stack([there[:, None] * among.p, 1.0 - there])
        after, agrees = given_cells(p, np.column_stack([agree, np.ones(len(p))]))
        joint = np.where(agrees[:, None] > 0, after[:, :-1] * counted, 0.0)
        return _Given(among, joint, agrees, there * where.event.p)

    def _require_apart(
        self, batch: Batch, agree: Floats, counted: Floats, given: Names, where: Names
    ) -> None:
        """Refuse events that hang together with values, or with each other, in a way that is not known."""
        agrees, counts, values = _open(agree), _open(counted), {self._column}
        looks = "what is given looks at it, as do"
        for names, open_, why in (
            (given & values, agrees, f"{looks} the values that are aggregated"),
            (given & where, agrees & counts, f"{looks} `where`"),
            (where & values, counts, "`where` looks at it"),
        ):
            for name in sorted(names):
                if isinstance(batch[name], Rows):
                    require_apart(batch[name], name, np.asarray(open_.any(axis=1)), why)


def _open(p: Floats) -> Mask:
    return (p > 0) & (p < 1)


class _Given(NamedTuple):
    """Rows given an event.

    Attributes:
        among: the cells of each.
        joint: the probability that the row is there, is the cell's case, and counts, (n, C); 0 where it cannot agree.
        agrees: the probability that it agrees, (n,).
        before: the probability that it is there and counts, whatever is given, (n,).
    """

    among: Cells
    joint: Floats
    agrees: Floats
    before: Floats

    @property
    def counts(self) -> Floats:
        """The probability that each row is there and counts, (n,); as before to the last bit, where it agrees anyway."""
        return np.where(self.agrees == 1.0, self.before, np.minimum(in_order(self.joint), 1.0))

    @property
    def first(self) -> Floats:
        """The same with each alternative of the first column, (n, K)."""
        shape = len(self.joint), self.among.sizes[0], -1
        return np.minimum(in_order(self.joint.reshape(shape)), 1.0)


def _without(items: Sequence[Any], presence: str) -> Batch:
    """The columns that events may look at: what is given is of rows that are there."""
    if isinstance(items, Batch):
        return items.drop(presence) if presence in items.columns else items
    rows = cast("Sequence[Mapping[str, Any]]", items)
    return Batch.from_rows([{n: v for n, v in row.items() if n != presence} for row in rows])


def _opened(batch: Batch, seen: Iterable[str], shared: set[Any], first: Any) -> list[str]:
    """The columns of which each alternative is asked for: those that are looked at twice, or may be absent."""
    kinds = {name: batch[name] for name in seen}
    names = [
        name
        for name, column in kinds.items()
        if isinstance(column, Alternatives)
        or (isinstance(column, Categorical | Bernoulli) and name in shared)
    ]
    return sorted(names, key=lambda name: (name != first, name))
