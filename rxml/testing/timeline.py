"""Timeline: what happened in a run, in order, with the time at which it did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(Enum):
    """What can happen at one place of a pipeline."""

    OPENED = "opened"
    REQUEST = "request"
    CHUNK = "chunk"
    END = "end"
    ERROR = "error"
    INTERRUPTED = "interrupted"
    CANCEL = "cancel"
    RELEASED = "released"
    MISUSE = "misuse"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        time: seconds of the loop's clock.
        lane: the place: "source", "sink", or the name of a `Recorder`.
        kind: what happened.
        value: the demand of a REQUEST, the `Chunk` of a CHUNK, the exception of an ERROR or a MISUSE; else None.
    """

    time: float
    lane: str
    kind: Kind
    value: Any = None


class Timeline:
    """Events of one or several places of a pipeline, in the order in which they happened.

    Attributes:
        events: all of them.
        watch: called after each event, if set: for checks that must hold at every moment.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.watch: Callable[[Event], None] | None = None

    def __len__(self) -> int:
        return len(self.events)

    def add(self, lane: str, kind: Kind, value: Any = None) -> None:
        """Note an event that happens now, on the running loop."""
        event = Event(asyncio.get_running_loop().time(), lane, kind, value)
        self.events.append(event)
        if self.watch is not None:
            self.watch(event)

    def of(self, lane: str, *kinds: Kind) -> list[Event]:
        """The events of one place, of these kinds (all kinds if none is given)."""
        return [e for e in self.events if e.lane == lane and (not kinds or e.kind in kinds)]

    def count(self, lane: str, *kinds: Kind) -> int:
        """How many events of these kinds one place had."""
        return len(self.of(lane, *kinds))

    def elements(self, lane: str) -> int:
        """How many elements came out at that place."""
        return sum(len(event.value) for event in self.of(lane, Kind.CHUNK))

    @property
    def lanes(self) -> list[str]:
        """The places, in the order in which each was first heard of."""
        return list(dict.fromkeys(event.lane for event in self.events))
