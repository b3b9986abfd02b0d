"""Emission: the elements of one run, on their way to one subscriber as far as it has asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.chunk import CHUNK
from rxml.flow.clock import Quota
from rxml.flow.run import Run
from rxml.flow.scope import detached_task
from rxml.reactive_streams.interfaces import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Node
    from rxml.reactive_streams.interfaces import Subscriber

LIMIT: Final = 2**63 - 1
"""Demand from which on it is without limit (rule 3.17)."""


class Affine:
    """Makes calls in the thread of the loop that it was made on."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self._thread = get_ident()

    def near(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call the function now, or from another thread as soon as the loop can."""
        if get_ident() == self._thread:
            function(*arguments)
        else:
            with suppress(RuntimeError):  # the loop is closed, and all that ran on it with it
                self.loop.call_soon_threadsafe(function, *arguments)

    def report(self, error: BaseException, who: object) -> None:
        """A subscriber has raised, which it must not: told to the loop (rule 2.13)."""
        message = f"{who!r} has raised, which no subscriber may (rule 2.13); its subscription is cancelled"
        self.loop.call_exception_handler({"message": message, "exception": error})


class Wish:
    """What a subscriber has asked for and not got.

    Attributes:
        missing: elements; `LIMIT` is without limit.
        error: what is wrong with a request.
    """

    __slots__ = ("error", "missing")

    def __init__(self) -> None:
        self.missing: int = 0
        self.error: ValueError | None = None

    def add(self, n: Any) -> None:
        """Add to it; what is no positive int is an error for the subscriber (rule 3.9)."""
        if n.__class__ is not int or n < 1:
            self.error = ValueError(
                f"rule 3.9: a non-positive subscription request: request(n) wants an int >= 1, got {n!r}"
            )
        else:
            self.missing = min(LIMIT, self.missing + n)

    def take(self) -> None:
        """One was sent."""
        if self.missing < LIMIT:
            self.missing -= 1


class Emission(Subscription):
    """A run that goes on while its subscriber asks.

    All signals come from one task; `request` and `cancel` may be called from any thread, also while a signal is taken.

    Args:
        node: what runs.
        subscriber: who gets it.
        look_ahead: one element more than was asked for is taken and held, so that the end is heard of without demand.
    """

    def __init__(self, node: Node, subscriber: Subscriber[Any], *, look_ahead: bool) -> None:
        self._affine = Affine()
        self._node = node
        self._look_ahead = look_ahead
        self._subscriber: Subscriber[Any] | None = subscriber
        self._wish = Wish()
        self._asked: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._over = False

    @override
    def request(self, n: int) -> None:
        self._affine.near(self._request, n)

    @override
    def cancel(self) -> None:
        self._affine.near(self._cancel)

    def begin(self) -> None:
        """Look ahead, if that is wanted; called once `on_subscribe` has returned."""
        if self._look_ahead and not self._over:
            self._start()

    def _start(self) -> None:
        if self._task is None:
            self._task = detached_task(self._run(), name=f"publish {self._node.spec.name}")

    def broken(self, error: Exception) -> None:
        """The subscriber has raised: it counts as cancelled (rule 2.13)."""
        self._affine.report(error, self._subscriber)
        self._cancel()

    def _request(self, n: int) -> None:
        if self._over:
            return
        self._wish.add(n)
        if self._task is None:
            self._start()
        elif self._wish.error is not None:
            self._interrupt()
        elif self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    def _cancel(self) -> None:
        self._over = True
        self._subscriber = None  # rule 3.13
        self._interrupt()

    def _interrupt(self) -> None:
        if self._task is not None and asyncio.current_task() is not self._task:
            self._task.cancel()

    async def _run(self) -> None:
        error: Exception | None = None
        try:
            error = await self._serve()
        except asyncio.CancelledError:
            if self._over or self._wish.error is None:
                raise
        except Exception as raised:  # noqa: BLE001 - finalizers of the run have failed
            error = raised
        self._end(self._wish.error or error)

    async def _serve(self) -> Exception | None:
        """Send until the end; returns what the stream failed with, after the run has been closed."""
        quota = Quota(CHUNK)
        async with Run[Any](self._node) as run:
            while self._look_ahead or await self._wanted():
                try:
                    chunk = await run.subscription.request(quota.of(max(1, self._wish.missing)))
                except Exception as error:  # noqa: BLE001 - signalled when the run is closed
                    return error
                if chunk.end or (len(chunk.elements) and not await self._wanted()):
                    return None
                began = run.clock.busy()
                self._send(chunk.elements)
                quota.record(len(chunk.elements), run.clock.busy() - began)
        return None

    async def _wanted(self) -> bool:
        """Wait until something is; False if nothing will be any more."""
        while not self._over and self._wish.error is None:
            if self._wish.missing:
                return True
            self._asked = self._affine.loop.create_future()
            await self._asked
        return False

    def _send(self, elements: Any) -> None:
        for element in elements:
            if self._subscriber is None or self._wish.error is not None:
                return
            self._wish.take()
            try:
                self._subscriber.on_next(element)
            except Exception as error:  # noqa: BLE001 - the subscriber's own
                self.broken(error)

    def _end(self, error: Exception | None) -> None:
        subscriber, self._subscriber = self._subscriber, None
        if subscriber is None or self._over:
            return
        self._over = True
        try:
            if error is None:
                subscriber.on_complete()
            else:
                subscriber.on_error(error)
        except Exception as raised:  # noqa: BLE001 - the subscriber's own
            self._affine.report(raised, subscriber)
