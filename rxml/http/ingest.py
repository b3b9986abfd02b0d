"""Ingest: a path to which elements are posted, or on whose WebSocket they are sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NoReturn, TypeVar

from aiohttp import hdrs
from typing_extensions import override

from rxml.errors import PipelineError
from rxml.http.body import Body
from rxml.http.decode import ElementError, Intake, json_items, msgpack_items
from rxml.http.endpoint import Endpoint, is_upgrade
from rxml.http.inbox import Inbox
from rxml.http.ingest_socket import converse
from rxml.http.lines import Lines
from rxml.http.outcome import Outcome
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from rxml.http.serving import Serving

T = TypeVar("T")

JSON: Final = "application/json"
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
MSGPACK: Final = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
_BLOCK: Final = 256


class Ingest(Endpoint, Generic[T]):
    """Takes elements as JSON, NDJSON, msgpack, or over a WebSocket, as fast as the run asks for them.

    Args:
        path: of the URL.
        schema: what an element must be; None for any JSON object.
        deadline: seconds that an element may wait to be asked for, over HTTP.
        capacity: elements that may wait before anybody asks for them.

    Raises:
        PipelineError: the schema is no type that can be decoded to, or a number is out of range.
    """

    methods: ClassVar[tuple[str, ...]] = ("POST", "GET")

    def __init__(
        self, path: str, schema: type[T] | None, *, deadline: float, capacity: int
    ) -> None:
        super().__init__(path)
        if not deadline > 0:
            raise PipelineError(f"ingest({path}) wants a deadline in seconds > 0, got {deadline!r}")
        if capacity.__class__ is not int or capacity < 0:
            raise PipelineError(f"ingest({path}) wants a capacity >= 0 elements, got {capacity!r}")
        self.inbox: Inbox[T] = Inbox(path, capacity)
        self.schema = schema
        self._deadline = deadline
        self._reads: asyncio.Semaphore | None = None
        Intake(schema)

    @override
    def begin(self, serving: Serving) -> None:
        self.inbox.begin()
        self._reads = asyncio.Semaphore(serving.limits.bodies)

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        if is_upgrade(request):
            return await converse(request, serving, self.inbox, Intake(self.schema))
        if request.method != "POST":
            raise Refusal(
                426,
                f"{self.path} takes elements: POST {JSON}, {NDJSON[0]} or {MSGPACK[0]}, or open a WebSocket",
                headers={"Allow": "POST", "Upgrade": "websocket"},
            )
        return await _Post(self, request, serving, self._deadline).answer(self._reads)


class _Post(Generic[T]):
    """One POST."""

    def __init__(
        self, ingest: Ingest[T], request: web.BaseRequest, serving: Serving, deadline: float
    ) -> None:
        self._inbox = ingest.inbox
        self._intake: Intake[T] = Intake(ingest.schema)
        self._request = request
        self._limits = serving.limits
        self._deadline = deadline
        self._outcome = Outcome(serving.limits)
        self._path = ingest.path

    async def answer(self, reads: asyncio.Semaphore | None) -> web.StreamResponse:
        kind = self._request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
        try:
            if kind in NDJSON:
                await self._lines()
            elif reads is not None and (kind == JSON or kind in MSGPACK):
                await self._whole(kind, reads)
            else:
                _unknown(kind)
        except Refusal as refusal:
            raise self._outcome.stopped(refusal) from None
        return self._outcome.response()

    async def _whole(self, kind: str, reads: asyncio.Semaphore) -> None:
        body = Body(self._request, self._limits, self._limits.body_bytes)
        try:
            async with asyncio.timeout(self._deadline):
                await reads.acquire()
        except TimeoutError:
            raise self._overloaded(1) from None
        try:
            await self._demanded()
            data = await body.whole()
            await self._take(self._items(kind, data))
        finally:
            reads.release()

    def _items(self, kind: str, data: bytes) -> Sequence[Any]:
        if kind == JSON:
            return json_items(data)
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
            whole = lines.feed(data) if data else lines.finish()
            if whole:
                since = clock()
            await self._take(whole)
            if not data:
                return

    async def _demanded(self) -> None:
        try:
            await self._inbox.ready(self._deadline)
        except TimeoutError:
            raise self._overloaded(1) from None

    async def _take(self, items: Sequence[Any]) -> None:
        for start in range(0, len(items), _BLOCK):
            await self._block(items[start : start + _BLOCK])

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
            else f"nothing reads {self._path} at the moment"
        )
        return Refusal(429, reason, headers={"Retry-After": str(seconds)})


def _unknown(kind: str) -> NoReturn:
    known = ", ".join((JSON, NDJSON[0], MSGPACK[0]))
    raise Refusal(415, f"Content-Type is {kind or 'missing'}; send {known}")
