"""Operators written by hand, each of which breaks one law on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from rxml.errors import RxmlError
from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import stage
from rxml.flow.node import Cardinality, Env, Node
from rxml.flow.operator import Operator
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.env import RunEnv
    from rxml.flow.subscription import Subscription

AnyOperator = Operator[Any, Any]


class Passing(Stage[Any]):
    """Passes everything on: right as it is, and the base of what is wrong."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.opened: Subscription[Any] | None = None

    @property
    def head(self) -> Subscription[Any]:
        if self.opened is None:
            self.opened = self.env.open(self.node.sources[0])
        return self.opened

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        return await self.head.request(n)

    @override
    async def release(self) -> None:
        if self.opened is not None:
            await self.release_all(self.opened.cancel)


def by_hand(made: type[Any], **options: Any) -> AnyOperator:
    given: dict[str, Any] = {"cardinality": Cardinality.ONE, **options}
    return stage("broken", made, **given)


class OverEmits(Passing):
    """L1: gives what it has, whatever was asked for."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.end:
            return chunk
        more = await self.head.request(n)
        return Chunk([*chunk.elements, *more.elements]) if not more.end else chunk


class GivesNothing(Passing):
    """L1: answers with nothing now and then."""

    idle = False

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        self.idle = not self.idle
        return Chunk([]) if self.idle else await self.head.request(n)


class CopiesLists(Passing):
    """L16: takes for a list what may be a batch."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        elements: Any = chunk.elements
        if not len(elements):
            return chunk
        return Chunk(elements.copy(), chunk.contexts, **chunk.signals())


class ChangesElements(Passing):
    """L61: what somebody else may have, too, is no longer what it was."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        for element in chunk.elements:
            element["seen"] = True
        return chunk


class Raw:
    """A subscription that keeps no rules by itself."""

    def __init__(self, env: Env, node: Node) -> None:
        self.env = env
        self.node = node
        self.opened: Subscription[Any] | None = None

    async def request(self, n: int) -> Chunk[Any]:
        if self.opened is None:
            self.opened = self.env.open(self.node.sources[0])
        return await self.opened.request(n)

    async def cancel(self) -> None:
        if self.opened is not None:
            await self.opened.cancel()


class GoesOn(Raw):
    """L3: gives elements after the end."""

    ends = 0

    @override
    async def request(self, n: int) -> Chunk[Any]:
        chunk = await super().request(n)
        self.ends += chunk.end
        return Chunk([0]) if self.ends == 2 else chunk


class TakesNothingForTheEnd(Passing):
    """L3: a source that gives nothing once, which it must not, is taken to have ended."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        return chunk if len(chunk) or chunk.signalled else END


class EndsAfterFailing(Raw):
    """L3: gives the end after a failure."""

    failed = False

    @override
    async def request(self, n: int) -> Chunk[Any]:
        try:
            return END if self.failed else await super().request(n)
        except Exception:
            self.failed = True
            raise


class AsksTwiceAtOnce(Passing):
    """L4: has two requests waiting at its source."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        head = self.head
        one, two = asyncio.create_task(head.request(n)), asyncio.create_task(head.request(n))
        try:
            await asyncio.wait([one, two])
        finally:
            one.cancel()
            two.cancel()
            await asyncio.wait([one, two])
        return two.result() if two.exception() is None else one.result()


class AnswersBoth(Raw):
    """L4: a second request is answered."""

    waiting = False

    @override
    async def request(self, n: int) -> Chunk[Any]:
        if self.waiting:
            return END
        self.waiting = True
        try:
            return await super().request(n)
        finally:
            self.waiting = False


class Eager(Passing):
    """L5: opens its source before anybody asks."""

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self.early: asyncio.Task[Chunk[Any]] | None = asyncio.create_task(self.head.request(1))

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.early is not None:
            early, self.early = self.early, None
            return await early
        return await super().pull(n)

    @override
    async def release(self) -> None:
        if self.early is not None:
            self.early.cancel()
        await super().release()


class Silent(Passing):
    """L7: has nothing to say about a source that has nothing."""

    some = False

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.end and not self.some:
            await asyncio.get_running_loop().create_future()
        self.some = True
        return chunk


class KeepsOpen(Passing):
    """L8: leaves its source open."""

    @override
    async def release(self) -> None:
        pass


class CancelRaises(Passing):
    """L8: cancel raises."""

    @override
    async def cancel(self) -> None:
        await super().cancel()
        raise RxmlError("cancelled already")


class TakesAnyDemand(Passing):
    """L9: lets a demand of 0 pass for 1."""

    @override
    async def request(self, n: int) -> Chunk[Any]:
        return await super().request(n if n.__class__ is int and n > 0 else 1)


class Recurses(Passing):
    """L10: goes one call deeper for each element."""

    depth = 0

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        self.depth += 1
        self._go_down(self.depth)
        return await self.head.request(1)

    def _go_down(self, depth: int) -> None:
        if depth:
            self._go_down(depth - 1)


class TakesItsTime(Passing):
    """L11: a second for each chunk, and does not say so."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        await self.env.clock.sleep(1.0)
        return await self.head.request(n)


class NeverGivesWay(Passing):
    """L11: consumes all there is in one turn of the loop."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while not (chunk := await self.head.request(n)).end:
            pass
        return chunk


class CountsDemand(Passing):
    """L15: the result tells what was asked for."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.end:
            return chunk
        return Chunk([min(n, 4)] * len(chunk), chunk.contexts, **chunk.signals())


class KnowsFusion(Passing):
    """L17: differs when stages are fused."""

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        fused = cast("RunEnv", self.env).run.fuse
        if chunk.end or fused:
            return chunk
        return Chunk([-1] * len(chunk), chunk.contexts, **chunk.signals())
