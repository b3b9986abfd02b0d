"""Bulkhead: so many at once, so many who wait, and nobody for long."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from rxml.errors import RefusedError
from rxml.flow.check import require_count
from rxml.flow.guarding.standing import deadline, in_time, now
from rxml.flow.timing.duration import seconds_of
from rxml.resilience.gradient import Gradient

if TYPE_CHECKING:
    from rxml.flow.guarding.standing import Call
    from rxml.flow.timing.duration import Duration


class Bulkhead:
    """Keeps one callee from taking all there is: a bound on calls at once, and on those who wait for one to end.

    Those who wait are let in in the order in which they came. It may be shared by several guards.

    Args:
        limit: calls at once, >= 1; or a `Gradient`, which learns how many are good.
        waiters: who may wait, >= 0; None: twice the limit.
        wait: seconds, or a timedelta, after which one who waits is refused.

    Attributes:
        in_flight: calls under way.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self, limit: int | Gradient, *, waiters: int | None = None, wait: Duration = 0.1
    ) -> None:
        self._gradient = limit if isinstance(limit, Gradient) else None
        self._fixed = 0 if isinstance(limit, Gradient) else require_count("Bulkhead", limit, 1)
        self._most = None if waiters is None else require_count("Bulkhead(waiters=)", waiters)
        self._wait = seconds_of(wait, "Bulkhead(wait)")
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.in_flight: int = 0

    @property
    def limit(self) -> int:
        """Calls that may be under way at once, now."""
        return self._fixed if self._gradient is None else self._gradient.limit

    @property
    def load(self) -> float:
        """Share of the limit that is in use; above 1 while others wait, or when the limit has just fallen."""
        return (self.in_flight + len(self._waiting)) / self.limit

    async def enter(self) -> None:
        """Wait for a place, and take it.

        Raises:
            RefusedError: there is none, and none to wait in; or the wait was too long.
            DeadlineError: the element's deadline has passed.
        """
        in_time()
        if self.in_flight < self.limit and not self._waiting:
            self.in_flight += 1
            return
        most = 2 * self.limit if self._most is None else self._most
        if len(self._waiting) >= most:
            raise RefusedError("bulkhead", f"{self.limit} calls are under way and {most} wait")
        await self._stand()

    def leave(self) -> None:
        """Give the place to the next."""
        self.in_flight -= 1
        self._admit()

    async def _stand(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout_at(min(now() + self._wait, deadline())):
                await place
        except TimeoutError as error:
            self._give_up(place)
            in_time()
            raise RefusedError("bulkhead", f"no place within {self._wait:g} s") from error
        except asyncio.CancelledError:
            self._give_up(place)
            raise

    def _give_up(self, place: asyncio.Future[None]) -> None:
        if place in self._waiting:
            self._waiting.remove(place)
        elif not place.cancelled():
            self.leave()

    def _admit(self) -> None:
        while self._waiting and self.in_flight < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)

    def record(self, began: float) -> None:
        """A call that had come at `began` has given a result: the limit learns from it."""
        if self._gradient is not None:
            ended = now()
            self._gradient.record(ended, ended - began, self.in_flight)
            self._admit()


def walled(call: Call, bulkhead: Bulkhead) -> Call:
    """The call inside the bulkhead; time in its queue counts as time of the call."""

    async def inside(item: Any) -> Any:
        began = now()
        await bulkhead.enter()
        try:
            result = await call(item)
            bulkhead.record(began)
            return result
        finally:
            bulkhead.leave()

    return inside
