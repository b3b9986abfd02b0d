"""Roster: which of several arms may be asked, and what their outcomes make of that. Pure."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from rxml.resilience.breaker import Breaker, BreakerState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rxml.models.supervising.decision import What
    from rxml.resilience.ejection import Ejection


class Standing(Enum):
    """IN: is asked; OUT: is not; PROBING: is asked a few times, to see how it is."""

    IN = "in"
    OUT = "out"
    PROBING = "probing"


_OF: dict[BreakerState, Standing] = {
    BreakerState.CLOSED: Standing.IN,
    BreakerState.OPEN: Standing.OUT,
    BreakerState.HALF_OPEN: Standing.PROBING,
}
_SAID: dict[Standing, What] = {
    Standing.IN: "restored",
    Standing.OUT: "removed",
    Standing.PROBING: "probing",
}
_SOON: Final = 0.1
"""Seconds after which it may be worth asking again at the earliest, when nobody may be asked now."""


class _Arm:
    __slots__ = ("breaker", "reason", "standing")

    def __init__(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self.standing = Standing.IN
        self.reason = ""


class Roster:
    """A breaker for each arm, and one ejection for all; whoever is out comes back by probes alone.

    A breaker goes by the rates of its arm. An arm is ejected when others have answered what it has failed at, so often in
    a row; then its breaker opens, too. What all arms fail at ejects nobody: it may be the element's fault.

    Args:
        names: of the arms.
        breaker: makes one.
        ejection: of these arms.
        tell: of decisions: what, which arm, why.
    """

    def __init__(
        self,
        names: Iterable[str],
        breaker: Callable[[], Breaker],
        ejection: Ejection[str],
        tell: Callable[[What, str, str], None],
    ) -> None:
        self._arms = {name: _Arm(breaker()) for name in names}
        self._ejection = ejection
        self._tell = tell
        self._none = False

    def standing(self, name: str) -> Standing:
        """Where an arm stood when somebody last looked."""
        return self._arms[name].standing

    def available(self, now: float) -> list[str]:
        """The arms that may be asked at `now` (seconds), in order."""
        kept = self._ejection.available(now)
        free: list[str] = []
        for name, arm in self._arms.items():
            if self._looked(name, arm, now, ejected=name not in kept):
                free.append(name)
        self._judge()
        return free

    def _looked(self, name: str, arm: _Arm, now: float, *, ejected: bool) -> bool:
        standing = Standing.OUT if ejected else _OF[arm.breaker.state(now)]
        if standing is not arm.standing:
            arm.standing = standing
            reason, arm.reason = arm.reason, ""
            if standing is Standing.OUT and not reason:
                reason = "too many of the last calls failed or were slow"
            self._tell(_SAID[standing], name, reason)
        return standing is Standing.IN or (
            standing is Standing.PROBING and arm.breaker.retry_after(now) == 0
        )

    def _judge(self) -> None:
        """Whether all are out; they are until one is in again, whatever is probed meanwhile."""
        standings = [each.standing for each in self._arms.values()]
        if not self._none and all(each is Standing.OUT for each in standings):
            self._none = True
            self._tell("escalated", "", "no arm may be asked")
        elif self._none and Standing.IN in standings:
            self._none = False
            self._tell("recovered", "", "an arm has been restored")

    def retry_after(self, now: float) -> float:
        """Seconds after which some arm may be asked again."""
        waits = (
            max(arm.breaker.retry_after(now), self._ejection.retry_after(name, now))
            for name, arm in self._arms.items()
        )
        return max(_SOON, min(waits))

    def slow(self, name: str) -> float:
        """Seconds from which on a call to the arm is slow."""
        return self._arms[name].breaker.slow

    def admit(self, name: str, now: float) -> int | None:
        """See `Breaker.admit`."""
        return self._arms[name].breaker.admit(now)

    def succeeded(self, name: str, permit: int, now: float, seconds: float) -> None:
        """The arm has answered."""
        self._arms[name].breaker.succeeded(permit, now, seconds)
        self._ejection.succeeded(name)
        self._notice(name, now)

    def failed(self, name: str, permit: int, now: float, seconds: float) -> None:
        """The arm has failed, and is to blame."""
        self._arms[name].breaker.failed(permit, now, seconds)
        self._notice(name, now)

    def ignored(self, name: str, permit: int, now: float) -> None:
        """The call says nothing of the arm."""
        self._arms[name].breaker.ignored(permit, now)

    def outdone(self, name: str, now: float) -> None:
        """Another arm has answered what this one has failed at."""
        if self._ejection.failed(name, now):
            arm = self._arms[name]
            arm.reason = "others have answered what it failed at, again and again"
            arm.breaker.trip(now)
            self._notice(name, now)

    def _notice(self, name: str, now: float) -> None:
        """Tell what has changed for an arm, though nobody has asked yet who is available."""
        arm = self._arms[name]
        if _OF[arm.breaker.state(now)] is not arm.standing:
            self.available(now)
