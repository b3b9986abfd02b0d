"""Calls that are made a second time when they take long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rxml.flow.guarding.standing import now
from rxml.flow.scope import Scope, stray
from rxml.flow.stragglers import dismissed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.flow.guarding.standing import Call
    from rxml.resilience.hedging import Hedging


def hedged(
    call: Call,
    hedging: Hedging,
    key: Callable[[Any], Hashable] | None,
    load: Callable[[], float],
) -> Call:
    """The call, and another one beside it once it takes longer than most; the first result counts, the rest is cancelled.

    If one fails while the other goes on, that is waited for; if both fail, the error is that of the first to fail. A loser
    that is slow to leave holds up no answer: the stage that the call is made for waits for it when it ends. Only for calls
    that may be made twice without harm.

    Args:
        call: what may be slow.
        hedging: tells when, and has the budget.
        key: of an element, whose durations are kept apart; None: all together.
        load: share of what the callee can take that is in use.
    """

    async def doubled(item: Any) -> Any:
        which = None if key is None else key(item)
        hedging.called(now())
        delay, began = hedging.delay(which), now()
        if delay is None:
            result = await call(item)
        else:
            result = await _race(call, item, delay, lambda: hedging.spend(now(), load()))
        # Of a first attempt that lost it is known that it took at least as long.
        hedging.record(now() - began, which)
        return result

    return doubled


async def _race(call: Call, item: Any, delay: float, may: Callable[[], bool]) -> Any:
    scope, attempts = Scope(), list[asyncio.Task[Any]]()
    try:
        attempts.append(scope.spawn(_made(call, item), name="first attempt"))
        await asyncio.wait(attempts, timeout=delay)
        if not attempts[0].done() and may():
            attempts.append(scope.spawn(_made(call, item), name="second attempt"))
        return await _first_result(attempts)
    finally:
        await dismissed(attempts)


async def _made(call: Call, item: Any) -> Any:
    return await call(item)


async def _first_result(attempts: list[asyncio.Task[Any]]) -> Any:
    failure: Exception | None = None
    pending = set(attempts)
    while pending:
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for attempt in attempts:
            if not attempt.done():
                continue
            try:
                return attempt.result()
            except asyncio.CancelledError as error:
                failure = failure or stray(error)
            except Exception as error:  # noqa: BLE001 - the other attempt may still succeed
                failure = failure or error
    raise failure or RuntimeError("no attempt was made")
