"""Attempt: one arm is asked, for a part of the time that is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import StreamTimeoutError
from rxml.flow.guarding.standing import now

if TYPE_CHECKING:
    from rxml.models.supervising.arm import Seat
    from rxml.resilience.retrying import RetryBudget

HALF: Final = 0.5
"""Of the time that is left, what an arm gets at least that has others behind it."""

MOST: Final = 0.8
"""Of the time that is left, what it gets at most, if it needs so much as a rule."""

SPARE: Final = 0.95
"""What the last arm gets if there is an answer without it: the rest is for the way back."""

RULE: Final = 2.0
"""Times its p95 is what an arm needs as a rule."""

LONG: Final = 3.0
"""Times its p95, after which an arm is left for another, if the budget pays."""

PAUSE: Final = 0.02
"""Seconds that an arm has in any case: the loop, and not the arm, may be what is late."""


def part(left: float, p95: float | None, *, others: bool, spare: bool) -> float:
    """Seconds that an arm gets of those that are left.

    Args:
        left: seconds, >= 0.
        p95: of the arm's durations, or None.
        others: whether further arms may be asked.
        spare: whether there is an answer without arms.
    """
    if others:
        needs = 0.0 if p95 is None else RULE * p95
        return max(HALF * left, min(MOST * left, needs))
    return SPARE * left if spare else left


async def attempted(seat: Seat, item: Any, seconds: float, budget: RetryBudget | None) -> Any:
    """What the arm answers.

    Args:
        seat: the arm.
        item: the element.
        seconds: that it has.
        budget: pays for leaving it early; None: it is not left early.

    Raises:
        StreamTimeoutError: it has not answered in time.
        UnacceptedError: what it gave is no answer.
        Exception: what it raised.
    """
    began = now()
    limit = began + seconds
    scope = asyncio.timeout_at(limit)
    timer = _impatience(scope, seat, began, limit, budget)
    try:
        async with scope:
            value = await seat.ask(item, limit)
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise StreamTimeoutError(
            f"{seat.name} has not answered within {now() - began:.3g} s"
        ) from error
    finally:
        if timer is not None:
            timer.cancel()
    seat.require(value)
    return value


def _impatience(
    scope: asyncio.Timeout, seat: Seat, began: float, limit: float, budget: RetryBudget | None
) -> asyncio.TimerHandle | None:
    """Ends the scope early if the arm takes far longer than as a rule, and the budget pays."""
    p95 = seat.p95
    if budget is None or p95 is None:
        return None
    moment = began + max(LONG * p95, PAUSE)
    if moment >= limit:
        return None
    paying = budget

    def leave() -> None:
        if paying.withdraw(now()):
            scope.reschedule(now())

    return asyncio.get_running_loop().call_at(moment, leave)
