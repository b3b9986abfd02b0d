"""Outgoing: one stream of a session, sent as the client asks and as its socket takes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import ProtocolError
from rxml.flow.run import Run
from rxml.flow.scope import stray
from rxml.http.credit import Credit
from rxml.http.packing import OversizeError, Packing
from rxml.http.protocol import Complete, Error, Next, RawNext, Subscribe, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription
    from rxml.http.codec import Codec
    from rxml.http.link import Link
    from rxml.http.serving import Serving

logger: Final = logging.getLogger("rxml.http")


class LocalError(Exception):
    """The stream ends for a reason of the server's own.

    Args:
        code: of the frame `error`.
        message: of it.
        retry_after_ms: of it.
    """

    def __init__(self, code: str, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code: str = code
        self.retry_after_ms: int | None = retry_after_ms


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
        self._packing = Packing(frame.id, codec, serving.limits.message_bytes)
        self._granted = asyncio.Event()
        self._leaving = False
        self._run: Run[Any] | None = None

    def grant(self, n: int) -> None:
        """The client asks for n more.

        Raises:
            ProtocolError: it may not.
        """
        self._credit.grant(n)
        self._granted.set()

    async def take(self, frame: Next | RawNext | Complete, size: int) -> None:
        """A frame that the client sends up on this stream, of a message of `size` bytes.

        Raises:
            ProtocolError: nothing goes up here.
        """
        del size
        raise ProtocolError(f"{name_of(frame)} has no place here")

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
        except LocalError as error:
            return Error(self._id, error.code, str(error), error.retry_after_ms)
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
                await self._ready()
                if not await self._portion_sent(subscription):
                    return

    async def _ready(self) -> None:
        """Wait for demand, and until the socket takes more."""
        await self._demanded()
        try:
            await self._link.writable()
        except ConnectionError as error:
            raise _GoneError(error) from error

    async def _portion_sent(self, subscription: Subscription[Any]) -> bool:
        chunk = await subscription.request(min(self._credit.left, self._packing.portion.most))
        if chunk.end:
            return False
        self._credit.spend(len(chunk.elements))
        await self._packed(chunk.elements)
        return True

    async def _packed(self, elements: Sequence[Any]) -> None:
        try:
            await self._packing.send(elements, self._write)
        except OversizeError as error:
            raise LocalError("size", str(error)) from None

    async def _demanded(self) -> None:
        """Wait for demand."""
        limits = self._serving.limits
        while not self._credit.left:
            if self._leaving:
                raise LocalError("drain", "the server is about to end")
            self._granted.clear()
            try:
                async with asyncio.timeout(limits.idle_seconds):
                    await self._granted.wait()
            except TimeoutError:
                message = f"no demand for {limits.idle_seconds:g} seconds"
                raise LocalError("idle", message) from None

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
