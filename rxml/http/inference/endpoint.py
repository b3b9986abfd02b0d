"""Inference: the paths of the Open Inference Protocol."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import hdrs, web
from typing_extensions import override

from rxml.errors import PipelineError
from rxml.http.access import Right, key_of
from rxml.http.body import Body
from rxml.http.checks import is_span
from rxml.http.endpoint import Endpoint
from rxml.http.inference.codings import accepted
from rxml.http.inference.events import Events
from rxml.http.inference.messages import HEAD, OCTETS, answer, question
from rxml.http.inference.offer import Offer, offers
from rxml.http.keys import OPEN
from rxml.http.predict.answers import refusal_of
from rxml.http.predict.wishes import LONGEST, Wishes
from rxml.http.replies import HEADERS, Refusal, reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.http.inference.messages import Question
    from rxml.http.serving import Serving

EXTENSIONS: Final = ("binary_tensor_data", "schedule_policy", "model_repository", "infer_stream")
_TOLD: Final = {"name": "rxml", "version": version("rxml"), "extensions": EXTENSIONS}
_MODEL: Final = re.compile(
    r"/models/(?P<name>[^/]+)(?:/versions/(?P<number>[^/]+))?(?:/(?P<action>ready|infer|infer_stream))?"
)
_CONTROL: Final = re.compile(r"/repository/models/(?P<name>[^/]+)/(?P<action>load|unload)")
_HEALTH: Final = ("/health/live", "/health/ready")
"""Who balances the load asks these, and has no key."""
_ELEMENTS: Final = 1 << 24
"""Of a tensor, at most; bytes are bounded before that."""

_WORTH_IT: Final = 1024
"""Bytes from which on an answer is compressed for who takes that."""


class Inference(Endpoint):
    """Models under one prefix, as KServe, Triton and MLServer serve them.

    Args:
        prefix: of all paths, such as `/v2`.
        models: by name; see `App.inference`.
        control: whether models may be loaded and unloaded by request.
        deadline: seconds in which an answer is wanted where the request says nothing.
        most: bytes of a request.

    Raises:
        PipelineError: there is no model, or something is none.
    """

    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    scope: ClassVar[str] = "infer"

    def __init__(
        self, prefix: str, models: dict[str, Any], *, control: bool, deadline: float, most: int
    ) -> None:
        super().__init__(f"{prefix}/*")
        if not is_span(deadline):
            raise PipelineError(f"inference wants a deadline in seconds > 0, got {deadline!r}")
        self._prefix = prefix
        self._offers = offers(models)
        self._control = control
        self._deadline = deadline
        self._most = most

    @override
    def wants(self, path: str) -> Right:
        below = self._below(path)
        if below in _HEALTH:
            return Right(OPEN)
        if (found := _CONTROL.fullmatch(below)) is not None:
            return Right("admin", found["name"])
        found = _MODEL.fullmatch(below)
        return Right(self.scope, None if found is None else found["name"])

    def _below(self, path: str) -> str:
        return path.removeprefix(self._prefix).rstrip("/")

    @override
    def begin(self, serving: Serving) -> None:
        for offer in self._all():
            offer.begin()

    @override
    async def end(self) -> None:
        for offer in self._all():
            await offer.service.aclose()

    def ready(self) -> bool:
        """Whether all models that are meant to answer do."""
        return all(offer.ready for offer in self._all() if offer.here)

    def _all(self) -> list[Offer]:
        return [offer for versions in self._offers.values() for offer in versions.values()]

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        path = self._below(request.path)
        plain = self._plain().get((request.method, path))
        if plain is not None:
            return await plain(request)
        if (found := _MODEL.fullmatch(path)) is not None:
            return await self._of_model(request, serving, **found.groupdict())
        if (found := _CONTROL.fullmatch(path)) is not None and request.method == "POST":
            return await self._controlled(request, **found.groupdict())
        raise Refusal(404, f"nothing at {request.path[:200]}")

    def _plain(self) -> dict[tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.Response]]]:
        return {
            ("GET", ""): self._server,
            ("GET", "/health/live"): self._live,
            ("GET", "/health/ready"): self._health,
            ("POST", "/repository/index"): self._index,
        }

    async def _server(self, _: web.BaseRequest) -> web.Response:
        return reply(200, _TOLD)

    async def _live(self, _: web.BaseRequest) -> web.Response:
        return reply(200, {"live": True})

    async def _health(self, _: web.BaseRequest) -> web.Response:
        ready = self.ready()
        return reply(200 if ready else 503, {"ready": ready})

    async def _index(self, request: web.BaseRequest) -> web.Response:
        index = [
            {"name": offer.name, "version": offer.version, "state": offer.state, "reason": ""}
            for offer in self._all()
            if _shown(request, offer.name)
        ]
        return reply(200, index)

    async def _controlled(self, request: web.BaseRequest, name: str, action: str) -> web.Response:
        if not self._control:
            raise Refusal(403, "models are not loaded or unloaded by request here (control=False)")
        for offer in self._versions(request, name).values():
            if action == "unload":
                await offer.unload()
            elif not await offer.load(LONGEST):
                raise Refusal(
                    503,
                    f"model {name!r} is not ready after {LONGEST:g} s; it goes on loading",
                    headers={"Retry-After": "1"},
                )
        return reply(200, {})

    def _versions(self, request: web.BaseRequest, name: str) -> dict[str, Offer]:
        versions = self._offers.get(name)
        if versions is None:
            shown = [each for each in sorted(self._offers) if _shown(request, each)]
            raise Refusal(404, f"there is no model {name[:80]!r}", details={"models": shown})
        return versions

    def _offer(self, request: web.BaseRequest, name: str, number: str | None) -> Offer:
        versions = self._versions(request, name)
        offer = versions.get(next(reversed(versions)) if number is None else number)
        if offer is None:
            raise Refusal(
                404,
                f"model {name!r} has no version {(number or '')[:40]!r}",
                details={"versions": list(versions)},
            )
        return offer

    async def _of_model(
        self,
        request: web.BaseRequest,
        serving: Serving,
        name: str,
        number: str | None,
        action: str | None,
    ) -> web.StreamResponse:
        offer = self._offer(request, name, number)
        method = "POST" if action in ("infer", "infer_stream") else "GET"
        if request.method != method:
            raise Refusal(
                405, f"{action or 'metadata'} is asked by {method}", headers={"Allow": method}
            )
        if action is None:
            return reply(200, offer.metadata(list(self._offers[name])))
        if action == "ready":
            return reply(200 if offer.ready else 503, {"name": name, "ready": offer.ready})
        if not offer.here:
            raise Refusal(503, f"model {name!r} is not loaded", headers={"Retry-After": "1"})
        asked = await self._asked(request, serving, offer)
        wishes = Wishes(asked.within(self._deadline), asked.priority, asked.trace)
        if action == "infer":
            return await self._infer(request, serving, offer, asked, wishes)
        return await Events(request, serving, offer, asked, wishes).answer()

    async def _asked(self, request: web.BaseRequest, serving: Serving, offer: Offer) -> Question:
        body = Body(request, serving.limits, self._most)
        head = request.headers.get(HEAD)
        data = body.at_hand()
        if data is not None:
            return question(data, head, offer.signature, _ELEMENTS)
        with serving.arrivals.of(request.remote) as arrived:
            return question(await body.whole(arrived), head, offer.signature, _ELEMENTS)

    async def _infer(
        self,
        request: web.BaseRequest,
        serving: Serving,
        offer: Offer,
        asked: Question,
        wishes: Wishes,
    ) -> web.Response:
        within, priority, trace = wishes
        try:
            result = await offer.service.ask(
                asked.batch, within=within, priority=priority, trace=trace
            )
        except Exception as error:
            raise refusal_of(error, serving.limits.retry_seconds) from error
        told = answer(offer.name, asked.request, result)
        kind = "application/json" if told.head is None else OCTETS
        headers = {**HEADERS, hdrs.CONTENT_TYPE: kind}
        if told.head is not None:
            headers[HEAD] = str(told.head)
        response = web.Response(body=told.body, headers=headers)
        coding = accepted(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        if len(told.body) >= _WORTH_IT and coding is not None:
            response.enable_compression(coding)
        return response


def _shown(request: web.BaseRequest, model: str) -> bool:
    """Whether whoever asks may know of the model."""
    key = key_of(request)
    return key is None or key.may_ask(model)


class Alias(Endpoint):
    """The prefix itself, which says what the server is.

    Args:
        path: the prefix.
        of: answers.
    """

    methods: ClassVar[tuple[str, ...]] = ("GET",)
    scope: ClassVar[str] = "infer"

    def __init__(self, path: str, of: Inference) -> None:
        super().__init__(path)
        self._of = of

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        return await self._of.answer(request, serving)
