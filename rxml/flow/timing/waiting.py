"""Waiting that ends at a moment of the run's clock."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env
    from rxml.flow.subscription import Subscription

T = TypeVar("T")


async def request_until(inlet: Subscription[T], n: int, moment: float | None) -> Chunk[T] | None:
    """Ask for a chunk and wait for it until the clock shows `moment`; None if it was not there by then.

    A request that is given up loses no element, so the next one gets what was on its way. What is ready at once is
    returned even if the moment has passed.

    Args:
        inlet: what is asked.
        n: demand in elements.
        moment: time of the run's clock in seconds; None or infinity waits for ever.

    Raises:
        Exception: what the inlet failed with, a TimeoutError of its own included.
    """
    if moment is None or moment == inf:
        return await inlet.request(n)
    failure: Exception | None = None
    chunk: Chunk[T] | None = None
    try:
        async with asyncio.timeout_at(moment):
            # A failure is kept out of the time limit's sight, which would take a TimeoutError for its own.
            try:
                chunk = await inlet.request(n)
            except Exception as error:  # noqa: BLE001 - raised again below
                failure = error
    except TimeoutError:
        return None
    if failure is not None:
        raise failure
    return chunk


@contextmanager
def drain_noticed(env: Env) -> Generator[asyncio.Event]:
    """An event that is set when the run is drained: flows that drive an operator end then for no reason of their own."""
    bell = asyncio.Event()
    delist = env.enlist(bell.set, endless=True)
    try:
        yield bell
    finally:
        delist()


async def rung(bell: asyncio.Event, moment: float | None) -> bool:
    """Wait for the event until the clock shows `moment` (None: for ever); whether the event has come."""
    if moment is None or moment == inf:
        return await bell.wait()
    try:
        async with asyncio.timeout_at(moment):
            return await bell.wait()
    except TimeoutError:
        return False
