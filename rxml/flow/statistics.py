"""What each stage of a run has done and holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class StageStatistics:
    """One stage at one moment.

    A flow that is used several times in a run is one stage: what runs for each use is added up. What is dropped or
    fails in flows that a stage makes while the run goes on (`flat_map`, `defer`, `using`) counts as dropped or failed in
    that stage. Stages that feed a `share` count for each run that reads it, while it does.

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
        evicted: keys whose state was given up, by `ttl` or `max_keys` of `key_by`.
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
    evicted: int = 0

    def since(self, before: StageStatistics) -> StageStatistics:
        """What was counted since then; what is held is what is held now."""
        return StageStatistics(
            self.name,
            self.requested - before.requested,
            self.emitted - before.emitted,
            self.buffered,
            self.capacity,
            self.dropped - before.dropped,
            self.failed - before.failed,
            self.busy_seconds - before.busy_seconds,
            self.oldest_seconds,
            self.evicted - before.evicted,
        )

    def with_others(self, others: Iterable[StageStatistics]) -> StageStatistics:
        """The sum of what several have counted and hold, under the name and with the capacity of this one."""
        every = [self, *others]
        ages = [each.oldest_seconds for each in every if each.oldest_seconds is not None]
        return StageStatistics(
            self.name,
            sum(each.requested for each in every),
            sum(each.emitted for each in every),
            sum(each.buffered for each in every),
            self.capacity,
            sum(each.dropped for each in every),
            sum(each.failed for each in every),
            sum(each.busy_seconds for each in every),
            max(ages, default=None),
            sum(each.evicted for each in every),
        )


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
    """The counters of one running stage; it adds to them, nobody else does.

    Attributes:
        owner: the stage that has made this one while the run goes on, and counts its drops and failures, too; or None.
    """

    __slots__ = (
        "_dropped",
        "_evicted",
        "_failed",
        "busy",
        "capacity",
        "emitted",
        "gauge",
        "name",
        "owner",
        "requested",
    )

    def __init__(self, name: str, capacity: int, owner: Meter | None = None) -> None:
        self.name: str = name
        self.capacity: int = capacity
        self.owner: Meter | None = owner
        self.requested: int = 0
        self.emitted: int = 0
        self._dropped = 0
        self._failed = 0
        self._evicted = 0
        self.busy: float = 0.0
        self.gauge: Callable[[], tuple[int, float | None]] | None = None

    @property
    def dropped(self) -> int:
        """Elements that a policy has dropped."""
        return self._dropped

    @dropped.setter
    def dropped(self, count: int) -> None:
        if self.owner is not None:
            self.owner.dropped += count - self._dropped
        self._dropped = count

    @property
    def failed(self) -> int:
        """Elements whose processing raised."""
        return self._failed

    @failed.setter
    def failed(self, count: int) -> None:
        if self.owner is not None:
            self.owner.failed += count - self._failed
        self._failed = count

    @property
    def evicted(self) -> int:
        """Keys whose state was given up."""
        return self._evicted

    @evicted.setter
    def evicted(self, count: int) -> None:
        if self.owner is not None:
            self.owner.evicted += count - self._evicted
        self._evicted = count

    def read(self) -> StageStatistics:
        """The counters now; `gauge` tells elements held, and the age of the oldest in seconds."""
        # First, since it may bring the counters up to date.
        buffered, oldest = self.gauge() if self.gauge is not None else (0, None)
        return StageStatistics(
            self.name,
            self.requested,
            self.emitted,
            buffered,
            self.capacity,
            self._dropped,
            self._failed,
            self.busy,
            oldest,
            self._evicted,
        )


class Counted(Protocol):
    """Stages that are counted."""

    @property
    def stages(self) -> Mapping[int, Meter]:
        """Their counters, by the identity of the node, sources first."""
        ...
