"""Predict: a path where rows are answered by an operator."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from aiohttp import hdrs, web
from typing_extensions import override

from rxml.errors import OverloadError, PipelineError
from rxml.flow.service import Service
from rxml.http.body import Body
from rxml.http.checks import is_span
from rxml.http.endpoint import Endpoint, is_upgrade
from rxml.http.lane import Reply
from rxml.http.pool import Arrivals
from rxml.http.post import JSON, MSGPACK, NDJSON
from rxml.http.predict.answers import refusal_of
from rxml.http.predict.forms import Forms
from rxml.http.predict.inquiry import Inquiry, refused
from rxml.http.predict.lines import LinesIn
from rxml.http.predict.socket import converse
from rxml.http.predict.wishes import Terms, Wishing
from rxml.http.replies import HEADERS, Refusal
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.flow.node import Node
    from rxml.flow.operator import Operator
    from rxml.http.lane import Lane
    from rxml.http.limits import Limits
    from rxml.http.predict.forms import Asked
    from rxml.http.predict.wishes import Wishes
    from rxml.http.serving import Serving

_KNOWN: Final = f"{JSON}, {NDJSON[0]} or {MSGPACK[0]}"
_CROWDED: Final = "there is more to do than can be done in the time that is given"


class Predict(Endpoint):
    """Answers rows by an operator; all requests share one run of it.

    Args:
        path: of the URL.
        operator: one result for each element.
        schema: what a row must be; None: what the model wants that rows go to first, else any JSON object.
        deadline: seconds in which an answer is wanted where the client says nothing.
        capacity: elements on their way at once.
        rows: of one request.

    Raises:
        PipelineError: a stage does not give one result for each element, the schema is none, or a number is out of range.
    """

    methods: ClassVar[tuple[str, ...]] = ("POST", "GET")
    scope: ClassVar[str] = "infer"
    sockets: ClassVar[bool] = True

    def __init__(
        self,
        path: str,
        operator: Operator[Any, Any],
        *,
        schema: type[Any] | None,
        deadline: float,
        capacity: int,
        rows: int,
    ) -> None:
        super().__init__(path)
        if not is_span(deadline):
            raise PipelineError(
                f"predict({path}) wants a deadline in seconds > 0, got {deadline!r}"
            )
        self.service: Service[Any, Any] = Service(operator, capacity=capacity)
        wanted = None if schema else _wanted(self.service.flow)
        self.forms: Forms = Forms(
            schema,
            None if wanted is None else wanted.inputs,
            rows,
            uncertain=wanted is not None and wanted.propagates is not None,
        )
        self.wishing: Wishing = Wishing(deadline)
        self.capacity: int = capacity
        self._waiting: Arrivals | None = None

    @override
    def begin(self, serving: Serving) -> None:
        self._waiting = Arrivals(serving.limits.decoding_bytes)
        self.service.start()

    @override
    async def end(self) -> None:
        await self.service.aclose()

    def ready(self) -> bool:
        """Whether all that the operator needs is there, such as a model that is loaded and warm."""
        return self.service.ready

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        headers = request.headers
        wishes = self.wishing.of(headers)
        if request.method != "POST":
            return await self._socket(request, serving, wishes)
        kind = headers.get(hdrs.CONTENT_TYPE, JSON).partition(";")[0].strip().lower()
        if kind in NDJSON:
            return await LinesIn(request, serving, self._terms(wishes)).answer()
        if kind != JSON and kind not in MSGPACK:
            raise Refusal(415, f"Content-Type is {kind[:80]}; send {_KNOWN}")
        return await self._inquired(request, serving, wishes, kind)

    async def _inquired(
        self, request: web.BaseRequest, serving: Serving, wishes: Wishes, kind: str
    ) -> web.Response:
        asked = await self._asked(request, serving, kind)
        told: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        inquiry = Inquiry(
            wishes, serving.limits.retry_seconds, told.set_result, told.done, msgpack=kind != JSON
        )
        inquiry.begin(self.service, asked)
        reply = await told
        if reply.status >= 400:
            serving.metrics.shed(reply.status, reply.shed)
        return web.Response(
            body=reply.body, status=reply.status, headers={**HEADERS, **reply.headers}
        )

    @override
    def lane(self, serving: Serving) -> Lane:
        return PredictLane(self, serving)

    def _terms(self, wishes: Wishes) -> Terms:
        return Terms(self.service, self.forms, wishes)

    async def _socket(
        self, request: web.BaseRequest, serving: Serving, wishes: Wishes
    ) -> web.StreamResponse:
        if not is_upgrade(request):
            raise Refusal(
                405,
                f"{self.path} answers rows: POST {_KNOWN}, or open a WebSocket",
                headers={"Allow": "POST", "Upgrade": "websocket"},
            )
        arrivals = self._waiting or Arrivals(serving.limits.decoding_bytes)
        return await converse(request, serving, self._terms(wishes), arrivals)

    async def _asked(self, request: web.BaseRequest, serving: Serving, kind: str) -> Asked:
        limits = serving.limits
        body = Body(request, limits, limits.body_bytes)
        data = body.at_hand()
        if data is not None:
            return self.decoded(data, limits, kind)
        with serving.arrivals.of(request.remote) as arrived:
            return self.decoded(await body.whole(arrived), limits, kind)

    def decoded(self, data: bytes, limits: Limits, kind: str) -> Asked:
        """What a body asks.

        Raises:
            Refusal: it is not what its kind says, or does not fit.
        """
        if kind == JSON:
            return self.forms.json(data)
        return self.forms.msgpack(data, limits.wire(limits.body_bytes))


class _Head(NamedTuple):
    """What the head of a request says.

    Attributes:
        wishes: of the client, perhaps without a name.
        kind: of its body, as it says.
    """

    wishes: Wishes
    kind: str


class PredictLane:
    """Answers what comes in one packet (a `Lane`).

    Args:
        endpoint: whose requests.
        serving: of the server.
    """

    def __init__(self, endpoint: Predict, serving: Serving) -> None:
        self.path: str = endpoint.path
        self._endpoint = endpoint
        self._limits = serving.limits
        self._refusals: dict[tuple[int, str], Reply] = {}

    def takes(self, headers: Mapping[str, str], size: int) -> bool:
        """See `Lane.takes`."""
        kind = headers.get(hdrs.CONTENT_TYPE, JSON)
        return (kind == JSON or kind in MSGPACK) and size <= self._limits.body_bytes

    def read(self, headers: Mapping[str, str]) -> _Head | Reply:
        """See `Lane.read`; the reply to what cannot be meant."""
        try:
            wishes = self._endpoint.wishing.read(headers)
        except Refusal as refusal:
            return refused(refusal)
        return _Head(wishes, headers.get(hdrs.CONTENT_TYPE, JSON))

    def refuses(self, terms: _Head | Reply) -> Reply | None:
        """See `Lane.refuses`."""
        if isinstance(terms, Reply):
            return terms
        wait = self._endpoint.service.crowded(terms.wishes.within)
        return None if wait is None else self._shed(wait)

    def take(
        self,
        terms: _Head,
        body: bytes,
        done: Callable[[Reply], None],
        gone: Callable[[], bool],
    ) -> None:
        """See `Lane.take`."""
        endpoint, kind = self._endpoint, terms.kind
        try:
            asked = endpoint.decoded(body, self._limits, kind)
        except Refusal as refusal:
            return done(refused(refusal))
        wishes = endpoint.wishing.named(terms.wishes)
        inquiry = Inquiry(wishes, self._limits.retry_seconds, done, gone, msgpack=kind != JSON)
        return inquiry.begin(endpoint.service, asked)

    def _shed(self, wait: float) -> Reply:
        """One reply for all that are told the same `Retry-After`: refusing must cost far less than answering."""
        seconds = min(self._limits.retry_seconds, max(1, ceil(wait)))
        full = self._endpoint.service.waiting >= self._endpoint.capacity
        told = seconds, "capacity" if full else "pace"
        if told not in self._refusals:
            refusal = refusal_of(OverloadError(_CROWDED, *told), seconds)
            self._refusals[told] = refused(refusal)
        return self._refusals[told]


def _wanted(flow: Node) -> Signature | None:
    """The signature of the model that elements go to before anything else, if they do."""
    first: Node | None = None
    while flow.sources:
        first, flow = flow, flow.sources[0]
    given = () if first is None else first.spec.traits
    return next((each for each in given if isinstance(each, Signature)), None)
