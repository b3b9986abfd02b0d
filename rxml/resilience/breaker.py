"""Breaker: calls to what keeps failing, or keeps being slow, are not made."""

from __future__ import annotations

from enum import Enum
from typing import Final

from rxml.resilience.numbers import require_above, require_range
from rxml.resilience.quantile import RecentQuantile
from rxml.resilience.window import WindowedCounts

LEARNT: Final = 100
"""Calls whose durations must be known before a breaker goes by their p99; until then slow is `SLOW`."""

SLOW: Final = 2.0
"""Seconds from which on a call is slow, unless the breaker is told otherwise."""

TIMES: Final = 3.0
"""A call is slow, if that is learnt, when it takes so many times the p99 of those that were not."""


class BreakerState(Enum):
    """CLOSED lets calls through, OPEN none, HALF_OPEN a few that show how things are."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opens when too many of the last calls have failed or were slow; then lets a few through to see.

    The rates are those of a ring of time slices (as Resilience4j's time-based window), so that a burst of successes long
    ago hides nothing. A call whose caller has gone away says nothing of the callee: it is `ignored`. What was let
    through in one state says nothing about the next: a permit names the state that it is of.

    Args:
        window: seconds that the rates are of, > 0.
        slices: parts of the window, >= 1.
        least: calls in the window below which it stays closed, >= 1.
        failure_rate: share of failures that opens it, in (0, 1].
        slow_rate: share of slow calls that opens it, in (0, 1].
        slow: seconds from which on a call is slow, > 0; None: three times the p99 of recent calls that were not, and
            2 s until 100 of them are known.
        wait: seconds that it stays open, > 0.
        factor: each time that the probes fail, the wait grows by this, >= 1.
        most: seconds that it stays open at most, >= wait. Probes that have not told so long after the first of them have failed.
        probes: calls that are let through after that, >= 1; all of them must succeed, and none may be slow.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(  # noqa: PLR0913 - each is a number of its own
        self,
        *,
        window: float = 10.0,
        slices: int = 10,
        least: int = 20,
        failure_rate: float = 0.5,
        slow_rate: float = 0.5,
        slow: float | None = SLOW,
        wait: float = 5.0,
        factor: float = 2.0,
        most: float = 60.0,
        probes: int = 3,
    ) -> None:
        self._counts = WindowedCounts(window, slices, 3)
        self._least = int(require_range("Breaker(least)", least, 1))
        self._failure_rate = require_above("Breaker(failure_rate)", failure_rate)
        self._slow_rate = require_above("Breaker(slow_rate)", slow_rate)
        require_range("Breaker(failure_rate)", failure_rate, 0, 1)
        require_range("Breaker(slow_rate)", slow_rate, 0, 1)
        self._slow = None if slow is None else require_above("Breaker(slow)", slow)
        self._wait = require_above("Breaker(wait)", wait)
        self._factor = require_range("Breaker(factor)", factor, 1)
        self._most = require_range("Breaker(most)", most, wait)
        self._probes = int(require_range("Breaker(probes)", probes, 1))
        self._durations = RecentQuantile(4 * LEARNT)
        self._state = BreakerState.CLOSED
        self._era = 1
        self._until = 0.0
        self._opened = 0
        self._asked = 0
        self._well = 0

    @property
    def slow(self) -> float:
        """Seconds from which on a call is slow."""
        if self._slow is not None:
            return self._slow
        p99 = self._durations.quantile(0.99) if len(self._durations) >= LEARNT else None
        return TIMES * p99 if p99 else SLOW

    def state(self, now: float) -> BreakerState:
        """What it lets through at `now`, in seconds of a clock that does not go back."""
        if self._state is BreakerState.OPEN and now >= self._until:
            self._enter(BreakerState.HALF_OPEN)
        elif self._probing and now >= self._until:
            self._open(now)
        return self._state

    @property
    def _probing(self) -> bool:
        """Whether probes are out; while nobody has asked, none has failed."""
        return self._state is BreakerState.HALF_OPEN and self._asked > self._well

    def admit(self, now: float) -> int | None:
        """A permit for one call, to be given back with what became of it; None: do not call."""
        state = self.state(now)
        if state is BreakerState.OPEN:
            return None
        if state is BreakerState.HALF_OPEN:
            if self._asked >= self._probes:
                return None
            if not self._probing:
                self._until = now + self._most
            self._asked += 1
        return self._era

    def trip(self, now: float) -> None:
        """Open, whatever the rates say: somebody knows more."""
        if self.state(now) is not BreakerState.OPEN:
            self._open(now)

    def retry_after(self, now: float) -> float:
        """Seconds until it is worth asking again; 0 if calls are let through. While probes are out, `wait` at most."""
        state = self.state(now)
        if state is BreakerState.OPEN:
            return self._until - now
        waiting = state is BreakerState.HALF_OPEN and self._asked >= self._probes
        return min(self._wait, self._until - now) if waiting else 0.0

    def succeeded(self, permit: int, now: float, seconds: float) -> None:
        """The call gave a result, after so many seconds."""
        slow = seconds >= self.slow
        if not slow:
            self._durations.add(seconds)
        self._ended(permit, now, failed=False, slow=slow)

    def failed(self, permit: int, now: float, seconds: float = 0.0) -> None:
        """The call failed, after so many seconds, and its callee is to blame."""
        self._ended(permit, now, failed=True, slow=seconds >= self.slow)

    def ignored(self, permit: int, now: float) -> None:
        """The call says nothing of its callee: the caller gave it up, or was to blame itself."""
        if permit == self._era and self.state(now) is BreakerState.HALF_OPEN:
            self._asked -= 1

    def _ended(self, permit: int, now: float, *, failed: bool, slow: bool) -> None:
        state = self.state(now)
        if permit != self._era:
            return
        if state is BreakerState.HALF_OPEN:
            self._probed(now, well=not (failed or slow))
        else:
            self._counts.add(now, 1, failed, slow)
            self._judge(now)

    def _probed(self, now: float, *, well: bool) -> None:
        if not well:
            return self._open(now)
        self._well += 1
        if self._well == self._probes:
            self._opened = 0
            self._enter(BreakerState.CLOSED)
        return None

    def _judge(self, now: float) -> None:
        calls, failures, slow = self._counts.totals(now)
        if calls < self._least:
            return
        if failures >= self._failure_rate * calls or slow >= self._slow_rate * calls:
            self._open(now)

    def _open(self, now: float) -> None:
        self._enter(BreakerState.OPEN)
        grown = self._wait
        for _ in range(self._opened):
            grown = min(self._most, grown * self._factor)
        self._opened = self._opened + 1 if grown < self._most else self._opened
        self._until = now + min(self._most, grown)

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._era += 1
        self._asked = self._well = 0
        self._counts.clear()
