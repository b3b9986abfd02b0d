"""`rxml tail URL`."""

from __future__ import annotations

import asyncio

import msgspec

from rxml.cli.failure import CommandError
from rxml.cli.plain import plain_json
from rxml.http import connect
from rxml.http.encode import to_plain
from rxml.operators import take


def tail(url: str, count: int | None) -> None:
    """Print each element as a line of JSON; asks for more only as fast as lines are taken."""
    if "://" not in url:
        raise CommandError(f"wants a url with its scheme: did you mean ws://{url}?")
    asyncio.run(_tail(url, count))


async def _tail(url: str, count: int | None) -> None:
    flow = connect(url)
    if count is not None:
        flow = flow.pipe(take(count))
    async for element in flow:
        line = msgspec.json.encode(element, enc_hook=to_plain).decode()
        print(plain_json(line), flush=True)
