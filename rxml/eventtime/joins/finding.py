"""Finding: where the elements of the flows that are joined have key and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import PipelineError
from rxml.eventtime.event_time import EventTime, event_time_of
from rxml.eventtime.joins.side import Side
from rxml.eventtime.keying import keying_of
from rxml.flow.check import require_function
from rxml.flow.traits import trait

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from rxml.eventtime.joins.results import Joined
    from rxml.eventtime.reading import Column
    from rxml.flow.node import Node


class Finder:
    """Finds where the elements of two flows have key and time.

    Args:
        name: of the operator.
        key: of the left, and of the right unless that is given; None: as `key_by` says.
        right_key: of the right.
        time: of the left; None: as `with_event_time` says.
        right_time: of the right; None: as `with_event_time` says, else as of the left.
    """

    def __init__(
        self,
        name: str,
        key: Column | None,
        right_key: Column | None,
        time: Column | None,
        right_time: Column | None,
    ) -> None:
        given = {"key": key, "right_key": right_key, "time": time, "right_time": right_time}
        for argument, column in given.items():
            require_column(f"{name}({argument})", column)
        self._name = name
        self._keys = key, right_key
        self._times = time, right_time

    def sides(self, left: Node, right: Node) -> tuple[Side, Side]:
        """How each of the two is read.

        Raises:
            PipelineError: one has no event time, or only one has a key.
        """
        first, second = self._columns(left, right)
        time, right_time = self._times
        if right_time is None and trait(right, EventTime) is None:
            right_time = time
        ours = event_time_of(f"{self._name}, left,", left, time)
        theirs = event_time_of(f"{self._name}, right,", right, right_time)
        return Side("left", ours, first), Side("right", theirs, second)

    def _columns(self, left: Node, right: Node) -> tuple[Column | None, Column | None]:
        key, right_key = self._keys
        first = _column_of(left) if key is None else key
        second = right_key if right_key is not None else key
        if second is None:
            second = _column_of(right)
        if (first is None) is not (second is None):
            without = "left" if first is None else "right"
            message = (
                f"{self._name} knows no key of the {without}: put ops.key_by(...) directly before the join there too, "
                "or say key=... and right_key=..."
            )
            raise PipelineError(message)
        return first, second


def _column_of(side: Node) -> Column | None:
    keying = keying_of(side)
    return None if keying is None else keying.column


def key_or_refuse(name: str, source: Node, key: Column | None) -> Column:
    """The key as the caller says, or as `key_by` did.

    Raises:
        PipelineError: neither says.
    """
    if key is not None:
        return key
    keying = keying_of(source)
    if keying is None:
        message = f"{name} knows no key: put ops.key_by(...) directly before it, or say key=..."
        raise PipelineError(message)
    return keying.column


def time_of(pair: Joined[Any, Any]) -> int:
    """The event time of a pair."""
    return pair.time


@dataclass(frozen=True, slots=True)
class TimeInside(EventTime):
    """The event time of results that have the element inside; rows of batches have it as it was.

    Attributes:
        inner: of the element.
    """

    inner: EventTime | None = None

    @override
    def of(self, items: Sequence[Any]) -> NDArray[np.int64]:
        if isinstance(items, Batch) and self.inner is not None:
            return self.inner.of(items)
        return EventTime.of(self, items)


def time_inside(event_time: EventTime, kind: type[Any], part: str) -> TimeInside:
    """The event time of results of a kind, whose `part` is the element."""

    def time(result: Any) -> int:
        return event_time.of_one(getattr(result, part) if isinstance(result, kind) else result)

    return TimeInside(time, inner=event_time)


def require_column(name: str, column: Column | None) -> None:
    """Refuse what is neither the name of a column, nor a plain function, nor left out.

    Raises:
        PipelineError: it is something else.
        TypeError: a coroutine function.
    """
    if column is not None and not isinstance(column, str):
        require_function(name, column, "is the name of a column, or gives it")
