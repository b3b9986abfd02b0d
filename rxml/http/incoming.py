"""Incoming: elements that come over a wire, as a flow whose demand goes back over it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rxml.errors import AlreadyRunningError
from rxml.flow.chunk import Chunk
from rxml.flow.kinds import body_source
from rxml.http.credit import Refill
from rxml.http.race import race

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


class Incoming(Generic[T]):
    """The receiving half of one stream. Holds what was asked for and has come, never more.

    Args:
        name: of the flow.
        ask: sends demand for n more.
        window: elements that may be under way or wait here.
        max_bytes: of them on the wire, about.
        taken: called once what waits here is wanted.
    """

    def __init__(
        self,
        name: str,
        ask: Callable[[int], Awaitable[None]],
        *,
        window: int,
        max_bytes: int,
        taken: Callable[[], None],
    ) -> None:
        self._name = name
        self._ask = ask
        self._window = window
        self._taken = taken
        self._refill = Refill(max_bytes)
        self._came = asyncio.Event()
        self._over = asyncio.Event()
        self._error: Exception | None = None
        self._outlet: Outlet[T] | None = None

    def flow(self) -> Flowable[T]:
        """What comes, for one run at a time."""
        return body_source(self._name, self._body, capacity=self._window, rate=True)

    def count(self, elements: int, size: int) -> None:
        """Elements came in a message of `size` bytes.

        Raises:
            ProtocolError: more than were asked for.
        """
        self._refill.came(elements, size)

    def put(self, elements: Sequence[T]) -> None:
        """Hand over those that are valid; nothing waits for a run that has ended."""
        if self._outlet is not None and elements:
            self._outlet.channel.put(Chunk(elements))
        self._came.set()

    def finish(self, error: Exception | None = None) -> None:
        """No more is coming; with an error, the flow fails behind what has come."""
        self._error = self._error or error
        self._over.set()

    async def _body(self, _inlets: tuple[Subscription[Any], ...], outlet: Outlet[T]) -> None:
        if self._outlet is not None and not self._outlet.channel.closed:
            raise AlreadyRunningError(
                f"{self._name} feeds a run already, and each element can go to one only; put ops.share() first"
            )
        self._outlet = outlet
        delist = outlet.env.enlist(self._over.set, endless=True)
        try:
            await race(self._demand(outlet), self._ended())
        finally:
            delist()
        if self._error is not None:
            raise self._error

    async def _ended(self) -> None:
        await self._over.wait()

    async def _demand(self, outlet: Outlet[T]) -> None:
        """Pass demand on: never more than what is wanted here."""
        while True:
            wanted = await outlet.wanted()
            self._taken()
            self._came.clear()
            n = self._refill.ask(min(wanted, self._window))
            if n:
                await self._ask(n)
            await self._came.wait()
