"""Ingest: a path to which elements are posted, or on whose WebSocket they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.http.checks import is_span
from rxml.http.decode import Intake
from rxml.http.endpoint import Endpoint, is_upgrade
from rxml.http.inbox import Inbox
from rxml.http.ingest_socket import converse
from rxml.http.pool import Pool
from rxml.http.post import JSON, MSGPACK, NDJSON, Post
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.http.serving import Serving

T = TypeVar("T")


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
    scope: ClassVar[str] = "ingest"
    sockets: ClassVar[bool] = True

    def __init__(
        self, path: str, schema: type[T] | None, *, deadline: float, capacity: int
    ) -> None:
        super().__init__(path)
        if not is_span(deadline):
            raise PipelineError(f"ingest({path}) wants a deadline in seconds > 0, got {deadline!r}")
        if capacity.__class__ is not int or capacity < 0:
            raise PipelineError(f"ingest({path}) wants a capacity >= 0 elements, got {capacity!r}")
        self.inbox: Inbox[T] = Inbox(path, capacity)
        self.schema = schema
        self._deadline = deadline
        self._pool: Pool | None = None
        Intake(schema)

    @override
    def begin(self, serving: Serving) -> None:
        self.inbox.begin()
        self._pool = Pool(serving.limits.decoding_bytes)

    @override
    def bereft(self) -> str | None:
        return self.inbox.desert()

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        intake = Intake(self.schema)
        pool = self._pool or Pool(serving.limits.decoding_bytes)
        if is_upgrade(request):
            return await converse(request, serving, self.inbox, intake, pool)
        if request.method != "POST":
            raise Refusal(
                426,
                f"{self.path} takes elements: POST {JSON}, {NDJSON[0]} or {MSGPACK[0]}, or open a WebSocket",
                headers={"Allow": "POST", "Upgrade": "websocket"},
            )
        post = Post(request, serving, self.inbox, intake=intake, pool=pool, deadline=self._deadline)
        return await post.answer()
