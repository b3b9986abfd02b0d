"""Waiting: where elements that wait for labels have their key and time, and what keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.instants import nanoseconds
from rxml.eventtime.keyed.keyed_kernel import Where
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.check import require_count, require_function
from rxml.uncertain.calibration.labels import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.timing.duration import Duration


def waiting(
    name: str, by: Column | None, expire: Duration | None, capacity: int
) -> tuple[Callable[[Flowable[Any]], Where], Callable[[int], Ledger]]:
    """Where the elements of a flow have their key and time, and what makes the ledger of those that wait.

    Args:
        name: of the operator.
        by: the key; None: that of `key_by`, or one for all.
        expire: seconds of event time, or a timedelta, after which a label is no longer waited for; None: never.
        capacity: elements that may wait, >= 1.

    Raises:
        ValueError: a number out of its range.
        TypeError: `by` is no column.
        PipelineError: there is no event time where one is needed; when the first result is called.
    """
    span = None if expire is None else nanoseconds(expire, f"{name}(expire)")
    most = require_count(f"{name}(capacity)", capacity, 1)
    if by is not None and not isinstance(by, str):
        require_function(f"{name}(by)", by, "gives the key of an element")

    def where(source: Flowable[Any]) -> Where:
        keying = keying_of(source) if by is None else Keying(by, None, None, None)
        timed = span is not None or (keying is not None and keying.ttl is not None)
        return Where(keying, event_time_of(name, source) if timed else None)

    return where, lambda width: Ledger(width, most, span)
