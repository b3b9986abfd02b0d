"""Addresses to connect to, and why that failed."""

from __future__ import annotations

from errno import ECONNREFUSED
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from rxml.errors import PipelineError


def require_url(url: Any) -> None:
    """Refuse what is no URL of HTTP or WebSocket with a host.

    Raises:
        PipelineError: it is none; the message says what is wrong with it.
    """
    problem = _problem(url)
    if problem is not None:
        example = "ws://127.0.0.1:8080/predictions"
        raise PipelineError(f"connect wants a url like {example}, got {url!r}: {problem}")


def _problem(url: Any) -> str | None:
    if not isinstance(url, str):
        return "it is no str"
    try:
        parts = urlsplit(url)
        _ = parts.port  # fails if it is no number, or too large
    except ValueError as error:
        return str(error)
    if parts.scheme not in {"ws", "wss", "http", "https"}:
        return "it does not begin with ws://, wss://, http:// or https://"
    return None if parts.hostname else "it names no host"


def unreachable(error: aiohttp.ClientConnectorError) -> str:
    """Why no connection could be made, without the words of aiohttp."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no host {error.host}"
    if error.os_error.errno == ECONNREFUSED:
        return f"nothing listens at {error.host}:{error.port}"
    return f"no connection to {error.host}:{error.port}: {error.os_error.strerror}"
