"""Readers: what rows are worth, and whether they are there, as arrays; from columns of numbers and of distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from typing_extensions import TypeIs, override

from rxml.aggregates.aggregate import shown
from rxml.aggregates.reader import Reader
from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.uncertain import (
    Alternatives,
    Bernoulli,
    Categorical,
    Distribution,
    Mixture,
    Normal,
    Rows,
)
from rxml.uncertain.checks import require_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.reader import Find

Event: TypeAlias = str | Callable[[Batch], Any]
"""A column of events (`Bernoulli`, booleans or probabilities), or a function from a batch to one."""


@dataclass(frozen=True, slots=True)
class Presence(Reader):
    """How likely each row is there: bounds, shape (n, 2), which are one where nothing is left open.

    Attributes:
        where: what must hold beside; None for nothing.
        column: of presence; rows without it are surely there.
    """

    where: Event | None
    column: str

    @override
    def __repr__(self) -> str:
        return f"{self.column} where {shown_event(self.where)}" if self.where else self.column

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        event = self.event(items, find)
        if event is None:
            return np.ones((len(items), 2))
        return np.stack(event.bounds, axis=-1)

    def event(self, items: Sequence[Any], find: Find) -> Bernoulli | None:
        """The events; None where rows are surely there."""
        there = _presence(items, self.column, find)
        if self.where is None:
            return there
        also = met(self.where, items, find)
        return also if there is None else there.both(also)


def shown_event(where: Event | None) -> str:
    """An event in words, the same in every process."""
    return str(getattr(where, "__qualname__", where))


def _presence(items: Sequence[Any], column: str, find: Find) -> Bernoulli | None:
    if isinstance(items, Batch):
        found = find(items, column) if column in items.columns else None
    else:
        values = [_value(item, column) for item in items]
        if all(value is None for value in values):
            return None
        sure = _surely(values)
        found = find([{column: sure if value is None else value} for value in values], column)
    return None if found is None else event_of(found, column)


def is_array(found: Any, kinds: str) -> TypeIs[NDArray[Any]]:
    """Whether it is a plain column, of one of these kinds of dtype; none given: of any."""
    if not isinstance(found, np.ndarray):
        return False
    array = cast("NDArray[Any]", found)
    return array.ndim == 1 and (not kinds or array.dtype.kind in kinds)


def _value(item: Any, column: str) -> Any:
    if isinstance(item, Mapping):
        return cast("Mapping[str, Any]", item).get(column)
    return getattr(item, column, None)


def _surely(values: Sequence[Any]) -> Any:
    """What stands for a row without presence beside others."""
    first = next(value for value in values if value is not None)
    if isinstance(first, Bernoulli) and first.inside is not None:
        return Bernoulli.in_worlds(np.ones_like(first.inside), None, first.world)
    return Bernoulli(1.0) if isinstance(first, Bernoulli) else 1.0


def met(where: Event, items: Sequence[Any], find: Find) -> Bernoulli:
    """What an event comes to in each row.

    Raises:
        SchemaError: no element has such a column, or it is none of events.
    """
    if not isinstance(where, str):
        found = where(items if isinstance(items, Batch) else Batch.from_rows(items))
        return event_of(found, shown_event(where))
    found = find(items, where)
    if found is None:
        raise SchemaError(f"no element has {where!r}, which says where it counts")
    return event_of(found, where)


def event_of(found: Any, name: str) -> Bernoulli:
    """What an event came to, as one.

    Raises:
        SchemaError: it is neither events nor booleans nor probabilities.
    """
    if isinstance(found, Bernoulli):
        return found
    if is_array(found, "bf"):
        p = found.astype(np.float64)
        require_probabilities(p, f"presence in {name!r}")
        return Bernoulli(p)
    raise SchemaError(f"{name!r} is no column of events, booleans or probabilities")


@dataclass(frozen=True, slots=True)
class Amounts(Reader):
    """What each row may be worth: (n, M, 3), its alternatives with probability, mean and variance.

    Numbers have one with variance 0; of a distribution that is none of `Normal`, `Alternatives`, `Mixture`, `Categorical`
    (with numbers for classes) and `Bernoulli` (1 or 0), the normal one of the same mean and variance is taken.
    """

    column: Any

    @override
    def __repr__(self) -> str:
        return shown(self.column)

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        p, v, var = _amounts(needed(items, self.column, find), self.column)
        fields = np.broadcast_arrays(p, v, var)
        return np.stack([field.astype(np.float64) for field in fields], axis=-1)


def needed(items: Sequence[Any], column: Any, find: Find) -> Any:
    """What elements have there.

    Raises:
        SchemaError: none of them has it.
    """
    found = find(items, column)
    if found is None:
        raise SchemaError(f"no element has {column!r}")
    return found


def _amounts(found: Any, name: Any) -> tuple[Any, Any, Any]:
    match found:
        case Mixture():
            return found.weights, *found.components
        case Alternatives() | Categorical() | Bernoulli():
            return *_choices(found, name), 0.0
        case Distribution():
            near: Normal = found.to(Normal)
            return np.ones((len(near), 1)), near.mean()[:, None], near.var()[:, None]
        case _ if is_array(found, "biuf"):
            return np.ones((len(found), 1)), found[:, None], 0.0
        case _:
            raise _refused(found, name)


def _choices(found: Alternatives | Categorical | Bernoulli, name: Any) -> tuple[Any, Any]:
    """The probabilities and the values, (n, M) each or values (M,) of all rows."""
    if isinstance(found, Bernoulli):
        return np.stack([1.0 - found.p, found.p], axis=-1), np.array([0.0, 1.0])
    values = found.values if isinstance(found, Alternatives) else found.classes
    if values.dtype.kind not in "biuf":
        raise _refused(found, name)
    return found.p, values


def _refused(found: Any, name: Any) -> SchemaError:
    return SchemaError(f"column {name!r} is {kind_of(found)}: want numbers, or distributions")


def kind_of(found: Any) -> str:
    """What a column is, for messages."""
    return found.kind if isinstance(found, Rows) else f"an array of {found.dtype}{found.shape}"


@dataclass(frozen=True, slots=True)
class Names(Reader):
    """Which values each row may have, as objects or text, (n, M)."""

    column: Any

    @override
    def __repr__(self) -> str:
        return shown(self.column)

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        found = needed(items, self.column, find)
        if isinstance(found, Categorical):
            return np.broadcast_to(found.classes, found.p.shape)
        if isinstance(found, Alternatives):
            return found.values
        if is_array(found, ""):
            return found[:, None]
        text = f"column {self.column!r} is {kind_of(found)}"
        raise SchemaError(f"{text}: want values, Categorical or Alternatives")


@dataclass(frozen=True, slots=True, repr=False)
class Facts(Names):
    """What each row surely has, (n, 1)."""

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        found = needed(items, self.column, find)
        if not is_array(found, ""):
            raise SchemaError(f"column {self.column!r} is {kind_of(found)}: want known values")
        return found[:, None]


@dataclass(frozen=True, slots=True)
class Chances(Reader):
    """The probability of each of the `Names`, (n, M)."""

    column: Any

    @override
    def __repr__(self) -> str:
        return shown(self.column)

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        found = needed(items, self.column, find)
        uncertain = isinstance(found, Categorical | Alternatives)
        return found.p if uncertain else np.ones((len(items), 1))
