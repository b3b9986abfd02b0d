"""Waiting: where elements that wait for labels have their key and time, and what keeps them: the same for all who wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.instants import nanoseconds
from rxml.eventtime.keyed.keyed_kernel import Where
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.check import require_count, require_function
from rxml.learning.delaying.waiting import Waiting
from rxml.uncertain.calibration.labels import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.timing.duration import Duration


@dataclass(frozen=True, slots=True)
class Waits:
    """How many elements may wait for labels, and how long.

    Attributes:
        where: from a flow to where its elements have their key, and their time if somebody asks for it.
        capacity: elements.
        expire: ns of event time; None: for ever.
    """

    where: Callable[[Flowable[Any]], Where]
    capacity: int
    expire: int | None

    def ledger(self, width: int) -> Ledger:
        """What keeps so many numbers of each element."""
        return Ledger(width, self.capacity, self.expire)

    def anything(self) -> Waiting:
        """What keeps any values of each element."""
        return Waiting(self.capacity, self.expire)


def waiting(name: str, by: Column | None, expire: Duration | None, capacity: int) -> Waits:
    """What an operator was told of the elements that wait for labels.

    Args:
        name: of the operator.
        by: the key; None: that of `key_by`, or one for all.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for; None: never.
        capacity: elements that may wait, >= 1.

    Raises:
        ValueError: a number out of its range.
        TypeError: `by` is no column.
        PipelineError: there is no event time where one is needed; when `where` is called.
    """
    span = None if expire is None else nanoseconds(expire, f"{name}(expire)")
    most = require_count(f"{name}(capacity)", capacity, 1)
    return Waits(key_and_time(name, by, timed=span is not None), most, span)


def key_and_time(name: str, by: Column | None, *, timed: bool) -> Callable[[Flowable[Any]], Where]:
    """From a flow to where its elements have their key, and their time if that is asked for, or needed for a `ttl`.

    Args:
        name: of the operator.
        by: the key; None: that of `key_by`, or one for all.
        timed: whether their time is asked for.

    Raises:
        TypeError: `by` is no column.
        PipelineError: there is no event time where one is needed; when what this gives is called.
    """
    if by is not None and not isinstance(by, str):
        require_function(f"{name}(by)", by, "gives the key of an element")

    def where(source: Flowable[Any]) -> Where:
        keying = keying_of(source) if by is None else Keying(by, None, None, None)
        asked = timed or (keying is not None and keying.ttl is not None)
        return Where(keying, event_time_of(name, source) if asked else None)

    return where
