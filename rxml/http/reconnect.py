"""Reconnect: when a client connects again, and when it gives up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from rxml.errors import ConnectionLost, PipelineError, RemoteError
from rxml.flow.timing.duration import Duration, seconds_of
from rxml.http.checks import instance
from rxml.resilience.retrying import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.flow.clock import Clock

_BACKOFF: Final = Backoff(0.1, 2.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnect:
    """A policy. Waits are drawn evenly from 0 up to those of `backoff` ("full jitter"), and are never shorter than the
    other end asks for (`Retry-After`, `retry_after_ms`, the `retry:` of SSE).

    What trying again does not help against ends the flow at once: a status such as 401 or 404, a peer that breaks the rules,
    an error of the flow there.

    Attributes:
        backoff: the waits.
        attempts: to connect, one after the other, without an element in between, >= 1; None: without limit.
        elapsed: seconds, or a timedelta, from the loss of the connection on, in which one must succeed; None: any.
        random: what waits are drawn from, for some that can be repeated; None: one for each run.

    Raises:
        PipelineError: attempts is no int >= 1, or backoff is none.
        ValueError: elapsed is negative.
    """

    backoff: Backoff = _BACKOFF
    attempts: int | None = 10
    elapsed: Duration | None = 300.0
    random: Random | None = None

    def __post_init__(self) -> None:
        if self.attempts is not None and (self.attempts.__class__ is not int or self.attempts < 1):
            raise PipelineError(f"Reconnect wants attempts >= 1 or None, got {self.attempts!r}")
        if self.elapsed is not None:
            seconds_of(self.elapsed, "Reconnect(elapsed)")
        instance("backoff", self.backoff, Backoff)


class Attempts:
    """Those of one run. Pure: it is told the time.

    Args:
        policy: None: there is one attempt only.

    Attributes:
        least: seconds that the other end asks to wait before each.
    """

    def __init__(self, policy: Reconnect | None) -> None:
        self._policy = policy
        self._random = (policy and policy.random) or Random()  # noqa: S311 - spreads attempts
        self._failures = 0
        self._since: float | None = None
        self.least: float = 0.0

    def begun(self, now: float) -> None:
        """Time counts from now on, not from the first failure."""
        self._since = now

    def waited(self, seconds: float) -> None:
        """So long nothing was wanted, and nothing was tried: that is nobody's failure."""
        if self._since is not None:
            self._since += seconds

    def progressed(self) -> None:
        """An element came: what failed before counts no more."""
        self._failures, self._since = 0, None

    def failed(self, error: Exception, now: float) -> float:
        """The connection was lost, or not made.

        Args:
            error: how.
            now: seconds, by the run's clock.

        Returns:
            Seconds to wait before the next attempt.

        Raises:
            Exception: the error itself: there is no further attempt.
        """
        policy = self._policy
        if policy is None or not passing(error):
            raise error
        since = self._since = now if self._since is None else self._since
        self._failures += 1
        if self._failures == policy.attempts:
            error.add_note(f"the last of {policy.attempts} attempts")
            raise error
        wait = self._wait(error, policy.backoff)
        if policy.elapsed is not None:
            most = seconds_of(policy.elapsed, "Reconnect(elapsed)")
            if now + wait - since > most:
                error.add_note(f"it could not be tried again within {most:.3g} seconds")
                raise error
        return wait

    def _wait(self, error: Exception, backoff: Backoff) -> float:
        drawn = backoff.wait(self._failures - 1, self._random)
        asked = getattr(error, "retry_after", None) or 0.0
        return max(asked, self.least) + drawn


def passing(error: Exception) -> bool:
    """True if trying again may help."""
    if isinstance(error, ConnectionLost):
        return not error.final
    return isinstance(error, RemoteError) and error.retry_after is not None


async def persistently(
    attempt: Callable[[], Awaitable[None]],
    attempts: Attempts,
    clock: Clock,
    wanted: Callable[[], Awaitable[object]],
) -> None:
    """Make attempts until one succeeds, or no further one is due.

    Args:
        attempt: one connection, until its stream has ended.
        attempts: counts them.
        clock: of the run.
        wanted: waits until elements are wanted; without demand nobody connects.

    Raises:
        Exception: what the last attempt has failed with.
    """
    while True:
        began = clock.time()
        await wanted()
        attempts.waited(clock.time() - began)
        try:
            await attempt()
        except (ConnectionLost, RemoteError) as error:
            wait = attempts.failed(error, clock.time())
        else:
            return
        await clock.sleep(wait)
