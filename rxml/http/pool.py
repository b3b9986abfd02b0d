"""Pool and Arrivals: bounds on bytes that many connections hold together."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

SHARE: Final = 4
"""One address gets a quarter of what there is for all."""


class Pool:
    """Bytes that are lent in the order in which they were asked for.

    Args:
        most: bytes lent at a time. Who asks for more gets all, alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lent = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, weight: int, seconds: float | None) -> AsyncGenerator[None]:
        """Have bytes inside `async with`.

        Args:
            weight: bytes.
            seconds: how long to wait for them.

        Raises:
            TimeoutError: others had them all for that long.
        """
        weight = min(weight, self._most)
        if self._waiters or self._lent + weight > self._most:
            await self._wait(weight, seconds)
        else:
            self._lent += weight
        try:
            yield
        finally:
            self._lent -= weight
            self._lend()

    async def _wait(self, weight: int, seconds: float | None) -> None:
        waiter = asyncio.get_running_loop().create_future()
        entry = (weight, waiter)
        self._waiters.append(entry)
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except BaseException:
            if entry in self._waiters:
                self._waiters.remove(entry)
            elif waiter.done() and not waiter.cancelled():
                self._lent -= weight  # they came in the very moment in which waiting ended
            self._lend()
            raise

    def _lend(self) -> None:
        while self._waiters and self._lent + self._waiters[0][0] <= self._most:
            weight, waiter = self._waiters.popleft()
            if not waiter.done():
                self._lent += weight
                waiter.set_result(None)


class Arrivals:
    """Bytes of bodies that are on their way, or here and not yet handled: in all, and of each address.

    Args:
        most: bytes in all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = max(1, most // SHARE)
        self._all = 0
        self._of: Counter[Any] = Counter()

    @contextmanager
    def of(self, address: Any) -> Generator[Callable[[int], None]]:
        """Count bytes from an address as they come; they have been handled when the `with` ends.

        The function raises a Refusal, 503, if there are too many.
        """
        held = 0

        def arrived(count: int) -> None:
            nonlocal held
            self._add(address, count)
            held += count

        try:
            yield arrived
        finally:
            self._remove(address, held)

    def _add(self, address: Any, count: int) -> None:
        here = self._of[address] + count
        one = here > self._share
        if one or self._all + count > self._most:
            raise Refusal(
                503,
                "too many bytes of bodies are under way" + (" from this address" if one else ""),
                headers={"Retry-After": "1"},
            )
        self._all += count
        self._of[address] = here

    def _remove(self, address: Any, count: int) -> None:
        self._all -= count
        self._of[address] -= count
        if not self._of[address]:
            del self._of[address]
