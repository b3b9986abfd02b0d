"""Operators with tasks, each of which breaks one law on purpose."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from rxml.flow.kinds import boundary
from rxml.flow.node import Cardinality
from rxml.flow.operator import Operator
from rxml.flow.subscription import Subscription
from tests.unit.testing.broken.stages import Passing

if TYPE_CHECKING:
    from rxml.flow.body import Outlet
    from rxml.flow.chunk import Chunk
    from rxml.flow.env import RunEnv
    from rxml.flow.scope import Scope

AnyOperator = Operator[Any, Any]
Inlets = tuple[Subscription[Any], ...]


def with_body(body: Any, *sources: Any, **options: Any) -> AnyOperator:
    given: dict[str, Any] = {"capacity": 1, "cardinality": Cardinality.ONE, **options}
    return boundary("broken", body, *sources, **given)


async def passing(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """Passes everything on: right as it is."""
    while not (chunk := await inlets[0].request(await outlet.wanted())).end:
        outlet.channel.put(chunk)


async def overfills(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """L45: puts without asking for room."""
    while not (chunk := await inlets[0].request(1)).end:
        outlet.channel.put(chunk)
        await asyncio.sleep(0)


async def hoards(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """L51: reads everything while nobody asks, into a list that nobody sees."""
    held: list[Chunk[Any]] = []
    while not (chunk := await inlets[0].request(8)).end:
        held.append(chunk)
        if await _asked(outlet):
            await outlet.send(held.pop(0))
    for chunk in held:
        await outlet.send(chunk)


async def _asked(outlet: Outlet[Any]) -> bool:
    await asyncio.sleep(0)
    return outlet.channel.wanted > outlet.channel.size


async def races(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """L41: two workers, and whoever is first hands over first."""

    async def hand_over(item: Any) -> None:
        await asyncio.sleep(0)
        await outlet.emit(item)

    while not (chunk := await inlets[0].request(2)).end:
        workers = [outlet.spawn(hand_over(item), "worker") for item in chunk.elements]
        for worker in workers:
            await worker


async def sends_late(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """L44: what it waits for may have happened before it looked."""
    while True:
        wanted = await outlet.wanted()
        chunk = await inlets[0].request(wanted)
        if chunk.end:
            return
        outlet.channel.put(chunk)
        bell = asyncio.Event()
        if outlet.channel.size:
            # Only a task that runs between these two lines rings it.
            asyncio.get_running_loop().call_soon(bell.set if len(chunk) < 3 else bell.clear)
            await bell.wait()


async def drains_the_other(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """L42: after the first element of one flow come all of the other."""
    if not (chunk := await inlets[0].request(1)).end:
        await outlet.send(chunk)
    for inlet in reversed(inlets):
        while not (chunk := await inlet.request(await outlet.room())).end:
            await outlet.send(chunk)


async def swallows_failures(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """L35: what fails is nowhere."""
    while not (chunk := await inlets[0].request(await outlet.wanted())).end:
        if not chunk.elements:
            await outlet.send(chunk)
        for item in chunk.elements:
            with suppress(ZeroDivisionError):
                await outlet.emit(12 / item)


async def swallows_cancellation(inlets: Inlets, outlet: Outlet[Any]) -> None:
    """L40: takes a cancellation for the end."""
    with suppress(asyncio.CancelledError):
        await passing(inlets, outlet)


class FailsTooSoon(Passing):
    """L43: fails while a task of its run is still at work."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.opened is None:
            scope: Scope = vars(cast("RunEnv", self.env).run)["_scope"]
            scope.start(asyncio.sleep(10), name="worker")
        return await super().pull(n)
