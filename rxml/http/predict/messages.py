"""Messages: a WebSocket without a sub-protocol on which each message asks, and is answered by one, in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import WireError
from rxml.http.encode import to_json, to_msgpack
from rxml.http.predict.answers import encoded, failure_of, refusal_of
from rxml.http.predict.forms import Form
from rxml.http.predict.lineup import ROWS, Lineup
from rxml.http.protocol import DRAIN, SHED
from rxml.http.race import race
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from rxml.http.link import Link
    from rxml.http.message import Message
    from rxml.http.predict.forms import Asked
    from rxml.http.predict.wishes import Terms
    from rxml.http.serving import Serving

_MESSAGES: Final = 4
"""Messages of full size that may be under way together, in bytes."""


class Messages:
    """One client. A message asks what the body of a request may ask, text in JSON and binary in msgpack, and its answer is
    what that of the request would be. The next message is read when there is room for it.

    Args:
        link: to the client.
        serving: limits and turns.
        terms: how rows are answered.
    """

    def __init__(
        self,
        link: Link,
        serving: Serving,
        terms: Terms,
    ) -> None:
        self._link = link
        self._serving = serving
        self._forms = terms.forms
        limits = serving.limits
        self._most = _MESSAGES * limits.message_bytes
        self._wire = limits.wire(limits.message_bytes)
        self._rings = asyncio.Event()
        self._room = asyncio.Event()
        self._identity = terms.wishes.identity
        self._lineup = Lineup(terms.service, terms.wishes, self._rings.set)
        self._results: list[Any] = []
        self._number = 0
        self._last = False

    async def run(self) -> None:
        """Until the client leaves, or the server ends and all is answered.

        Raises:
            ConnectionError: the client is gone.
        """
        try:
            await race(self._read(), self._write(), self._leave())
        finally:
            self._lineup.close()

    async def _read(self) -> None:
        while await self._wanted():
            message = await self._link.receive()
            if message is None:
                return
            if not self._last:
                self._take(message)

    async def _wanted(self) -> bool:
        """Wait for room; pings find out meanwhile whether the client has left. False if there was none for too long."""
        limits = self._serving.limits
        end = asyncio.get_running_loop().time() + limits.idle_seconds
        while (
            self._lineup.rows >= ROWS
            or len(self._lineup) >= ROWS
            or self._lineup.size >= self._most
        ):
            self._room.clear()
            try:
                async with asyncio.timeout(limits.heartbeat_seconds):
                    await self._room.wait()
            except TimeoutError:
                if asyncio.get_running_loop().time() > end:
                    self._link.close_with(SHED, "no answer was read for too long")
                    return False
                await self._link.ping()
        return True

    def _take(self, message: Message) -> None:
        lineup, size = self._lineup, len(message.data)
        try:
            asked = self._asked(message)
        except Refusal as refusal:
            lineup.refuse(refusal, size, (Form.ROW, message.text))
            return
        rows = 1 if len(asked.elements) > 1 else asked.rows
        last = len(asked.elements) - 1
        for i, element in enumerate(asked.elements):
            mark = (asked.form, message.text) if i == last else None
            lineup.put(element, rows, size if i == last else 0, mark)

    def _asked(self, message: Message) -> Asked:
        try:
            if message.text:
                return self._forms.json(message.data)
            return self._forms.msgpack(message.data, self._wire)
        except Refusal as refusal:
            refusal.reason = refusal.reason.replace("the body", "the message")
            raise

    async def _write(self) -> None:
        while not (self._last and not len(self._lineup)):
            self._rings.clear()
            if not self._lineup.ready:
                await self._rings.wait()
            while slots := self._lineup.take(ROWS):
                for slot in slots:
                    self._results.append(slot.result)
                    if slot.mark is not None:
                        await self._answer(*slot.mark)
                self._room.set()
                await self._serving.turns.pause()

    async def _answer(self, form: Form, text: bool) -> None:  # noqa: FBT001 - from a tuple
        results, self._results = self._results, []
        identity = f"{self._identity}/{self._number}"
        self._number += 1
        longest = self._serving.limits.retry_seconds
        told = [
            refusal_of(each, longest) if isinstance(each, Exception) else each for each in results
        ]
        await self._link.send(_message(form, told, identity, text=text), text=text)

    async def _leave(self) -> None:
        """Once the server ends, no more is taken, and what is under way is answered."""
        await self._serving.leaving.wait()
        self._link.close_with(DRAIN, "the server is about to end")
        self._last = True
        self._rings.set()
        await asyncio.sleep(max(0.0, self._serving.left_ms() / 1000))


def _message(form: Form, results: list[Any], identity: str, *, text: bool) -> bytes:
    """The answer to a message; one alone that failed, or cannot be said, is told so."""
    write = to_json if text else to_msgpack
    if len(results) == 1 and isinstance(results[0], Refusal):
        return write(failure_of(results[0], identity))
    try:
        return encoded(form, results, identity, msgpack=not text)
    except (TypeError, WireError) as error:
        return write(failure_of(refusal_of(error, 1), identity))
