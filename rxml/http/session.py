"""Session: one connection of `rxml.v1` on which a client subscribes to streams."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from rxml.errors import ProtocolError
from rxml.flow.scope import Scope
from rxml.http.credit import checked
from rxml.http.protocol import (
    DRAIN,
    HELLO_TIMEOUT,
    Cancel,
    Complete,
    Drain,
    Error,
    Next,
    RawNext,
    Request,
    Subscribe,
    name_of,
)
from rxml.http.race import race

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.http.codec import Codec
    from rxml.http.link import Link
    from rxml.http.serving import Serving


class Talk(Protocol):
    """One stream of a session."""

    async def run(self) -> None:
        """Until it has ended; then say so."""
        ...

    def grant(self, n: int) -> None:
        """The client asks for n more."""
        ...

    async def take(self, frame: Next | RawNext | Complete, size: int) -> None:
        """A frame that the client sends up, of a message of `size` bytes."""
        ...

    def leave(self) -> None:
        """The server ends."""
        ...


class Session:
    """Runs the streams of one client, each in a task of its own.

    Args:
        link: the WebSocket; it is greeted already.
        codec: of its sub-protocol.
        serving: limits, and when the server ends.
        opened: the stream of a `subscribe`, or why there is none.
        takes_in: clients send elements up, too.
    """

    def __init__(
        self,
        link: Link,
        codec: Codec,
        serving: Serving,
        opened: Callable[[Subscribe], Talk | Error],
        *,
        takes_in: bool = False,
    ) -> None:
        self._link = link
        self._codec = codec
        self._serving = serving
        self._opened = opened
        self._takes_in = takes_in
        self._scope = Scope()
        self._streams: dict[int, tuple[Talk, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Until the client or the server ends.

        Raises:
            ProtocolError: the client broke the rules.
            ConnectionError: the client is gone.
        """
        try:
            await race(self._listen(), self._watch(), self._left())
        finally:
            await self._scope.aclose()

    async def _listen(self) -> None:
        while (message := await self._link.receive()) is not None:
            frame = self._codec.from_client(message.data, text=message.text)
            if frame.__class__ is Next and self._takes_in:
                if (found := self._streams.get(frame.id)) is not None:
                    await found[0].take(frame, len(message.data))
            elif isinstance(frame, Subscribe):
                await self._subscribe(frame)
            elif isinstance(frame, Request):
                self._grant(frame)
            elif isinstance(frame, Cancel):
                self._cancel(frame.id)
            elif self._takes_in and isinstance(frame, Next | RawNext | Complete):
                await self._take(frame, len(message.data))
            else:
                raise ProtocolError(f"{name_of(frame)} has no place here")

    async def _take(self, frame: Next | RawNext | Complete, size: int) -> None:
        """What comes for a stream that has just ended is late, not wrong."""
        if frame.id in self._streams:
            await self._streams[frame.id][0].take(frame, size)

    async def _subscribe(self, frame: Subscribe) -> None:
        if frame.id == 0 or frame.id in self._streams:
            raise ProtocolError(f"stream {frame.id} is in use; 0 always is")
        checked(frame.n)
        if len(self._scope) >= self._serving.limits.streams:
            await self._refuse(frame.id, "streams", f"{len(self._scope)} streams are open")
        elif self._serving.leaving.is_set():
            await self._refuse(frame.id, "drain", "the server is about to end")
        elif isinstance(stream := self._opened(frame), Error):
            await self._say(stream)
        else:
            self._open(frame, stream)

    def _open(self, frame: Subscribe, stream: Talk) -> None:
        task = self._scope.spawn(stream.run(), name=f"stream {frame.id}")
        self._streams[frame.id] = stream, task
        task.add_done_callback(lambda _: self._closed(frame.id, task))
        self._changed.set()

    def _closed(self, id_: int, task: asyncio.Task[None]) -> None:
        if id_ in self._streams and self._streams[id_][1] is task:
            del self._streams[id_]
        self._changed.set()

    def _grant(self, frame: Request) -> None:
        """Demand for a stream that has just ended is late, not wrong."""
        checked(frame.n)
        if frame.id in self._streams and not self._serving.leaving.is_set():
            self._streams[frame.id][0].grant(frame.n)

    def _cancel(self, id_: int) -> None:
        if id_ in self._streams:
            _, task = self._streams.pop(id_)
            task.cancel()

    async def _refuse(self, id_: int, code: str, message: str) -> None:
        await self._say(Error(id_, code, message))

    async def _say(self, frame: Any) -> None:
        await self._link.say(self._codec.encode(frame), text=self._codec.text)

    async def _watch(self) -> None:
        """End a connection on which nothing has been open for too long."""
        seconds = self._serving.limits.hello_seconds
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(None if self._streams else seconds):
                    await self._changed.wait()
            except TimeoutError:
                self._link.close_with(HELLO_TIMEOUT, f"no stream open for {seconds:g} seconds")
                return

    async def _left(self) -> None:
        """Once the server ends: say so, let streams meet the demand that they have, and close."""
        serving = self._serving
        await serving.leaving.wait()
        self._link.close_with(DRAIN, "the server is about to end")
        await self._say(Drain(deadline_ms=serving.left_ms()))
        try:
            async with asyncio.timeout_at(serving.deadline):
                for stream, _ in list(self._streams.values()):
                    stream.leave()
                while self._streams:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return
