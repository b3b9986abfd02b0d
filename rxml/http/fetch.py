"""Fetch: the body of an answer that goes on, read as it is wanted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp

from rxml.errors import ConnectionLost
from rxml.flow.chunk import CHUNK, Chunk
from rxml.http.address import unreachable
from rxml.http.answered import refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from rxml.flow.body import Outlet
    from rxml.http.limits import Limits

_PIECE: Final = 64 * 2**10


@asynccontextmanager
async def fetched(
    url: str, headers: Mapping[str, str], query: Mapping[str, str], limits: Limits
) -> AsyncGenerator[aiohttp.ClientResponse]:
    """The answer to a GET; whatever breaks inside is a `ConnectionLost`.

    Args:
        url: of HTTP.
        headers: of the request.
        query: that is added to the url.
        limits: `hello_seconds` until the head of the answer, `idle_seconds` between two pieces of its body.

    Raises:
        ConnectionLost: no connection, another status than 200 or 204, or it broke.
    """
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=limits.hello_seconds, sock_read=limits.idle_seconds
    )
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=_PIECE) as session:
        try:
            async with asyncio.timeout(limits.hello_seconds):
                response = await session.get(_with(url, query), headers=headers)
            try:
                if response.status not in (200, 204):
                    words = f"{url} answered {response.status}"
                    raise refused(words, response.status, response.headers)
                yield response
            finally:
                response.close()
        except ConnectionLost:
            raise
        except aiohttp.ClientConnectorError as error:
            raise ConnectionLost(f"{url}: {unreachable(error)}") from error
        except aiohttp.InvalidURL as error:
            raise ConnectionLost(f"{url}: {error}", final=True) from error
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise ConnectionLost(f"{url}: {str(error) or type(error).__name__}") from error


def _with(url: str, query: Mapping[str, str]) -> str:
    """The url with these in its query, instead of what it says there by the same names."""
    if not query:
        return url
    parts = urlsplit(url)
    kept = [each for each in parse_qsl(parts.query, keep_blank_values=True) if each[0] not in query]
    return urlunsplit(parts._replace(query=urlencode([*kept, *query.items()])))


async def piece(response: aiohttp.ClientResponse, outlet: Outlet[Any]) -> bytes:
    """What has come, once something is wanted; at most 64 KiB, empty at the end."""
    await outlet.wanted()
    return await response.content.read(_PIECE)


async def hand(elements: Sequence[Any], outlet: Outlet[Any]) -> None:
    """Hand elements over as there is room for them."""
    for start in range(0, len(elements), CHUNK):
        await outlet.send(Chunk(elements[start : start + CHUNK]))
