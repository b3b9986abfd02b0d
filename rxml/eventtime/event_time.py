"""EventTime: what is known, behind `with_event_time`, of when the elements happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.eventtime.instants import instant, instants
from rxml.eventtime.reading import label_of, read
from rxml.flow.traits import trait

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
    """

    column: Column
    unit: Unit | None = None

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
        PipelineError: neither says.
    """
    found = trait(node, EventTime) if column is None else EventTime(column)
    if found is None:
        message = (
            f"{name} needs event times: put ops.with_event_time(...) before it, or say time=..."
        )
        raise PipelineError(message)
    return found


def described(event_time: EventTime) -> str:
    """How people read it."""
    return label_of(event_time.column)
