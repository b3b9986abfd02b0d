"""Seeing off: what a thread still does for a stage that is released."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.scope import settled

if TYPE_CHECKING:
    import asyncio

    from rxml.flow.node import Env


async def seen_off(work: asyncio.Future[Any] | None, env: Env) -> None:
    """Wait for what is being done; if it fails now, there is nobody else to hear of it.

    Args:
        work: of the thread; None if there is none.
        env: of the stage.
    """
    if work is None:
        return
    told = work.done()
    await settled([work])
    error = None if work.cancelled() else work.exception()
    if error is not None and not told:
        env.report(error)
