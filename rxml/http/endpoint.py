"""Endpoint: what answers on one path."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from aiohttp import hdrs

from rxml.errors import PipelineError
from rxml.http.access import Right
from rxml.http.checks import is_path

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.http.lane import Lane
    from rxml.http.serving import Serving


class Endpoint(ABC):
    """Answers the requests to one path.

    Attributes:
        path: of the URL.
        methods: that it answers.
        scope: of the keys that it is for, see `rxml.http.keys.SCOPES`; `open` needs none.
        sockets: it answers a WebSocket only through a `Link`, which waits for a key that came without the header. Others
            get no request without a key, whatever it says of upgrades.

    Raises:
        PipelineError: the path is none.
    """

    methods: ClassVar[tuple[str, ...]]
    scope: ClassVar[str] = "infer"
    sockets: ClassVar[bool] = False

    def __init__(self, path: str) -> None:
        if not is_path(path):
            raise PipelineError(
                f"a path is a str that begins with / and has no ? or #, got {path!r}"
            )
        self.path = path

    def wants(self, path: str) -> Right:
        """What a key must be for to get an answer at a path of this endpoint."""
        del path
        return Right(self.scope)

    def begin(self, serving: Serving) -> None:
        """Before a server begins."""
        del serving

    async def end(self) -> None:  # noqa: B027 - most have nothing to let go of
        """After the server has ended: let go of what is left."""

    def bereft(self) -> str | None:
        """After a background flow has failed: what to log if this endpoint has no reader any more."""
        return None

    def lane(self, serving: Serving) -> Lane | None:
        """Answers plain requests without a task for each; None: there is no such way. See `rxml.http.express`."""
        del serving
        return None

    @abstractmethod
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        """Answer one request whose method is one of `methods`.

        Raises:
            Refusal: it is not taken.
        """


def is_upgrade(request: web.BaseRequest) -> bool:
    """True if the client asks for a WebSocket."""
    return request.method == "GET" and request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
