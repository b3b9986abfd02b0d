"""Which pages and names may reach the server."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import hdrs

from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

_KNOWN: Final = 128
"""Names that are remembered: most requests come for one, and taking it apart costs ten microseconds."""


class Gate:
    """Refuses requests that a browser makes for a page of somebody else.

    A request without `Origin` is not made by a page, or is one that the page could not read. With one, the page must come
    from the host that the request goes to, or be on the list. A server bound to a loopback address answers only to names
    of loopback: any other name in `Host` was made to point here (DNS rebinding).

    Args:
        host: that the server is bound to.
        origins: further ones, such as `https://example.org`.
        hosts: further names under which a server bound to loopback is known.
    """

    def __init__(self, host: str, origins: Iterable[str], hosts: Iterable[str]) -> None:
        self._origins = {origin.rstrip("/").lower() for origin in origins}
        self._hosts = {name.lower() for name in hosts}
        self._local = is_loopback(host)

    def knows(self, host: str) -> bool:
        """Whether requests to that host pass, if they come from no page."""
        return not self._local or self._admits(_name(host.lower()))

    def _admits(self, name: str) -> bool:
        return is_loopback(name) or name in self._hosts

    def check(self, request: web.BaseRequest) -> None:
        """Let the request pass.

        Raises:
            Refusal: 403 for its origin, 421 for its host.
        """
        host = request.headers.get(hdrs.HOST, "").lower()
        if not self.knows(host):
            raise Refusal(
                421, f"this server is not {host[:200]!r}; hosts=[...] admits further names"
            )
        origin = request.headers.get(hdrs.ORIGIN, "").lower()
        if origin and not _own(origin, host) and origin not in self._origins:
            raise Refusal(
                403, f"origin {origin[:200]!r} is not admitted; origins=[...] admits further ones"
            )

    def admitted(self, request: web.BaseRequest) -> dict[str, str]:
        """Headers that let a page of a listed origin read the answer."""
        origin = request.headers.get(hdrs.ORIGIN, "")
        if origin.lower() not in self._origins:
            return {}
        return {
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, Content-Encoding",
            hdrs.VARY: "Origin",
        }


def _own(origin: str, host: str) -> bool:
    return bool(host) and _netloc(origin) == host


def _netloc(url: str) -> str:
    """The `host:port` of a URL; empty if it is none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


@lru_cache(_KNOWN)
def _name(netloc: str) -> str:
    """The host of `host:port`, without the brackets of IPv6; empty if it is none."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


@lru_cache(_KNOWN)
def is_loopback(name: str) -> bool:
    """True for a name or an address of this machine alone."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
