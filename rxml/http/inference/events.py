"""Events: the rows of one request, answered by an event each as they are scored, and no more of them than are read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from rxml.http.encode import to_json
from rxml.http.inference.messages import answer
from rxml.http.predict.answers import refusal_of
from rxml.http.predict.lineup import Lineup
from rxml.http.sinks import BodySink

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.http.inference.messages import Question
    from rxml.http.inference.offer import Offer
    from rxml.http.predict.wishes import Wishes
    from rxml.http.serving import Serving

AHEAD: Final = 256
"""Rows that are asked for before their events are written."""

_PORTION: Final = 64


class Events:
    """An answer by server-sent events.

    Args:
        request: what came.
        serving: limits and turns.
        offer: the model.
        asked: of it.
        wishes: of the client, for each row.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        serving: Serving,
        offer: Offer,
        asked: Question,
        wishes: Wishes,
    ) -> None:
        self._serving = serving
        self._name = offer.name
        self._asked = asked
        self._sink = BodySink(request, serving.limits, {"Content-Type": "text/event-stream"})
        self._rings = asyncio.Event()
        self._lineup = Lineup(offer.service, wishes, self._rings.set)

    async def answer(self) -> web.StreamResponse:
        """Ask for rows as their answers are read.

        Raises:
            ConnectionError: the client is gone.
        """
        rows, lineup, number = self._asked.batch, self._lineup, 0
        await self._sink.begin()
        try:
            while number < len(rows) or len(lineup):
                while number < len(rows) and len(lineup) < AHEAD:
                    lineup.put(rows[number : number + 1], 1, 0, number)
                    number += 1
                self._rings.clear()
                if not lineup.ready:
                    await self._rings.wait()
                events = [self._event(slot.mark, slot.result) for slot in lineup.take(_PORTION)]
                await self._sink.write(b"".join(events))
                await self._serving.turns.pause()
            await self._sink.response.write_eof()
        finally:
            lineup.close()
        return self._sink.response

    def _event(self, index: int, result: Any) -> bytes:
        request = self._asked.request
        try:
            if isinstance(result, Exception):
                raise result  # noqa: TRY301 - as one that comes of telling it
            data = answer(self._name, request, result, {"index": index}, binary=False).body
        except Exception as error:  # noqa: BLE001 - told in the stream
            refusal = refusal_of(error, self._serving.limits.retry_seconds)
            told = {"error": refusal.reason, "status": refusal.status, "index": index}
            data = to_json(told if request.id is None else {**told, "id": request.id})
        return b"data: " + data + b"\n\n"
