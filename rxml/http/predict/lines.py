"""Lines: rows as NDJSON in one request, answered line by line as they come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from rxml.http.body import Body
from rxml.http.encode import to_json
from rxml.http.lines import Lines
from rxml.http.post import NDJSON
from rxml.http.predict.answers import refusal_of, told
from rxml.http.predict.lineup import ROWS, Lineup
from rxml.http.predict.wishes import IDENTITY
from rxml.http.race import race
from rxml.http.replies import Refusal
from rxml.http.sinks import LineSink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from aiohttp import web

    from rxml.http.predict.wishes import Terms
    from rxml.http.serving import Serving

_MESSAGES: Final = 4
"""Lines of full length that may be under way together, in bytes."""

_TURN: Final = 64
"""Lines that are decoded, or written, without letting others in."""


class LinesIn:
    """One request whose body is a row a line. What is under way is bounded: no more is read until answers are.

    Args:
        request: what came.
        serving: limits and turns.
        terms: how rows are answered.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        serving: Serving,
        terms: Terms,
    ) -> None:
        self._serving = serving
        self._limits = serving.limits
        self._forms = terms.forms
        self._identity = terms.wishes.identity
        self._body = Body(request, serving.limits, serving.limits.stream_bytes)
        headers = {"Content-Type": NDJSON[0], IDENTITY: terms.wishes.identity}
        self._sink = LineSink(request, serving.limits, headers)
        self._rings = asyncio.Event()
        self._room = asyncio.Event()
        self._lineup = Lineup(terms.service, terms.wishes, self._rings.set)
        self._number = 0
        self._begun = self._whole = False
        self._refusal: Refusal | None = None

    async def answer(self) -> web.StreamResponse:
        """Take rows in and send answers out until both have ended.

        Raises:
            Refusal: there is nothing to answer.
            ConnectionError: the client is gone.
        """
        try:
            await race(self._write(), self._read())
        finally:
            self._lineup.close()
        return self._sink.response

    async def _read(self) -> None:
        """Read on as there is room; what is wrong with the body as a whole is said behind the answers so far."""
        try:
            await self._lines()
        except Refusal as refusal:
            self._refusal = refusal
        self._whole = True
        self._rings.set()
        await asyncio.Event().wait()

    async def _lines(self) -> None:
        lines, limits = Lines(self._limits.line_bytes), self._limits
        clock = asyncio.get_running_loop().time
        since = clock()
        while True:
            patience = limits.idle_seconds
            if lines.begun:
                patience = max(0.0, since + limits.body_seconds - clock())
            data = await self._body.read(patience)
            since = clock() if not lines.begun or b"\n" in data else since
            await self._take(lines.feed(data) if data else lines.finish())
            if not data:
                return

    async def _take(self, lines: Sequence[bytes]) -> None:
        for number, line in enumerate(lines, 1):
            while self._full:
                self._room.clear()
                await self._room.wait()
            try:
                self._lineup.put(self._forms.line(line), 1, len(line))
            except Refusal as refusal:
                self._lineup.refuse(refusal, len(line))
            if not number % _TURN:
                await self._serving.turns.pause()
        await self._serving.turns.pause()

    @property
    def _full(self) -> bool:
        lineup = self._lineup
        return len(lineup) >= ROWS or lineup.size >= _MESSAGES * self._limits.line_bytes

    async def _write(self) -> None:
        while not (self._whole and not len(self._lineup)):
            self._rings.clear()
            if not self._lineup.ready:
                await self._rings.wait()
            await self._send()
        if self._refusal is not None and not self._begun:
            raise self._refusal
        if not self._begun:
            raise Refusal(400, "the body has no rows")
        if self._refusal is not None:
            self._sink.response.force_close()
            await self._sink.elements(
                [to_json({"error": self._refusal.reason, "status": self._refusal.status})]
            )
        await self._sink.response.write_eof()

    async def _send(self) -> None:
        while slots := self._lineup.take(_TURN):
            self._room.set()
            if not self._begun:
                self._begun = True
                await self._sink.begin()
            await self._sink.elements([self._answer(slot.result) for slot in slots])
            await self._serving.turns.pause()

    def _answer(self, result: Any) -> bytes:
        if isinstance(result, Exception):
            result = refusal_of(result, self._limits.retry_seconds)
        identity = f"{self._identity}/{self._number}"
        self._number += 1
        try:
            return to_json(told(result, identity))
        except TypeError as error:
            return to_json(told(refusal_of(error, 1), identity))
