"""Following: one client of a stream with `replay`, by demand or as its socket takes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.http.credit import FRAME_BYTES, Portion
from rxml.http.encode import to_json
from rxml.http.outgoing import LocalError, Outgoing
from rxml.http.protocol import Gap, Position, Reset
from rxml.http.race import race

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.http.codec import Codec
    from rxml.http.feed import Sink
    from rxml.http.link import Link
    from rxml.http.protocol import Subscribe
    from rxml.http.recording import Recording
    from rxml.http.replay import Stand
    from rxml.http.serving import Serving

logger: Final = logging.getLogger("rxml.http")


class Following(Outgoing):
    """A client of `rxml.v1`: elements as it asks for them; what it missed is told, or ends the stream if it did not say
    that it knows what that means.
    """

    def __init__(
        self, frame: Subscribe, recording: Recording, link: Link, codec: Codec, serving: Serving
    ) -> None:
        super().__init__(frame, recording.flow, link, codec, serving)
        self._recording = recording
        self._resume = frame.resume

    @override
    def leave(self) -> None:
        super().leave()
        self._recording.finish()

    @override
    async def _flowing(self) -> None:
        stand = self._recording.stand(self._resume)
        await self._told(stand)
        offset = stand.offset
        while True:
            await self._ready()
            most = min(self._credit.left, self._packing.portion.most)
            span = await self._recording.after(offset, most)
            if span is None:
                return
            if span.first > offset:
                await self._missed(span.first, span.first - offset)
            offset = span.first + len(span.elements)
            self._credit.spend(len(span.elements))
            await self._packed(span.elements)

    async def _told(self, stand: Stand) -> None:
        if self._resume is None:
            return
        kind = Reset if stand.reset else Position
        await self._write(self._codec.encode(kind(self._id, stand.epoch, stand.offset)))
        if stand.gap:
            await self._missed(stand.offset, stand.gap)

    async def _missed(self, offset: int, count: int) -> None:
        if self._resume is None:
            raise LocalError("gap", f"{count} elements were not read in time")
        await self._write(self._codec.encode(Gap(self._id, offset, count)))


class Follow:
    """A client without demand: what its socket takes is asked for. One that does not keep up holds nobody up as long as
    others do, costs nothing, and has a gap once it is too far behind.

    Args:
        recording: what is read.
        sink: the client.
        stand: where it begins.
        serving: limits, and when the server ends.
    """

    def __init__(self, recording: Recording, sink: Sink, stand: Stand, serving: Serving) -> None:
        self._recording = recording
        self._sink = sink
        self._stand = stand
        self._serving = serving
        self._portion = Portion()
        self._ended = False

    async def run(self) -> None:
        """Until the flow has ended or failed, or the server ends.

        Raises:
            ConnectionError: the client is gone.
        """
        await self._sink.stand(self._stand)
        await race(self._deliver(), self._left())
        if not self._ended:
            await self._drained()

    async def _drained(self) -> None:
        try:
            async with asyncio.timeout(min(1.0, self._serving.limits.pong_seconds)):
                await self._sink.fail("drain", "the server is about to end")
        except TimeoutError:
            return

    async def _left(self) -> None:
        await self._serving.leaving.wait()

    async def _deliver(self) -> None:
        offset = self._stand.offset
        try:
            while (span := await self._next(offset)) is not None:
                if span.first > offset:
                    await self._sink.gap(span.first - offset)
                await self._send(span.elements)
                offset = span.first + len(span.elements)
        except _FlowError as error:
            self._ended = True
            logger.exception("a stream has failed", exc_info=error.error)
            await self._sink.fail("failed", self._serving.words(error.error))
        else:
            self._ended = True
            await self._sink.complete()

    async def _next(self, offset: int) -> Any:
        """What comes next; signs of life go out meanwhile."""
        while True:
            limit = asyncio.timeout(self._serving.limits.heartbeat_seconds)
            try:
                async with limit:
                    return await self._recording.after(offset, self._portion.most)
            except Exception as error:
                if not limit.expired():
                    raise _FlowError(error) from error
            await self._sink.beat()

    async def _send(self, elements: Sequence[Any]) -> None:
        """Encode and write about 64 KiB at a time."""
        at = 0
        while at < len(elements):
            encoded: list[bytes] = []
            failure = _encoded(elements[at:], encoded)
            self._portion.record(len(encoded), sum(map(len, encoded)))
            await self._sink.elements(encoded)
            if failure is not None:
                raise _FlowError(failure)
            at += len(encoded)


def _encoded(elements: Sequence[Any], encoded: list[bytes]) -> Exception | None:
    """Encode about 64 KiB of them; what the first that has no form fails with."""
    size = 0
    try:
        for element in elements:
            encoded.append(to_json(element))
            size += len(encoded[-1])
            if size >= FRAME_BYTES:
                break
    except Exception as error:  # noqa: BLE001 - raised as one of the flow
        return error
    return None


class _FlowError(Exception):
    """The flow has failed, not its client."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error
