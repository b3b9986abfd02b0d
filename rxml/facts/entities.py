"""Entities: what `$set`, `$unset` and `$delete` facts make of a thing's properties, at any moment.

A fact changes the properties of the entity that is its key; its payload says how, under the names of Apache
PredictionIO (https://predictionio.apache.org/datacollection/eventmodel/):

    {"event": "$set", "properties": {"a": 3, "b": 4}}      creates the entity, gives properties values
    {"event": "$unset", "properties": {"b": None}}         takes properties away; the values mean nothing
    {"event": "$delete"}                                   takes the entity away, with all its properties

Facts with any other event, or without one, change nothing. They count in order of (event time, id), not of arrival:
each property keeps the stamp of its last change and each entity that of its last end, so that facts can be folded
in as they come (a last-writer-wins map: Shapiro et al., "A comprehensive study of CRDTs", 2011, 3.2.1).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from rxml.errors import FactError
from rxml.facts.table import facts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rxml.facts.fact import Fact
    from rxml.facts.views import View

logger: Final = logging.getLogger("rxml.facts")

_Stamp: TypeAlias = tuple[int, str]
_NONE: Final[Mapping[str, Any]] = {}
_NEVER: Final[_Stamp] = (-(2**63) - 1, "")

EVENTS: Final = frozenset({"$set", "$unset", "$delete"})
"""The events that change an entity."""


@dataclass(frozen=True, slots=True)
class Entity:
    """The state of one entity.

    Attributes:
        key: whose it is.
        properties: values by name, in order of the names; cannot be written to.
        first_updated: event time of the first change that was counted, int64 ns UTC. As in PredictionIO it outlives
            a `$delete`.
        last_updated: that of the last one, a `$delete` included.
    """

    key: str
    properties: Mapping[str, Any]
    first_updated: int
    last_updated: int


def entities_of(
    view: View,
    until: int | datetime | None = None,
    *,
    on_problem: Callable[[FactError], object] | None = None,
) -> dict[str, Entity]:
    """The entities that there are at a cut-off, by key, in order of the keys. Blocks: it reads the log.

    Holds a stamp and a value for each property that an entity has or has had since its last `$delete`, and two
    stamps for each entity that ever was; a batch of facts beside.

    Args:
        view: the facts to go by, such as `View(log)`, or `.known_at(then)` for what was known then.
        until: only facts with an event time before it count, exclusive; int64 ns UTC or an aware datetime.
        on_problem: told of each fact that claims to change an entity and does not say how, which is left out; None:
            there is a warning of it, in the log of the program.
    """
    told = _warn if on_problem is None else on_problem
    folds: dict[str, _Fold] = {}
    for batch in view.between(until=until).batches():
        for fact in facts_of(batch):
            event = fact.payload.get("event")
            if isinstance(event, str) and event in EVENTS:
                _apply(folds, event, fact, told)
    found = ((key, folds[key].entity(key)) for key in sorted(folds))
    return {key: entity for key, entity in found if entity is not None}


def entity_of(view: View, key: str, until: int | datetime | None = None) -> Entity | None:
    """The entity with a key at a cut-off, or None if there is none then; as in `entities_of`.

    Raises:
        FactError: a fact claims to change it and does not say how; naming the fact.
    """
    return entities_of(view.key(key), until, on_problem=_raise).get(key)


def _apply(
    folds: dict[str, _Fold], event: str, fact: Fact, told: Callable[[FactError], object]
) -> None:
    try:
        changes = _NONE if event == "$delete" else _properties(event, fact)
    except FactError as error:
        told(error)
    else:
        folds.setdefault(fact.key, _Fold()).apply(event, fact, changes)


def _warn(problem: FactError) -> None:
    logger.warning("%s", problem)


def _raise(problem: FactError) -> None:
    raise problem


class _Fold:
    """What is known of one entity, whatever the order in which it was heard."""

    __slots__ = ("changes", "created", "deleted", "first", "last")

    changes: dict[str, tuple[_Stamp, bool, Any]]
    created: _Stamp
    deleted: _Stamp
    first: int
    last: int

    def __init__(self) -> None:
        self.changes = {}
        self.created = self.deleted = _NEVER
        self.first, self.last = 2**63, -(2**63)

    def apply(self, event: str, fact: Fact, changes: Mapping[str, Any]) -> None:
        """Count a fact in, and the properties that it names."""
        stamp = (fact.event_time, fact.id)
        self.first = min(self.first, fact.event_time)
        self.last = max(self.last, fact.event_time)
        if event == "$delete":
            self._delete(stamp)
            return
        if event == "$set":
            self.created = max(self.created, stamp)
        for name, value in changes.items():
            self._change(name, (stamp, event == "$set", value))

    def _delete(self, stamp: _Stamp) -> None:
        self.deleted = max(self.deleted, stamp)
        gone = [name for name, (when, _, _) in self.changes.items() if when < self.deleted]
        for name in gone:
            del self.changes[name]

    def _change(self, name: str, change: tuple[_Stamp, bool, Any]) -> None:
        before = self.changes.get(name)
        if change[0] > self.deleted and (before is None or before[0] < change[0]):
            self.changes[name] = change

    def entity(self, key: str) -> Entity | None:
        """The state, unless the entity has ended, or has never been."""
        if self.created <= self.deleted:
            return None
        changes = self.changes
        values = {name: changes[name][2] for name in sorted(changes) if changes[name][1]}
        return Entity(key, MappingProxyType(values), self.first, self.last)


def _properties(event: str, fact: Fact) -> Mapping[str, Any]:
    given = fact.payload.get("properties")
    if given is None and event == "$set":  # PredictionIO's way to create an entity without any
        return {}
    if not isinstance(given, Mapping) or (event == "$unset" and not given):
        wanted = "a mapping" if event == "$set" else "a mapping with at least one name"
        text = f"fact {fact.id} of {fact.key!r}: {event} has properties {given!r}"
        raise FactError(f"{text}: wanted {wanted} under 'properties'")
    return cast("Mapping[str, Any]", given)
