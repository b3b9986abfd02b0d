"""EventTime: what is known, behind `with_event_time`, of when the elements happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.eventtime.instants import instant, instants
from rxml.eventtime.reading import label_of, read
from rxml.flow.traits import traits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from rxml.eventtime.instants import Unit
    from rxml.eventtime.reading import Column
    from rxml.flow.node import Node


@dataclass(frozen=True, slots=True)
class EventTime:
    """Where the time of an element is found. A trait of flows (see `rxml.flow.traits`).

    Attributes:
        column: of the elements, or a function of them.
        unit: what numbers count; None: nanoseconds.
        caveat: why watermarks do not hold for these times, or nothing.
    """

    column: Column
    unit: Unit | None = None
    caveat: str = ""

    def of(self, items: Sequence[Any]) -> NDArray[np.int64]:
        """The times of elements, shape (n,), int64 ns UTC.

        Raises:
            SchemaError: an element has none.
        """
        if isinstance(items, Timed) and items.event_time == self:
            return items.times
        return instants(read(items, self.column), self.unit)

    def of_one(self, item: Any) -> int:
        """The time of one element."""
        return instant(read([item], self.column)[0], self.unit)


class Timed(list[Any]):
    """Elements whose times were read already, so that the next stage need not read them again.

    Attributes:
        event_time: by which.
        times: int64 ns UTC, shape (n,).
    """

    __slots__ = ("event_time", "times")

    def __init__(
        self, items: Sequence[Any], event_time: EventTime, times: NDArray[np.int64]
    ) -> None:
        super().__init__(items)
        self.event_time: EventTime = event_time
        self.times: NDArray[np.int64] = times


def event_time_of(name: str, node: Node, column: Column | None = None) -> EventTime:
    """Where the elements of a flow have their time: as the caller says, or as the last `with_event_time` upstream did.

    Raises:
        PipelineError: neither says, or flows that meet say different things.
    """
    if column is not None:
        return EventTime(column)
    found = traits(node, EventTime)
    if not found:
        message = (
            f"{name} needs event times: put ops.with_event_time(...) before it, or say time=..."
        )
        raise PipelineError(message)
    _require_one(name, found)
    return found[0]


def _require_one(name: str, found: Sequence[EventTime]) -> None:
    """Refuse times that differ among flows that meet, or that watermarks do not hold for."""
    if len(found) > 1:
        ways = " and ".join(f"{described(each)} in {each.unit or 'ns'}" for each in found)
        message = (
            f"{name}: the flows that meet before it have their event times in {ways}; give all of them the same "
            "column and unit before they meet"
        )
        raise PipelineError(message)
    if found[0].caveat:
        message = f"{name}: {found[0].caveat}; put ops.with_event_time({described(found[0])!r}, ...) before it"
        raise PipelineError(message)


def described(event_time: EventTime) -> str:
    """How people read it."""
    return label_of(event_time.column)
