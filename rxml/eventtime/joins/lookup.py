"""Lookup: what an asynchronous function gives for a key, remembered for a while."""

from __future__ import annotations

import asyncio
import inspect
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from rxml.eventtime.joins.results import Looked
from rxml.eventtime.keyed.key_table import require_hashable, require_key
from rxml.eventtime.reading import read
from rxml.flow.scope import unasked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from rxml.eventtime.joins.results import Reason
    from rxml.eventtime.reading import Column
    from rxml.flow.clock import Clock

    Answer: TypeAlias = tuple[Any, bool, Reason | None, Exception | None]


class Cache:
    """The values of the keys asked for last.

    Args:
        clock: of the run.
        size: keys kept, >= 0; the one not asked for for the longest time gives way.
        ttl: seconds that a value is good for; None: for ever.
    """

    __slots__ = ("_clock", "_size", "_ttl", "_values")

    def __init__(self, clock: Clock, size: int, ttl: float | None) -> None:
        self._clock = clock
        self._size = size
        self._ttl = ttl
        self._values: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> tuple[Any, float] | None:
        """The value, and when it was had; None if there is none that is good still."""
        found = self._values.get(key)
        if found is None:
            return None
        if self._ttl is not None and self._clock.time() >= found[1] + self._ttl:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value."""
        self._values[key] = value, self._clock.time()
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)


class Lookup:
    """Looks keys up; those who ask for one that is being looked up wait for the same call.

    A failure is not remembered; neither is what comes when the time is up. Who waits for a call that was cancelled, makes it himself.

    Args:
        function: gives an awaitable for a key.
        key: where an element has its key.
        cache: what is known.
        timeout: seconds that a call may take, or None.
        default: stands for what could not be had.
    """

    def __init__(
        self,
        function: Callable[[Any], Awaitable[Any]],
        key: Column,
        cache: Cache,
        timeout: float | None,
        default: Any,
    ) -> None:
        self._function = function
        self._key = key
        self._cache = cache
        self._timeout = timeout
        self._default = default
        self._calls: dict[Hashable, asyncio.Future[Answer | None]] = {}

    async def look(self, element: Any) -> Looked[Any, Any]:
        """The element with what belongs to its key.

        Raises:
            SchemaError: it has no key, or one that cannot be looked up.
            TypeError: the function gives nothing that can be awaited.
        """
        key: Hashable = read([element], self._key)[0]
        require_hashable(key)
        require_key(key)
        while True:
            found = self._cache.get(key)
            if found is not None:
                return Looked(element, found[0])
            running = self._calls.get(key)
            answer = await (self._call(key) if running is None else asyncio.shield(running))
            if answer is not None:
                return Looked(element, *answer)

    async def _call(self, key: Hashable) -> Answer:
        call: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._calls[key] = call
        try:
            answer = await self._answer(key)
        except BaseException:
            call.set_result(None)
            raise
        else:
            call.set_result(answer)
            return answer
        finally:
            del self._calls[key]

    async def _answer(self, key: Hashable) -> Answer:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        cancelled = task.cancelling()
        limit = asyncio.timeout(self._timeout)
        try:
            awaitable = self._function(key)
        except Exception as error:  # noqa: BLE001 - told with the element
            return self._without("error", error)
        _require_awaitable(awaitable)
        try:
            async with limit:
                value = await awaitable
        except asyncio.CancelledError as error:
            if task.cancelling() > cancelled:
                raise
            return self._without("error", unasked(error))
        except Exception as error:  # noqa: BLE001 - told with the element
            return self._without("timeout" if limit.expired() else "error", error)
        if limit.expired():  # the function has caught what was to end it
            message = f"the answer came when its {self._timeout:g} s were over"
            return self._without("timeout", TimeoutError(message))
        self._cache.put(key, value)
        return value, True, None, None

    def _without(self, reason: Reason, error: Exception) -> Answer:
        return self._default, False, reason, error.with_traceback(None)


def _require_awaitable(given: object) -> None:
    if not inspect.isawaitable(given):
        message = (
            f"lookup_join wants a function that gives an awaitable, got one that gives {type(given).__name__}: "
            "say async def, or use map, which takes plain functions"
        )
        raise TypeError(message)
