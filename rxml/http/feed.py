"""Feed: brings the elements of a flow to a client that has no way to say how many it wants."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from rxml.http.credit import FRAME_BYTES, Portion
from rxml.http.late import Metered, rest
from rxml.http.race import race
from rxml.http.slow import Slow, TooSlowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.replay import Stand
    from rxml.http.serving import Serving

logger: Final = logging.getLogger("rxml.http")

_WAITING: Final = 64
"""Portions of 64 KiB that wait for one client as long as it is waited for, however many elements its policy allows."""


class Sink(Protocol):
    """One client, as a feed sees it. All of these wait until its socket takes more."""

    async def stand(self, stand: Stand) -> None:
        """Say where a stream with `replay` begins for this client."""
        ...

    async def elements(self, encoded: Sequence[bytes]) -> None:
        """Send elements, each as JSON."""
        ...

    async def gap(self, count: int) -> None:
        """Say that elements were skipped here."""
        ...

    async def beat(self) -> None:
        """Show that the stream is alive."""
        ...

    async def complete(self) -> None:
        """Say that the stream has ended."""
        ...

    async def fail(self, code: str, message: str) -> None:
        """Say that the stream has failed, or is cut."""
        ...


class _FlowError(Exception):
    """The flow has failed, not its client."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Feed:
    """One run of a flow for one client.

    Args:
        flow: opened anew.
        sink: the client.
        serving: limits, and when the server ends.
        slow: what happens if the client does not keep up.
        key: of an element, for `latest`.
        encode: an element as JSON.
    """

    def __init__(
        self,
        flow: Flowable[Any],
        sink: Sink,
        serving: Serving,
        *,
        slow: Slow,
        key: Callable[[Any], Any] | None,
        encode: Callable[[Any], bytes],
    ) -> None:
        self._flow = flow
        self._sink = sink
        self._serving = serving
        self._slow = slow
        self._pending = slow.pending(key)
        self._portion = Portion()
        self._encode = encode
        self._more = asyncio.Event()
        self._less = asyncio.Event()
        self._sending = False
        self._ended = False

    async def run(self) -> None:
        """Until the flow has ended, the server ends, or the client is too slow or gone.

        Raises:
            ConnectionError: the client is gone.
        """
        sink = self._sink
        try:
            await race(self._deliver(), self._fill(), self._left())
        except TooSlowError:
            await self._told("slow", "the client reads too slowly")
        except _FlowError as error:
            logger.exception("a stream has failed", exc_info=error.error)
            await sink.fail("failed", self._serving.words(error.error))
        else:
            if self._ended:
                await sink.complete()
            else:
                await self._told("drain", "the server is about to end")

    async def _told(self, code: str, message: str) -> None:
        try:
            async with asyncio.timeout(min(1.0, self._serving.limits.pong_seconds)):
                await self._sink.fail(code, message)
        except TimeoutError:
            return

    async def _left(self) -> None:
        await self._serving.leaving.wait()

    async def _fill(self) -> None:
        """Ask the flow for what there is room for; what came before an error is delivered before it is raised."""
        failure: Exception | None = None
        try:
            async with self._flow.open() as subscription:
                while await self._filled(subscription):
                    pass
        except TooSlowError:
            raise
        except Exception as error:  # noqa: BLE001 - raised below, as an error of the flow
            failure = error
        while self._pending or self._sending:
            self._less.clear()
            await self._less.wait()
        if failure is not None:
            raise _FlowError(failure)
        self._ended = True

    async def _filled(self, subscription: Subscription[Any]) -> bool:
        room = await self._room()
        if self._pending.late:
            return await self._modestly(subscription, room)
        return await self._took(subscription, room)

    async def _modestly(self, subscription: Subscription[Any], room: int) -> bool:
        """Take what a late client will miss anyway. A flow that has it ready is not asked as fast as it can go."""
        step = Metered(self._took(subscription, room))
        going_on = await step
        self._serving.resting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(rest(step.spent, self._serving.resting)):
                    while self._pending.late:
                        self._less.clear()
                        await self._less.wait()
        finally:
            self._serving.resting -= 1
        return going_on

    async def _took(self, subscription: Subscription[Any], room: int) -> bool:
        chunk = await subscription.request(room)
        if not chunk.end:
            self._pending.offer(chunk.elements)
            self._more.set()
        return not chunk.end

    async def _room(self) -> int:
        if self._free < 1 and not self._pending.late:
            await self._patiently()
        return min(self._free, self._portion.most) if self._free > 0 else self._portion.most

    @property
    def _free(self) -> int:
        """Elements that there is room for: by the policy, and by the bytes that they will probably take."""
        pending = self._pending
        return min(pending.room, _WAITING * self._portion.most - len(pending))

    async def _patiently(self) -> None:
        """Wait for the client, for as long as the policy says."""
        pending = self._pending
        try:
            async with asyncio.timeout(
                None if self._slow.policy == "wait" else self._slow.patience
            ):
                while self._free < 1:
                    self._less.clear()
                    await self._less.wait()
        except TimeoutError:
            pending.give_up()

    async def _deliver(self) -> None:
        beat = self._serving.limits.heartbeat_seconds
        while True:
            self._more.clear()
            try:
                async with asyncio.timeout(beat):
                    await self._more.wait()
            except TimeoutError:
                await self._sink.beat()
            self._sending = True
            while self._pending:
                await self._send(*self._pending.take(self._portion.most))
                self._less.set()
            self._sending = False
            self._pending.caught_up()
            self._less.set()

    async def _send(self, gap: int, elements: list[Any]) -> None:
        """Encode and write about 64 KiB at a time; an element is let go as soon as it is encoded."""
        if gap:
            await self._sink.gap(gap)
        elements.reverse()
        while elements:
            encoded: list[bytes] = []
            failure = self._encoded(elements, encoded)
            await self._sink.elements(encoded)
            if failure is not None:
                raise _FlowError(failure) from failure

    def _encoded(self, elements: list[Any], encoded: list[bytes]) -> Exception | None:
        size = 0
        try:
            while elements and size < FRAME_BYTES:
                encoded.append(self._encode(elements.pop()))
                size += len(encoded[-1])
        except Exception as error:  # noqa: BLE001 - raised as one of the flow
            return error
        self._portion.record(len(encoded), size)
        return None
