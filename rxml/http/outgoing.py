"""Outgoing: one stream of a session, sent as the client asks and as its socket takes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from rxml.batch import Batch
from rxml.flow.buffers.weigh import weigh
from rxml.flow.run import Run
from rxml.flow.scope import stray
from rxml.http.credit import FRAME_BYTES, Credit, Portion
from rxml.http.protocol import Complete, Error, Subscribe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.codec import Codec
    from rxml.http.link import Link
    from rxml.http.serving import Serving

logger: Final = logging.getLogger("rxml.http")

_SAMPLE: Final = 8
_HEAVY: Final = 8 * FRAME_BYTES
"""Bytes in memory above which elements are encoded in parts; small ones weigh several times what they take on the wire."""


class _LocalError(Exception):
    """The stream ends for a reason of the server's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Outgoing:
    """One run of a flow for one subscription.

    Takes from the flow at most what the client has asked for, at most a frame's worth, and only while the transport takes
    more: what a stalled client costs is one such portion.
    """

    def __init__(
        self, frame: Subscribe, flow: Flowable[Any], link: Link, codec: Codec, serving: Serving
    ) -> None:
        self._id = frame.id
        self._deadline = None if frame.deadline_ms is None else frame.deadline_ms / 1000
        self._flow = flow
        self._link = link
        self._codec = codec
        self._serving = serving
        self._credit = Credit()
        self._credit.grant(frame.n)
        self._portion = Portion()
        self._granted = asyncio.Event()
        self._leaving = False
        self._run: Run[Any] | None = None
        self._seq = 0

    def grant(self, n: int) -> None:
        """The client asks for n more.

        Raises:
            ProtocolError: it may not.
        """
        self._credit.grant(n)
        self._granted.set()

    def leave(self) -> None:
        """No more demand is coming: let sources end, and end when what is on its way has come through."""
        self._leaving = True
        self._granted.set()
        if self._run is not None:
            self._run.finish()

    async def run(self) -> None:
        """Until the flow has ended or failed; then say so."""
        try:
            last = await self._result()
            await self._link.send(self._last(last), text=self._codec.text)
        except ConnectionError:
            return

    def _last(self, frame: Complete | Error) -> bytes:
        """The frame that ends the stream: there must be one, whatever its words are."""
        try:
            return self._codec.encode(frame)
        except Exception:
            logger.exception("words that cannot be sent")
            return self._codec.encode(Error(self._id, "failed"))

    async def _result(self) -> Complete | Error:
        limit = asyncio.timeout(self._deadline)
        try:
            async with limit:
                await self._flowing()
        except _LocalError as error:
            return Error(self._id, error.code, str(error))
        except TimeoutError as error:
            if limit.expired():
                return Error(self._id, "deadline", "the deadline has passed")
            return self._failed(error)
        except _GoneError as error:
            raise error.error from None
        except Exception as error:  # noqa: BLE001 - told to the client and logged
            return self._failed(error)
        except asyncio.CancelledError as error:
            return self._failed(stray(error))
        return self._ended()

    def _ended(self) -> Complete | Error:
        if self._leaving:
            return Error(self._id, "drain", "the server is about to end")
        return Complete(self._id)

    def _failed(self, error: Exception) -> Error:
        logger.error("a stream has failed", exc_info=error)
        return Error(self._id, "failed", self._serving.words(error))

    async def _flowing(self) -> None:
        async with Run[Any](self._flow) as run:
            self._run, subscription = run, run.subscription
            while True:
                await self._demanded()
                try:
                    await self._link.writable()
                except ConnectionError as error:
                    raise _GoneError(error) from error
                if not await self._portion_sent(subscription):
                    return

    async def _portion_sent(self, subscription: Subscription[Any]) -> bool:
        chunk = await subscription.request(min(self._credit.left, self._portion.most))
        if chunk.end:
            return False
        self._credit.spend(len(chunk.elements))
        await self._send(chunk.elements)
        return True

    async def _demanded(self) -> None:
        """Wait for demand."""
        limits = self._serving.limits
        while not self._credit.left:
            if self._leaving:
                raise _LocalError("drain", "the server is about to end")
            self._granted.clear()
            try:
                async with asyncio.timeout(limits.idle_seconds):
                    await self._granted.wait()
            except TimeoutError:
                message = f"no demand for {limits.idle_seconds:g} seconds"
                raise _LocalError("idle", message) from None

    async def _send(self, elements: Sequence[Any]) -> None:
        """Send elements in frames; one is halved if a message does not hold it, or if one of its elements has no form."""
        at, count = 0, len(elements)
        step = min(count, self._fitting(elements))
        while at < count:
            items = elements[at : at + step]
            data = self._encoded(items if isinstance(items, list | Batch) else list(items))
            if data is None:
                step = max(1, min(step // 2, self._portion.most))
                continue
            self._portion.record(len(items), len(data))
            at += len(items)
            self._seq += len(items)
            await self._write(data)

    def _fitting(self, elements: Sequence[Any]) -> int:
        """How many of them to encode at once: what some of them weigh tells before they are encoded."""
        count = len(elements)
        some = elements if isinstance(elements, Batch) else elements[:: count // _SAMPLE + 1]
        weight = weigh(some) * count // len(some)
        return count if weight <= _HEAVY else max(1, count * FRAME_BYTES // weight)

    def _encoded(self, items: Sequence[Any]) -> bytes | None:
        """The frame; None if it is to be halved."""
        most = self._serving.limits.message_bytes
        try:
            data = self._codec.next(self._id, self._seq, items)
        except (TypeError, ValueError, OverflowError, RecursionError):
            if len(items) == 1:
                raise
            return None
        if len(data) <= most:
            return data
        self._portion.record(len(items), len(data))
        if len(items) == 1:
            raise _LocalError("size", f"an element has {len(data)} bytes, a message at most {most}")
        return None

    async def _write(self, data: bytes) -> None:
        try:
            await self._link.send(data, text=self._codec.text)
        except ConnectionError as error:
            raise _GoneError(error) from error


class _GoneError(Exception):
    """The client is gone; not an error of the flow."""

    def __init__(self, error: ConnectionError) -> None:
        super().__init__(error)
        self.error = error
