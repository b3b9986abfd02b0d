"""Readers of columns that were drawn in worlds: what rows are worth in each, and in which they are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import shown
from rxml.aggregates.possible.readers import (
    Presence,
    is_array,
    kind_of,
    met,
    needed,
    shown_event,
)
from rxml.aggregates.reader import Reader
from rxml.errors import SchemaError
from rxml.uncertain import Bernoulli, Worlds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.possible.readers import Event
    from rxml.aggregates.reader import Find


@dataclass(frozen=True, slots=True, repr=False)
class There(Presence):
    """In which worlds each row is there, (n, W), 1.0 or 0.0; (n, 1) where all are in all worlds."""

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        event = self.event(items, find)
        return np.ones((len(items), 1)) if event is None else _where_it_holds(event, repr(self))


@dataclass(frozen=True, slots=True)
class Agreeing(Reader):
    """In which worlds each row agrees with what is given, as it is not there or the event holds, (n, W), 1.0 or 0.0.

    Attributes:
        there: in which worlds rows are.
        given: the event.
    """

    there: There
    given: Event

    @override
    def __repr__(self) -> str:
        return f"given {shown_event(self.given)}"

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        there = There(None, self.there.column).read(items, find)
        holds = _where_it_holds(self.event(items, find), repr(self))
        return np.asarray(np.maximum(1.0 - there, holds))

    def event(self, items: Sequence[Any], find: Find) -> Bernoulli:
        """The event in each row."""
        return met(self.given, items, find)


def _where_it_holds(event: Bernoulli, name: str) -> NDArray[Any]:
    """In which worlds, (n, W), or (n, 1) where it does in all or none."""
    if event.inside is not None:
        return np.asarray(event.inside.T, np.float64)
    sure = (event.p == 0) | (event.p == 1)
    if not sure.all():
        text = f"presence in {name} has probabilities without worlds"
        raise SchemaError(f"{text}: find it in worlds, or take dependence='independent'")
    return event.p[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class InWorlds(Reader):
    """What each row is worth in each world, (n, W); (n, 1) where that is the same in all."""

    column: Any

    @override
    def __repr__(self) -> str:
        return shown(self.column)

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        found = needed(items, self.column, find)
        if isinstance(found, Worlds):
            return np.ascontiguousarray(found.values.T)
        if is_array(found, "biuf"):
            return found.astype(np.float64)[:, None]
        raise SchemaError(f"column {self.column!r} is {kind_of(found)}: want worlds, or numbers")


@dataclass(frozen=True, slots=True)
class Drawn(Reader):
    """Which draws the worlds are, (n, 1 + k), with a 1 before the key; (n, 0) where nothing was drawn.

    Attributes:
        there: whose worlds.
        column: and whose; None for no other.
        given: and whose; None for no other.
    """

    there: Presence
    column: Any = None
    given: Agreeing | None = None

    @override
    def __repr__(self) -> str:
        return "worlds"

    @override
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        found = [] if self.column is None else [needed(items, self.column, find)]
        found.append(self.there.event(items, find))
        found += [] if self.given is None else [self.given.event(items, find)]
        keys = {_key(each) for each in found if isinstance(each, Worlds) or _inside(each)}
        if len(keys) > 1 or None in keys:
            raise SchemaError("values and presence were not drawn in the same worlds")
        if any(_weighted(each) for each in found):
            raise SchemaError("worlds with weights: draw them anew with equal ones before")
        (key,) = keys or {()}
        return np.tile(np.array(key, np.uint64), (len(items), 1))


def _weighted(found: Any) -> bool:
    if isinstance(found, Worlds):
        return bool(np.ptp(found.weights) > 0)
    return _inside(found) and found.logw is not None and bool(np.ptp(found.logw) > 0)


def _inside(found: Any) -> bool:
    return isinstance(found, Bernoulli) and found.inside is not None


def _key(found: Worlds | Bernoulli) -> tuple[Any, ...] | None:
    return None if found.world is None else (1, *found.world.reshape(-1).tolist())
