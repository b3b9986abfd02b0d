"""Deadlines of the element that a task works on, and limits of time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

from rxml.errors import DeadlineError, StreamTimeoutError
from rxml.flow.context import BESIDE

if TYPE_CHECKING:
    from collections.abc import Coroutine

Call: TypeAlias = Callable[[Any], Awaitable[Any]]
"""A coroutine function of one element."""


def now() -> float:
    """The time of the running loop in seconds, which is that of the run's clock."""
    return asyncio.get_running_loop().time()


def deadline() -> float:
    """When an answer for the element that this task works on is worth nothing any more; infinity if never."""
    context = BESIDE.get()
    return inf if context is None or context.deadline is None else context.deadline


def in_time() -> float:
    """Seconds that are left until the deadline, > 0.

    Raises:
        DeadlineError: none are.
    """
    left = deadline() - now()
    if left <= 0:
        raise DeadlineError(f"the deadline passed {abs(left):.3g} s ago, before the work was begun")
    return left


def timed(call: Call, seconds: float) -> Call:
    """The call with a limit: so many seconds, and the element's deadline.

    Raises:
        DeadlineError: when called, the deadline has passed, before or meanwhile.
        StreamTimeoutError: when called, the seconds have passed.
    """

    async def limited(item: Any) -> Any:
        in_time()
        due, limit = deadline(), now() + seconds
        if due == limit == inf:
            return await call(item)
        return await within(call(item), due, limit)

    return limited


async def within(
    work: Awaitable[Any] | Coroutine[Any, Any, Any], due: float, limit: float = inf
) -> Any:
    """What the work gives, unless the deadline `due` or the `limit` comes first, as moments of the loop's clock."""
    scope = asyncio.timeout_at(min(due, limit))
    try:
        async with scope:
            return await work
    except TimeoutError as error:
        if not scope.expired():
            raise
        if due <= limit:
            raise DeadlineError("the deadline passed while the work was under way") from error
        raise StreamTimeoutError("the work did not end within its limit of time") from error
