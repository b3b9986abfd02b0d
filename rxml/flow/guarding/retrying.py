"""Calls that are made again when they fail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from math import isnan
from typing import TYPE_CHECKING, Any

from rxml.errors import DeadlineError, RefusedError
from rxml.flow.check import error_filter, require_count
from rxml.flow.guarding.standing import deadline, now
from rxml.resilience.retrying import Backoff, RetryBudget

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from rxml.flow.guarding.standing import Call


@dataclass(frozen=True, slots=True)
class Retry:
    """When a call is worth another attempt. Only for calls that may be made twice without harm.

    An error that has a `retry_after`, in seconds or a timedelta, is waited for as long; one that is `final` is not tried
    again. What a policy has refused, and what has no time left, is not tried again; nor is anything when its wait would end
    behind the deadline.

    Attributes:
        attempts: in all, >= 1.
        backoff: the waits, drawn with full jitter.
        budget: what all that share it may spend; each `Retry` has its own unless told otherwise.
        on: which errors: a class, a tuple of them, or a predicate.

    Raises:
        ValueError: attempts below 1.
    """

    attempts: int = 3
    backoff: Backoff = field(default_factory=Backoff)
    budget: RetryBudget = field(default_factory=RetryBudget)
    on: type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], object] = Exception

    def __post_init__(self) -> None:
        require_count("Retry(attempts)", self.attempts, 1)
        error_filter("Retry", self.on)

    def wait(self, error: Exception, failures: int, random: Random) -> float | None:
        """Seconds until the next attempt, for which the budget has paid; None: there is none."""
        hopeless = isinstance(error, RefusedError | DeadlineError) or getattr(error, "final", False)
        if failures >= self.attempts or hopeless or not error_filter("Retry", self.on)(error):
            return None
        left = deadline() - now()
        wait = self.backoff.within(failures - 1, random, left)
        asked = _asked(error)
        if wait is None or asked >= left or not self.budget.withdraw(now()):
            return None
        return max(wait, asked)


def _asked(error: Exception) -> float:
    """Seconds that the callee wants to be left alone; errors of others may have something else by that name."""
    asked: object = getattr(error, "retry_after", None)
    if isinstance(asked, timedelta):
        return asked.total_seconds()
    return float(asked) if isinstance(asked, int | float) and not isnan(asked) else 0.0


def retried(call: Call, retry: Retry, random: Random) -> Call:
    """The call, made again as `retry` says; fails with the last attempt's error."""

    async def tried(item: Any) -> Any:
        retry.budget.deposit(now())
        failures = 0
        while True:
            try:
                return await call(item)
            except Exception as error:
                failures += 1
                wait = retry.wait(error, failures, random)
                if wait is None:
                    raise
            await asyncio.sleep(wait)

    return tried
