"""Request: aiohttp's, whose answers leave with our headers, whoever has made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from typing_extensions import override

if TYPE_CHECKING:
    from aiohttp.web import StreamResponse

HSTS: Final = "max-age=31536000"
"""A year in which a browser asks for this host by TLS only (RFC 6797)."""


class Request(web.BaseRequest):
    """The hook runs for every answer, streams and WebSockets too, just before its head is sent."""

    @override
    async def _prepare_hook(self, response: StreamResponse) -> None:
        response.headers.pop(hdrs.SERVER, None)  # says which version is to be attacked


class SecureRequest(Request):
    """The same over TLS."""

    @override
    async def _prepare_hook(self, response: StreamResponse) -> None:
        response.headers.pop(hdrs.SERVER, None)
        response.headers["Strict-Transport-Security"] = HSTS
