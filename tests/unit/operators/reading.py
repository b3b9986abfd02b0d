"""Reading a run to its end, for tests of several that go on side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.context import Outcome

if TYPE_CHECKING:
    from rxml.flow.run import Run


async def exhausted(running: Run[Any], n: int = 9) -> list[Any]:
    """All elements, in chunks of n at most; each is answered."""
    got: list[Any] = []
    while not (chunk := await running.subscription.request(n)).end:
        got.extend(chunk.elements)
        for context in chunk.contexts or ():
            context.settled(Outcome.ANSWERED)
    return got
