"""What each stage of a run has done and holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class StageStatistics:
    """One stage at one moment.

    Attributes:
        name: the stage, as in `flow.draw()`.
        requested: elements that downstream has asked for; 2^63 - 1 and above mean without a limit.
        emitted: elements handed downstream.
        buffered: elements it holds now.
        capacity: elements it holds at most.
        dropped: elements that a policy has dropped, each counted once.
        failed: elements whose processing raised.
        busy_seconds: time spent working (for workers: summed over workers, divided by their number).
        oldest_seconds: age of the oldest element that it holds, or None.
    """

    name: str
    requested: int
    emitted: int
    buffered: int
    capacity: int
    dropped: int
    failed: int
    busy_seconds: float
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """All stages of a run, sources first."""

    stages: tuple[StageStatistics, ...]

    def __getitem__(self, name: str) -> StageStatistics:
        for stage in self.stages:
            if stage.name == name:
                return stage
        known = ", ".join(stage.name for stage in self.stages)
        message = f"no stage is named {name!r}; the stages of this run are: {known}"
        raise KeyError(message)

    @property
    def bottleneck(self) -> StageStatistics:
        """The stage that limits the run: the busiest, and of equals the one nearest the sink."""
        return max(reversed(self.stages), key=lambda stage: stage.busy_seconds)


class Meter:
    """The counters of one stage while it runs; stages add to them, nobody else does."""

    __slots__ = ("busy", "capacity", "dropped", "emitted", "failed", "gauge", "name", "requested")

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        self.requested = 0
        self.emitted = 0
        self.dropped = 0
        self.failed = 0
        self.busy = 0.0
        self.gauge: Callable[[], tuple[int, float | None]] | None = None

    def read(self) -> StageStatistics:
        """The counters now; `gauge` tells elements held, and the age of the oldest in seconds."""
        buffered, oldest = self.gauge() if self.gauge is not None else (0, None)
        return StageStatistics(
            self.name,
            self.requested,
            self.emitted,
            buffered,
            self.capacity,
            self.dropped,
            self.failed,
            self.busy,
            oldest,
        )
