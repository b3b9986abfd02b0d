"""Running: an app is served until the process is asked to end."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from rxml.http.collecting import seldom

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from rxml.http.server import Server


async def until_signal(
    serving: AbstractAsyncContextManager[Server], ready: Callable[[Server], Any] | None
) -> None:
    """Serve until SIGINT, SIGTERM, or a word on the admin side; the first drains, a second signal cuts.

    Args:
        serving: what `App.serve` gives.
        ready: called once it listens.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    served: list[Server] = []
    early = asyncio.Event()

    def end() -> None:
        early.set()
        for server in served:
            if server.ending.is_set():
                server.hurry()
            server.ask_to_end()

    for number in numbers:
        loop.add_signal_handler(number, end)
    try:
        async with serving as server:
            served.append(server)
            if ready is not None:
                ready(server)
            with seldom():
                if not early.is_set():
                    await server.ending.wait()
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
