"""Addresses to connect to, and why that failed."""

from __future__ import annotations

from errno import ECONNREFUSED
from typing import Any
from urllib.parse import urlsplit

import aiohttp


def is_url(url: Any) -> bool:
    """True for a URL of HTTP or WebSocket with a host."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port  # fails if it is no number
    except ValueError:
        return False
    return parts.scheme in ("ws", "wss", "http", "https") and bool(parts.hostname)


def unreachable(error: aiohttp.ClientConnectorError) -> str:
    """Why no connection could be made, without the words of aiohttp."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no host {error.host}"
    if error.os_error.errno == ECONNREFUSED:
        return f"nothing listens at {error.host}:{error.port}"
    return f"no connection to {error.host}:{error.port}: {error.os_error.strerror}"
