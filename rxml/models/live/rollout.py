"""Rollout: which share of ids a candidate gets, and when it is promoted or rolled back. Pure: it is told the time."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rxml.models.live.limits import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.models.live.limits import Guard, Seen, Watch
    from rxml.models.model import Release

Kind: TypeAlias = Literal["begun", "raised", "promoted", "replaced", "rolled_back", "refused"]

NOBODY: Final = ("", "", "")


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a candidate, in plain values: `dataclasses.asdict` of it is the payload of a fact.

    Attributes:
        kind: begun (it gets its first share), raised (it gets the next one), promoted (it gets all), replaced (it had all, and
            gets none since another stable model is there), rolled_back (it gets none), refused (it could not be had at all).
        name: of the candidate.
        version: of that name.
        digest: see `Release`.
        stable: version of the stable model.
        share: of ids that the candidate has from now on.
        reason: why; for `rolled_back` the limits that it is outside of, such as "errors".
        outcomes: of the candidate since it has begun.
        errors: how many of these failed.
        seconds: since it has begun.
    """

    kind: Kind
    name: str
    version: str
    digest: str
    stable: str
    share: float
    reason: str
    outcomes: int
    errors: int
    seconds: float


class Rollout:
    """The states of a canary: no candidate, one at one of the stages, one that has all, one that was rolled back.

    Args:
        stages: shares, each larger than the one before, 0 < share < 1.
        until: outcomes of the candidate after which a stage is over; None: never.
        guard: decides whether it is worse; None: it is not.

    Attributes:
        share: of the candidate.
        running: whether it is on trial.
    """

    def __init__(self, stages: Sequence[float], until: int | None, guard: Guard | None) -> None:
        self._stages = tuple(stages)
        self._until = until
        self._guard = guard
        self._watch: Watch | None = None
        self._stage = 0
        self._seen = 0
        self._outcomes = 0
        self._errors = 0
        self._began = 0.0
        self._candidate: tuple[str, str, str] = NOBODY
        self._stable = ""
        self.share: float = 0.0
        self.running: bool = False

    @property
    def slow(self) -> float:
        """Seconds after which what the candidate has not answered yet counts as slow."""
        return inf if self._guard is None or not self.running else self._guard.slow

    def begin(self, candidate: Release, stable: Release, now: float) -> Decision:
        """A candidate is there, whatever was tried before; or the stable model is another one, so that all begins again."""
        self._candidate = (candidate.name, candidate.version, candidate.digest)
        self._stable = stable.version
        self._outcomes = self._errors = 0
        self._began = now
        self.running = True
        self._enter(0)
        return self._decision("begun", "", now)

    def replaced(self, stable: Release, now: float) -> Decision | None:
        """The stable model is another one when the trial is over: who has put it there has the last word."""
        if self.running or self.share == 0.0:
            return None
        self._stable = stable.version
        return self._ended("replaced", 0.0, "the stable model is another one", now)

    def refuse(self, candidate: Release | None, reason: str) -> Decision:
        """A candidate cannot be had; one that is there goes on."""
        made = (
            NOBODY if candidate is None else (candidate.name, candidate.version, candidate.digest)
        )
        return Decision("refused", *made, self._stable, self.share, reason, 0, 0, 0.0)

    def learn(self, seen: Sequence[Seen], now: float, *, candidate: bool) -> Decision | None:
        """What came of elements that were scored together; returns what follows."""
        if not self.running:
            return None
        if candidate:
            self._seen += len(seen)
            self._outcomes += len(seen)
            self._errors += sum(each.error is not None for each in seen)
        if self._watch is not None:
            self._watch.learn(seen, candidate=candidate)
            standing, reason = self._watch.standing()
            if standing is Standing.WORSE:
                return self._ended("rolled_back", 0.0, reason, now)
            if standing is not Standing.FINE:
                return None
        return self._passed(now)

    def _passed(self, now: float) -> Decision | None:
        """The guard has nothing against it: the next stage, if this one has lasted long enough."""
        if self._until is None or self._seen < self._until:
            return None
        if self._stage + 1 == len(self._stages):
            return self._ended("promoted", 1.0, "it passed every stage", now)
        self._enter(self._stage + 1)
        return self._decision("raised", "", now)

    def _enter(self, stage: int) -> None:
        self._stage, self._seen = stage, 0
        self.share = self._stages[stage]
        self._watch = None if self._guard is None else self._guard.begin(len(self._stages))

    def _ended(self, kind: Kind, share: float, reason: str, now: float) -> Decision:
        self.share, self.running, self._watch = share, False, None
        return self._decision(kind, reason, now)

    def _decision(self, kind: Kind, reason: str, now: float) -> Decision:
        numbers = (self._outcomes, self._errors, now - self._began)
        return Decision(kind, *self._candidate, self._stable, self.share, reason, *numbers)
