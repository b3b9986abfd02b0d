"""race: several coroutines of one connection, ended by the first that ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rxml.flow.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Coroutine


def heard(task: asyncio.Future[Any]) -> None:
    """Take notice of what a task has failed with, if it has ended: nobody else will, and asyncio would log it."""
    if task.done() and not task.cancelled():
        task.exception()


async def race(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all of them until the first ends; cancel the others, wait for them, and raise what the first one raised."""
    scope = Scope()
    tasks = [scope.spawn(each, name=f"race {number}") for number, each in enumerate(coroutines)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await scope.aclose()
        for task in tasks:
            heard(task)
    for task in tasks:
        if task in done:
            task.result()
