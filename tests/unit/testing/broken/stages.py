"""Operators written by hand, each of which breaks one law on purpose."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rxml.errors import RxmlError
from rxml.flow.chunk import END, UNBOUNDED, Chunk
from rxml.flow.context import Context
from rxml.flow.kinds import stage
from rxml.flow.node import Cardinality, Env, Node
from rxml.flow.operator import Operator
from rxml.flow.stage import Stage

if TYPE_CHECKING:
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

    async def pull(self, n: int) -> Chunk[Any]:
        return await self.head.request(n)

    async def release(self) -> None:
        if self.opened is not None:
            await self.release_all(self.opened.cancel)


def by_hand(made: type[Any], **options: Any) -> AnyOperator:
    return stage("broken", made, **{"cardinality": Cardinality.ONE, **options})


class OverEmits(Passing):
    """L1: gives what it has, whatever was asked for."""

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.end:
            return chunk
        more = await self.head.request(n)
        return Chunk([*chunk.elements, *more.elements]) if not more.end else chunk


class GivesNothing(Passing):
    """L1: answers with nothing now and then."""

    idle = False

    async def pull(self, n: int) -> Chunk[Any]:
        self.idle = not self.idle
        return Chunk([]) if self.idle else await self.head.request(n)


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

    async def request(self, n: int) -> Chunk[Any]:
        chunk = await super().request(n)
        self.ends += chunk.end
        return Chunk([0]) if self.ends == 2 else chunk


class TakesNothingForTheEnd(Passing):
    """L3: a source that gives nothing once, which it must not, is taken to have ended."""

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        return chunk if len(chunk) or chunk.signalled else END


class EndsAfterFailing(Raw):
    """L3: gives the end after a failure."""

    failed = False

    async def request(self, n: int) -> Chunk[Any]:
        try:
            return END if self.failed else await super().request(n)
        except Exception:
            self.failed = True
            raise


class AsksTwiceAtOnce(Passing):
    """L4: has two requests waiting at its source."""

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
        self.early = asyncio.create_task(self.head.request(1))

    async def pull(self, n: int) -> Chunk[Any]:
        if self.early is not None:
            early, self.early = self.early, None
            return await early
        return await super().pull(n)

    async def release(self) -> None:
        if self.early is not None:
            self.early.cancel()
        await super().release()


class Silent(Passing):
    """L7: has nothing to say about a source that has nothing."""

    some = False

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.end and not self.some:
            await asyncio.get_running_loop().create_future()
        self.some = True
        return chunk


class KeepsOpen(Passing):
    """L8: leaves its source open."""

    async def release(self) -> None:
        pass


class CancelRaises(Passing):
    """L8: cancel raises."""

    async def cancel(self) -> None:
        await super().cancel()
        raise RxmlError("cancelled already")


class TakesAnyDemand(Passing):
    """L9: lets a demand of 0 pass for 1."""

    async def request(self, n: int) -> Chunk[Any]:
        return await super().request(n if n.__class__ is int and n > 0 else 1)


class Recurses(Passing):
    """L10: goes one call deeper for each element."""

    depth = 0

    async def pull(self, n: int) -> Chunk[Any]:
        self.depth += 1
        self._go_down(self.depth)
        return await self.head.request(1)

    def _go_down(self, depth: int) -> None:
        if depth:
            self._go_down(depth - 1)


class TakesItsTime(Passing):
    """L11: a second for each chunk, and does not say so."""

    async def pull(self, n: int) -> Chunk[Any]:
        await self.env.clock.sleep(1.0)
        return await self.head.request(n)


class NeverGivesWay(Passing):
    """L11: consumes all there is in one turn of the loop."""

    async def pull(self, n: int) -> Chunk[Any]:
        while not (chunk := await self.head.request(n)).end:
            pass
        return chunk


class CountsDemand(Passing):
    """L15: the result tells what was asked for."""

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.end:
            return chunk
        return Chunk([min(n, 4)] * len(chunk), chunk.contexts, **chunk.signals())


class KnowsFusion(Passing):
    """L17: differs when stages are fused."""

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        fused: bool = self.env.run.fuse  # type: ignore[attr-defined]
        if chunk.end or fused:
            return chunk
        return Chunk([-1] * len(chunk), chunk.contexts, **chunk.signals())


class Swallows(Passing):
    """L31: an error of its source is an end."""

    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except Exception:  # noqa: BLE001 - which is what is wrong
            return END


class Wraps(Passing):
    """L31: an error of its source is another error."""

    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except Exception as error:
            raise RuntimeError("upstream failed") from error


class Overtakes(Passing):
    """L31: reads ahead, so that an error comes before the element in front of it."""

    ready: Chunk[Any] | None = None

    async def pull(self, n: int) -> Chunk[Any]:
        if self.ready is None:
            self.ready = await self.head.request(1)
        if self.ready.end:
            return END
        following = await self.head.request(1)
        while not following.end and not len(following):
            following = await self.head.request(1)
        chunk, self.ready = self.ready, following
        return chunk


class SwallowsCancellation(Passing):
    """L32: a cancelled request is the end."""

    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except asyncio.CancelledError:
            return END


class OpensTwice(Passing):
    """L36: opens its source a second time and leaves it open."""

    async def pull(self, n: int) -> Chunk[Any]:
        if self.opened is None:
            second = self.env.open(self.node.sources[0])
            with suppress(Exception):
                await second.request(1)
        return await self.head.request(n)


class LeaksATask(Passing):
    """L37: starts a task and lets it be."""

    async def pull(self, n: int) -> Chunk[Any]:
        self.task = asyncio.create_task(asyncio.sleep(10))
        return await self.head.request(n)


KEPT: list[Any] = []


class LeaksMemory(Passing):
    """L37: is kept by somebody."""

    async def pull(self, n: int) -> Chunk[Any]:
        KEPT[:] = [*KEPT[-50:], self]
        return await self.head.request(n)


class LosesOnCancel(Passing):
    """L38: has an element in hand while it waits for something else."""

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        await asyncio.sleep(0)
        return chunk


class ReleasesSlowly(Passing):
    """L38: its release can be interrupted half-way."""

    async def release(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await super().release()


class TakesOneMore(Passing):
    """L39: ends after two elements, but looks at a third."""

    left = 2

    async def pull(self, n: int) -> Chunk[Any]:
        while not self.left:
            if len(third := await self.head.request(1)) or third.end:
                return END
        chunk = await self.head.request(min(n, self.left))
        self.left -= len(chunk.elements)
        return chunk


class TriesAgain(Passing):
    """L40: a cancellation is a reason to open its source anew."""

    async def pull(self, n: int) -> Chunk[Any]:
        try:
            return await self.head.request(n)
        except asyncio.CancelledError:
            await self.head.cancel()
            self.opened = None
            with suppress(TimeoutError):
                await asyncio.wait_for(self.head.request(n), 0.1)
            raise


class DropsSignals(Passing):
    """L52: watermarks and barriers end here."""

    async def pull(self, n: int) -> Chunk[Any]:
        while True:
            chunk = await self.head.request(n)
            if chunk.end or len(chunk.elements):
                return chunk if chunk.end else Chunk(chunk.elements, chunk.contexts)
            if self.env.clock.held:
                await self.env.clock.breathe()


class ShiftsContexts(Passing):
    """L61: each element gets its neighbour's context."""

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        contexts = chunk.contexts
        if not contexts:
            return chunk
        return Chunk(chunk.elements, [*contexts[1:], contexts[0]], **chunk.signals())


class ChangesContexts(Passing):
    """L61: writes into a list that is not its own."""

    async def pull(self, n: int) -> Chunk[Any]:
        chunk = await self.head.request(n)
        if chunk.contexts:
            chunk.contexts[0] = Context(fact_id=chunk.contexts[0].fact_id, priority=1)
        return chunk


class Hoards(Passing):
    """L45: holds more than it declares."""

    held: list[Any]

    async def pull(self, n: int) -> Chunk[Any]:
        if self.opened is None:
            self.held = []
            self.meter.gauge = lambda: (len(self.held), None)
        while not (chunk := await self.head.request(UNBOUNDED)).end:
            self.held += chunk.elements
        if not self.held:
            return END
        out, self.held = self.held[:n], self.held[n:]
        return Chunk(out)
