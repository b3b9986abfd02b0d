"""Off the loop: work on models that may take long, or never end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from rxml.errors import ModelError
from rxml.models.scoring.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE: Final = 300.0
"""Seconds that loading or warming up a model may take."""

GRACE: Final = 10.0
"""Seconds of them that are waited for what nobody wants any more."""


async def off_loop(call: Callable[[], T], what: str, *, patience: float | None = None) -> T:
    """What a function gives in a thread of its own; it is given up if it takes too long, and then goes on by itself.

    If the waiting task is cancelled, it waits for the function all the same, but not for long.

    Args:
        call: the function.
        what: it does, for errors: `loading price@3`.
        patience: seconds; None: `PATIENCE`.

    Raises:
        ModelError: it has taken too long.
        Exception: what it raised.
    """
    patience = PATIENCE if patience is None else patience
    hand = Hand()
    loop = asyncio.get_running_loop()
    work = loop.run_in_executor(hand, call)
    until = loop.time() + patience
    interruption: asyncio.CancelledError | None = None
    while not work.done() and (left := until - loop.time()) > 0:
        try:
            await asyncio.wait([work], timeout=left)
        except asyncio.CancelledError as error:
            interruption = error
            until = min(until, loop.time() + GRACE)
    hand.shutdown()
    if interruption is not None:
        try:
            raise interruption
        finally:
            del interruption
    if not work.done():
        raise ModelError(f"{what} has not ended within {patience:g} s: it is given up")
    return work.result()
