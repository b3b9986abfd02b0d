"""Guard: a coroutine function behind policies."""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from rxml.errors import DeadlineError, PipelineError, RefusedError
from rxml.flow.check import PLAIN, error_filter, permit_function, require_callable
from rxml.flow.guarding.breaking import broken, throttled
from rxml.flow.guarding.bulkhead import Bulkhead, walled
from rxml.flow.guarding.hedging import hedged
from rxml.flow.guarding.retrying import Retry, retried
from rxml.flow.guarding.standing import in_time, timed
from rxml.flow.timing.duration import seconds_of
from rxml.resilience.breaker import Breaker
from rxml.resilience.hedging import Hedging
from rxml.resilience.poison import Poison
from rxml.resilience.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from rxml.flow.guarding.standing import Call
    from rxml.flow.timing.duration import Duration

A = TypeVar("A")
B = TypeVar("B")


class Guard(Generic[A, B]):
    """A coroutine function behind policies, to be given to `map_async` or called by whatever else.

    From the outside in: quarantine, retry, hedge, throttle, bulkhead, breaker, time limit. So each attempt asks the
    throttle, waits in the bulkhead and asks the breaker for itself, and a wait between attempts holds no place. All of
    them obey the deadline of the element (`ops.deadline`, or the one that a request came with): nothing is begun, waited
    for or tried again past it. Policies belong to the callee, not to a run: a guard that is used in several flows, and
    a policy that is given to several guards, is one for all of them. Without policies a call costs about a
    microsecond; a limit of time, a breaker, a bulkhead a few each; a hedge a task.

    A hedged call answers with the first result, though the attempt that lost may take its time to leave. That one keeps its
    place in the bulkhead, and belongs to the stage: `map_async` waits for it when it ends, holds as many as it works on at
    once, and with `key=` none. Where there is no room, or no such stage, the call waits for it.

    Args:
        function: a coroutine function of one element.
        timeout: seconds, or a timedelta, for each attempt.
        breaker: permits attempts.
        bulkhead: bounds attempts at once; an int is a `Bulkhead` of that limit.
        throttle: refuses attempts that would be refused anyway.
        hedge: makes slow attempts twice. Only where that does no harm.
        retry: makes failed attempts again. Only where that does no harm.
        poison: counts failures of an element's key, and refuses keys that are in quarantine; wants `key`. Refusals and deadlines
            that pass are not the key's: what hangs for an element fails by `timeout`.
        key: of an element, for `hedge` and `poison`.
        blame: which errors are the callee's fault, for the breaker: a class, a tuple of them, or a predicate.
        random: what waits and refusals draw from; None: one of its own.

    Raises:
        PipelineError: an argument of a wrong type; `poison` without `key`.
        RefusedError: when called, a policy refuses; `policy` names it.
        DeadlineError: when called, the element's deadline has passed.
        StreamTimeoutError: when called, the last attempt did not end within `timeout`.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> async def half(x):
        ...     return 6 // x
        >>> guarded = ops.Guard(half, timeout=1, breaker=rxml.resilience.Breaker(), bulkhead=8)
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.map_async(guarded, concurrency=4)).to_list())
        [6, 3]
    """

    def __init__(  # noqa: PLR0913 - each is a policy of its own
        self,
        function: Callable[[A], Awaitable[B]],
        *,
        timeout: Duration | None = None,
        breaker: Breaker | None = None,
        bulkhead: Bulkhead | int | None = None,
        throttle: Throttle | None = None,
        hedge: Hedging | None = None,
        retry: Retry | None = None,
        poison: Poison | None = None,
        key: Callable[[A], Hashable] | None = None,
        blame: Any = Exception,
        random: Random | None = None,
    ) -> None:
        require_callable("Guard", function, "gives an awaitable")
        permit_function("Guard(key=)", key, "gives the key of an element", PLAIN)
        seconds = inf if timeout is None else seconds_of(timeout, "Guard(timeout)")
        dice = _checked("random", random, Random) or Random()  # noqa: S311 - spreads load, keeps no secret
        self.bulkhead: Bulkhead | None = (
            Bulkhead(bulkhead)
            if isinstance(bulkhead, int)
            else _checked("bulkhead", bulkhead, Bulkhead)
        )
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        call = timed(cast("Call", function), seconds)
        if _checked("breaker", breaker, Breaker) is not None:
            call = broken(call, cast("Breaker", breaker), error_filter("Guard(blame)", blame))
        if self.bulkhead is not None:
            call = walled(call, self.bulkhead)
        if _checked("throttle", throttle, Throttle) is not None:
            call = throttled(call, cast("Throttle", throttle), dice)
        if _checked("hedge", hedge, Hedging) is not None:
            call = hedged(call, cast("Hedging", hedge), key, self._load)
        if _checked("retry", retry, Retry) is not None:
            call = retried(call, cast("Retry", retry), dice)
        if _checked("poison", poison, Poison) is not None:
            call = _quarantined(call, cast("Poison", poison), key)
        self._call: Call = call

    async def __call__(self, item: A) -> B:
        """What the function gives for the element, under all policies."""
        in_time()
        return cast("B", await self._call(item))

    def _load(self) -> float:
        return 0.0 if self.bulkhead is None else self.bulkhead.load


K = TypeVar("K")


def _checked(argument: str, value: K | None, kind: type[K]) -> K | None:
    if value is None or isinstance(value, kind):
        return value
    raise PipelineError(f"Guard wants {argument} as a {kind.__name__}, got {value!r}")


def _quarantined(call: Call, poison: Poison, key: Callable[[Any], Hashable] | None) -> Call:
    if key is None:
        raise PipelineError("Guard(poison=...) wants key=, which gives the key of an element")

    async def tried(item: Any) -> Any:
        which = key(item)
        if poison.quarantined(which):
            raise RefusedError("quarantine", f"the key {which!r} has failed too often")
        try:
            result = await call(item)
        except (RefusedError, DeadlineError):  # of the load, and of the time that was left
            raise
        except Exception:
            poison.failed(which)
            raise
        poison.succeeded(which)
        return result

    return tried
