"""Weighed: values of rows where an event holds that may look at just these, so that what counts is what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.possible.cells import (
    Asked,
    Discrete,
    asked,
    by_cell,
    cells,
    require_apart,
)
from rxml.aggregates.possible.readers import Amounts, Chances, Presence, met, needed
from rxml.batch.batch import Batch
from rxml.uncertain import Alternatives, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.possible.readers import Event
    from rxml.aggregates.reader import Find
    from rxml.uncertain import Bernoulli
    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True, repr=False)
class Counted(Presence):
    """How likely each row is there, and counts, unless `where` looks at values of which each alternative is weighed by it.

    Attributes:
        values: the column of values.
    """

    values: Any

    @override
    def event(self, items: Sequence[Any], find: Find) -> Bernoulli | None:
        there = Presence(None, self.column).event(items, find)
        if self.where is None:
            return there
        found, _ = _asked(self.where, items, find)
        if self.values in found.seen and isinstance(find(items, self.values), Discrete):
            return there
        return found.event if there is None else there.both(found.event)


@dataclass(frozen=True, slots=True, repr=False)
class WeighedAmounts(Amounts):
    """As `Amounts`, each alternative by how likely `where` holds with it.

    Attributes:
        where: what must hold for a row to count.
    """

    where: Event

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        amounts = Amounts(self.column).read(items, find)
        shares = _shares(self.column, self.where, items, find)
        with np.errstate(under="ignore"):
            amounts[..., 0] *= shares
        return amounts


@dataclass(frozen=True, slots=True, repr=False)
class WeighedChances(Chances):
    """As `Chances`, each by how likely `where` holds with it.

    Attributes:
        where: what must hold for a row to count.
    """

    where: Event

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        p = Chances(self.column).read(items, find)
        shares = _shares(self.column, self.where, items, find)
        with np.errstate(under="ignore"):
            return np.asarray(p * shares)


def weighed(
    where: Event | None, presence: str, values: Amounts | Chances, given: Event | None
) -> tuple[Presence, Any]:
    """The readers of presence and of values; with what is given `Block` asks for both at once, see there."""
    if where is None or given is not None:
        return Presence(where, presence), values
    kind = WeighedAmounts if isinstance(values, Amounts) else WeighedChances
    return Counted(where, presence, values.column), kind(values.column, where)


def _asked(where: Event, items: Sequence[Any], find: Find) -> tuple[Asked, Batch]:
    """What an event comes to, and the batch that it was asked of."""
    if isinstance(where, str):
        event = met(where, items, find)
        return Asked(event, frozenset({where})), Batch.adopt({where: event}, len(items))
    batch = items if isinstance(items, Batch) else Batch.from_rows(items)
    return asked(where, batch), batch


def _shares(column: Any, where: Event, items: Sequence[Any], find: Find) -> Floats | float:
    """How likely an event holds with each alternative of a row, (n, M); 1.0 where presence tells of it.

    Raises:
        DistributionError: it depends on values that are no alternatives, naming the rows.
    """
    found = needed(items, column, find)
    if not isinstance(found, Rows):
        return 1.0
    event, batch = _asked(where, items, find)
    if column in event.seen and isinstance(found, Discrete):
        among = cells(batch, [column], event.seen)
        p = by_cell(where, event, among)
        return p[:, : found.p.shape[1]] if isinstance(found, Alternatives) else p
    low, high = event.event.bounds
    open_ = (low < 1) & (high > 0)
    if _may_look_at(column, event.seen):
        require_apart(found, column, open_, "`where` looks at it")
    return 1.0


def _may_look_at(column: Any, seen: frozenset[str]) -> bool:
    """Whether an event that looks at these columns looks at values, or at what a function takes them from."""
    if callable(column):
        return bool(seen)
    return any(f"{column}.".startswith(f"{name}.") for name in seen)
