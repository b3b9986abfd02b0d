"""A path that answers WebSockets by an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.http.operate import Operate
from rxml.http.protocol import MOST
from tests.http.helpers import app

if TYPE_CHECKING:
    from rxml.flow.operator import Operator
    from rxml.http import App
    from tests.http.wire_client import Client


def operated(
    operator: Operator[Any, Any], schema: Any = int, *, waiting: int = 2**26, **limits: Any
) -> App:
    """An app with the operator at `/run`."""
    service = app(**limits)
    service._add(Operate("/run", operator, schema, waiting))  # pyright: ignore[reportPrivateUsage]
    return service


async def exchange(peer: Client, items: list[Any], n: int = MOST) -> list[dict[str, Any]]:
    """Send elements as they are asked for, then complete; all frames that come but those that ask."""
    await peer.subscribe(n)
    frames: list[dict[str, Any]] = []
    left = list(items)
    while not frames or frames[-1]["type"] not in ("complete", "error"):
        frame = await peer.hear()
        if frame["type"] != "request":
            frames.append(frame)
            continue
        if left:
            await peer.say(type="next", id=1, items=left[: frame["n"]])
            left = left[frame["n"] :]
            if not left:
                await peer.say(type="complete", id=1)
    return frames
