"""Predict: a path where rows are answered by an operator."""

from __future__ import annotations

import asyncio
import re
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import hdrs, web
from typing_extensions import override

from rxml.errors import PipelineError
from rxml.flow.service import Service
from rxml.http.body import Body
from rxml.http.checks import is_span
from rxml.http.endpoint import Endpoint
from rxml.http.post import JSON, MSGPACK
from rxml.http.predict.answers import encoded, refusal_of
from rxml.http.predict.forms import Forms
from rxml.http.replies import HEADERS, Refusal
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from rxml.batch import Schema
    from rxml.flow.node import Node
    from rxml.flow.operator import Operator
    from rxml.http.limits import Limits
    from rxml.http.predict.forms import Asked
    from rxml.http.serving import Serving

TIMEOUT: Final = "X-Request-Timeout-Ms"
PRIORITY: Final = "X-Request-Priority"
IDENTITY: Final = "X-Request-Id"
_IDENTITY: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LONGEST: Final = 30.0
"""Seconds that a client may have its request wait."""


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

    methods: ClassVar[tuple[str, ...]] = ("POST",)
    scope: ClassVar[str] = "infer"

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
        self.forms: Forms = Forms(schema, None if schema else _wanted(self.service.flow), rows)
        self._deadline = deadline
        self._prefix = token_hex(4)
        self._numbers = count()

    @override
    def begin(self, serving: Serving) -> None:
        self.service.start()

    @override
    async def end(self) -> None:
        await self.service.aclose()

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        if request.method != "POST":
            raise Refusal(
                405,
                f"{self.path} answers rows: POST {JSON} or {MSGPACK[0]}",
                headers={"Allow": "POST"},
            )
        headers = request.headers
        kind = headers.get(hdrs.CONTENT_TYPE, JSON).partition(";")[0].strip().lower()
        if kind != JSON and kind not in MSGPACK:
            raise Refusal(415, f"Content-Type is {kind}; send {JSON} or {MSGPACK[0]}")
        within, priority = self._wishes(request)
        asked = await self._asked(request, serving, kind)
        identity = self.identity(headers.get(IDENTITY))
        results = await self.asked(asked, within, priority, identity, serving)
        msgpack = kind != JSON
        failed = sum(isinstance(each, Refusal) for each in results)
        return web.Response(
            body=encoded(asked.form, results, identity, msgpack=msgpack),
            status=207 if failed else 200,
            headers={
                **HEADERS,
                "Content-Type": MSGPACK[0] if msgpack else JSON,
                IDENTITY: identity,
            },
        )

    def identity(self, given: str | None) -> str:
        """What the client calls its request, if that is a plain word; else a name of its own."""
        if given is not None and _IDENTITY.fullmatch(given):
            return given
        return f"{self._prefix}-{next(self._numbers)}"

    def _wishes(self, request: web.BaseRequest) -> tuple[float, int]:
        headers = request.headers
        within, priority = headers.get(TIMEOUT), headers.get(PRIORITY)
        return (
            self._deadline
            if within is None
            else _number(TIMEOUT, within, 1, 1000 * _LONGEST) / 1000,
            0 if priority is None else int(_number(PRIORITY, priority, -100, 100)),
        )

    async def _asked(self, request: web.BaseRequest, serving: Serving, kind: str) -> Asked:
        limits = serving.limits
        body = Body(request, limits, limits.body_bytes)
        data = body.at_hand()
        if data is not None:
            return self._decoded(data, limits, kind)
        with serving.arrivals.of(request.remote) as arrived:
            return self._decoded(await body.whole(arrived), limits, kind)

    def _decoded(self, data: bytes, limits: Limits, kind: str) -> Asked:
        if kind == JSON:
            return self.forms.json(data)
        return self.forms.msgpack(data, limits.wire(limits.body_bytes))

    async def asked(
        self, asked: Asked, within: float, priority: int, identity: str, serving: Serving
    ) -> list[Any]:
        """The answers to what one request asks; of several rows, those that failed are Refusals.

        Raises:
            Refusal: there is no answer at all.
        """
        ask = self.service.ask
        longest = serving.limits.retry_seconds
        if len(asked.elements) == 1:
            try:
                return [
                    await ask(asked.elements[0], within=within, priority=priority, trace=identity)
                ]
            except Exception as error:
                raise refusal_of(error, longest) from error
        asks = [
            ask(each, within=within, priority=priority, trace=identity) for each in asked.elements
        ]
        results: list[Any] = await asyncio.gather(*asks, return_exceptions=True)
        told = [
            refusal_of(each, longest) if isinstance(each, BaseException) else each
            for each in results
        ]
        if all(isinstance(each, Refusal) for each in told):
            raise told[0]
        return told


def _number(name: str, given: str, least: float, most: float) -> float:
    try:
        value = float(given)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise Refusal(400, f"{name} is a number from {least:g} to {most:g}, got {given[:40]!r}")
    return value


def _wanted(flow: Node) -> Schema | None:
    """The inputs of the model that elements go to before anything else, if they do."""
    first: Node | None = None
    while flow.sources:
        first, flow = flow, flow.sources[0]
    given = () if first is None else first.spec.traits
    return next((each.inputs for each in given if isinstance(each, Signature)), None)
