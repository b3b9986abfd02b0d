"""Answers of the server other than streams: always JSON, never an exception's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from rxml.http.encode import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


class Refusal(Exception):  # noqa: N818 - an answer, not a mistake of ours
    """A request that is not taken: what the client is told.

    Attributes:
        status: of HTTP.
        reason: one sentence for people.
        headers: further ones.
        details: further fields of the answer.
        shed: why there is no room or time for it, in a word, for the metrics; None: by the status.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
        shed: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers: dict[str, str] = dict(headers or {})
        self.details: dict[str, Any] = dict(details or {})
        self.shed: str | None = shed

    def response(self) -> web.Response:
        """The answer."""
        return reply(self.status, {"error": self.reason, **self.details}, self.headers)

    def body(self) -> bytes:
        """What the answer says."""
        return to_json({"error": self.reason, **self.details}) + b"\n"


def reply(status: int, content: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    return web.Response(
        status=status,
        body=to_json(content) + b"\n",
        headers={**HEADERS, "Content-Type": "application/json", **(headers or {})},
    )
