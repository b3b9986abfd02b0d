"""Calls behind a breaker, and behind a client's throttle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rxml.errors import DeadlineError, RefusedError
from rxml.flow.guarding.standing import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from rxml.flow.guarding.standing import Call
    from rxml.resilience.breaker import Breaker
    from rxml.resilience.throttle import Throttle


def broken(call: Call, breaker: Breaker, blame: Callable[[Exception], object]) -> Call:
    """The call, if the breaker permits it.

    Args:
        call: what may fail.
        breaker: told how each call ended.
        blame: whether an error is the callee's fault. One that was cancelled tells nothing; a deadline that passed
            meanwhile, only if the call had become slow by then.

    Raises:
        RefusedError: when called, the breaker is open.
    """

    def failed(permit: int, error: Exception, took: float) -> None:
        hasty = isinstance(error, DeadlineError) and took < breaker.slow
        if hasty or isinstance(error, RefusedError) or not blame(error):
            breaker.ignored(permit, now())
        else:
            breaker.failed(permit, now(), took)

    async def permitted(item: Any) -> Any:
        began = now()
        permit = breaker.admit(began)
        if permit is None:
            wait = breaker.retry_after(began)
            raise RefusedError("breaker", "too many of the last calls failed or were slow", wait)
        try:
            result = await call(item)
        except asyncio.CancelledError:
            breaker.ignored(permit, now())
            raise
        except Exception as error:
            failed(permit, error, now() - began)
            raise
        breaker.succeeded(permit, now(), now() - began)
        return result

    return permitted


def throttled(call: Call, throttle: Throttle, random: Random) -> Call:
    """The call, unless the throttle refuses it; whatever but a refusal counts as accepted.

    Raises:
        RefusedError: when called, the throttle refuses.
    """

    async def asked(item: Any) -> Any:
        if not throttle.admit(now(), random):
            raise RefusedError("throttle", "the callee has refused most of the last calls")
        try:
            result = await call(item)
        except Exception as error:
            if not refusal(error):
                throttle.accepted(now())
            raise
        throttle.accepted(now())
        return result

    return asked


def refusal(error: Exception) -> bool:
    """Whether the error says that its callee does not want more now: one that knows `retry_after` does."""
    return isinstance(error, RefusedError) or getattr(error, "retry_after", None) is not None
