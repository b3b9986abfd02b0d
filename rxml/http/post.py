"""Post: one request that brings elements."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from aiohttp import hdrs

from rxml.http.body import Body
from rxml.http.decode import ElementError, json_items, msgpack_items
from rxml.http.inbox import DesertedError
from rxml.http.lines import Lines
from rxml.http.outcome import Outcome
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from rxml.http.decode import Intake
    from rxml.http.inbox import Inbox
    from rxml.http.pool import Pool
    from rxml.http.serving import Serving

T = TypeVar("T")

JSON: Final = "application/json"
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
MSGPACK: Final = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
_BLOCK: Final = 256


class Post(Generic[T]):
    """One POST.

    Args:
        request: what came.
        serving: limits and turns.
        inbox: where elements go.
        intake: what they must be.
        pool: bytes that decoded elements of this path may take.
        deadline: seconds that an element may wait to be wanted.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        serving: Serving,
        inbox: Inbox[T],
        *,
        intake: Intake[T],
        pool: Pool,
        deadline: float,
    ) -> None:
        self._request = request
        self._serving = serving
        self._limits = serving.limits
        self._inbox = inbox
        self._intake = intake
        self._pool = pool
        self._deadline = deadline
        self._outcome = Outcome(serving.limits)

    async def answer(self) -> web.StreamResponse:
        """Take the elements, and tell what became of each.

        Raises:
            Refusal: it went only so far.
        """
        kind = self._request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
        try:
            if kind in NDJSON:
                await self._lines()
            elif kind == JSON or kind in MSGPACK:
                await self._whole(kind)
            else:
                _unknown(kind)
        except DesertedError as error:
            raise self._outcome.stopped(Refusal(503, str(error))) from None
        except Refusal as refusal:
            raise self._outcome.stopped(refusal) from None
        return self._outcome.response()

    async def _whole(self, kind: str) -> None:
        """The body comes as slowly as it may; what it is decoded to counts only from then on."""
        body = Body(self._request, self._limits, self._limits.body_bytes)
        with self._serving.arrivals.of(self._request.remote) as arrived:
            await self._demanded()
            data = await body.whole(arrived)
            await self._serving.turns.pause()
            weight = self._intake.weight(data, self._limits, text=kind == JSON)
            try:
                async with self._pool.hold(weight, self._deadline):
                    await self._serving.turns.pause()
                    await self._take(self._items(kind, data))
            except TimeoutError:
                raise self._overloaded(1) from None

    def _items(self, kind: str, data: bytes) -> Sequence[Any]:
        if kind == JSON:
            return json_items(data, self._limits.items)
        return msgpack_items(data, self._limits.wire(self._limits.body_bytes))

    async def _lines(self) -> None:
        body = Body(self._request, self._limits, self._limits.stream_bytes)
        lines = Lines(self._limits.line_bytes)
        clock = asyncio.get_running_loop().time
        since = clock()
        while True:
            await self._demanded()
            if lines.begun:
                patience = since + self._limits.body_seconds - clock()
            else:
                since, patience = clock(), self._limits.idle_seconds
            data = await body.read(max(0.0, patience))
            await self._serving.turns.pause()
            whole = lines.feed(data) if data else lines.finish()
            if whole:
                since = clock()
                await self._held(whole)
            if not data:
                return

    async def _held(self, lines: Sequence[bytes]) -> None:
        weight = self._intake.weight(b"", self._limits, text=True, size=sum(map(len, lines)))
        try:
            async with self._pool.hold(weight, self._deadline):
                await self._take(lines)
        except TimeoutError:
            raise self._overloaded(1) from None

    async def _demanded(self) -> None:
        try:
            await self._inbox.ready(self._deadline)
        except TimeoutError:
            raise self._overloaded(1) from None

    async def _take(self, items: Sequence[Any]) -> None:
        most = self._limits.rejects
        for start in range(0, len(items), _BLOCK):
            await self._block(items[start : start + _BLOCK])
            await self._serving.turns.pause()
            if self._outcome.rejected > most:
                raise Refusal(422, f"more than {most} elements do not fit")

    async def _block(self, items: Sequence[Any]) -> None:
        """Decode some, hand over those that fit, and note what became of each, in order."""
        valid: list[T] = []
        problems = [self._tried(item, valid) for item in items]
        handed = await self._inbox.offer(valid, self._deadline)
        left = handed
        for problem in problems:
            if problem is not None:
                self._outcome.reject(problem)
            elif left:
                self._outcome.accept(1)
                left -= 1
            else:
                raise self._overloaded(len(valid) - handed)

    def _tried(self, item: Any, valid: list[T]) -> str | None:
        """Decode one: add it to those that are valid, or tell what is wrong with it."""
        try:
            valid.append(self._decoded(item))
        except ElementError as error:
            return str(error)
        return None

    def _decoded(self, item: Any) -> T:
        return self._intake.json(item) if isinstance(item, bytes) else self._intake.value(item)

    def _overloaded(self, count: int) -> Refusal:
        seconds = self._inbox.retry_after(count, self._limits.retry_seconds)
        reason = (
            f"not taken within {self._deadline:g} seconds"
            if self._inbox.reading
            else f"nothing reads {self._inbox.path} at the moment"
        )
        return Refusal(429, reason, headers={"Retry-After": str(seconds)})


def _unknown(kind: str) -> NoReturn:
    known = ", ".join((JSON, NDJSON[0], MSGPACK[0]))
    hint = f"(curl: -H 'content-type: {JSON}')"
    raise Refusal(415, f"Content-Type is {kind or 'missing'}; send {known} {hint}")
