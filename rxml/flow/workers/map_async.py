"""MapAsyncStage: a coroutine function on several elements at once, by a fixed set of workers."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from rxml.flow.check import explained
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import FIRST, HOLD, Quota
from rxml.flow.context import BESIDE, drop
from rxml.flow.scope import Scope, calm, settled, unasked
from rxml.flow.stage import Stage
from rxml.flow.stragglers import Stragglers
from rxml.flow.verdict import verdict
from rxml.flow.workers.turnstile import (
    DONE,
    FAILED,
    LEFT_OUT,
    RUNNING,
    AsTheyCome,
    Entry,
    InOrder,
    Turnstile,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class MapAsyncStage(Stage[Any]):
    """One task takes elements in while there is room, workers work on them, the reader takes results out.

    Args:
        env: of the run.
        node: the stage.
        function: gives an awaitable for an element.
        concurrency: how many workers there are at most.
        ordered: results leave in the order of the elements, else as they come.
        key: elements of one key are worked on one after the other.
        capacity: elements held at most: waiting, worked on, or done and not taken; None: as many as the node declares.
    """

    def __init__(
        self,
        env: Env,
        node: Node,
        function: Callable[[Any], Awaitable[Any]],
        *,
        concurrency: int,
        ordered: bool,
        key: Callable[[Any], Hashable] | None,
        capacity: int | None = None,
    ) -> None:
        super().__init__(env, node)
        self._function = function
        self._concurrency = concurrency
        self._key = key
        self._capacity = node.spec.capacity if capacity is None else capacity
        self._ordered = ordered and key is None
        self._turnstile: Turnstile = InOrder() if self._ordered else AsTheyCome()
        self._quota = Quota(CHUNK, CHUNK if key is None else FIRST)
        self._scope = Scope()
        # Of one key nothing is begun before all that was done for the one before has ended.
        self._stragglers = Stragglers(concurrency if key is None else 0)
        self._head: Subscription[Any] | None = None
        self._workers = 0
        self._free: list[asyncio.Future[None]] = []
        self._work: deque[Entry] = deque()
        self._lanes: dict[Hashable, deque[Entry]] = {}
        self._leaving: list[asyncio.Task[None]] = []
        self._over = False
        self._closing = False
        self._cut = False
        self._error: Exception | None = None
        self._bell: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.meter.gauge = lambda: (self._turnstile.held, None)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._head is None:
            self._head = self.env.open(self.node.sources[0])
            self._scope.start(self._intake(self._head), name=f"{self.node.spec.name}: intake")
        turnstile, clock = self._turnstile, self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            chunk = turnstile.take(n)
            self._make_room()
            if chunk.elements or chunk.signalled:
                return chunk
            if turnstile.error is not None:
                raise turnstile.error
            if turnstile.held == 0 and self._over:
                return self._last()
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell

    def _last(self) -> Chunk[Any]:
        if self._error is not None:
            raise self._error
        return END

    @override
    async def release(self) -> None:
        cancels = [] if self._head is None else [self._head.cancel]
        ends = (self._see_off, self._scope.aclose, self._stragglers.aclose, self._let_go)
        await self.release_all(*ends, *cancels)

    async def _let_go(self) -> None:
        """What nobody takes any more ends as dropped."""
        self._drop(self._turnstile.clear())

    def _drop(self, entries: list[Entry]) -> None:
        self.meter.dropped += sum(each.progress in (RUNNING, DONE) for each in entries)
        drop(each.context for each in entries)

    async def _see_off(self) -> None:
        """Wait for those that were cancelled before: a second time would interrupt what they do to leave."""
        self._closing = True
        await settled(self._leaving)

    def _ring(self) -> None:
        """Wake the reader."""
        bell, self._bell = self._bell, None
        if bell is not None and not bell.done():
            bell.set_result(None)

    def _make_room(self) -> None:
        """Wake the intake, if there is room."""
        room = self._room
        if room is not None and not room.done() and self._roomy() > 0:
            room.set_result(None)

    def _roomy(self) -> int:
        closed = self._cut or self._turnstile.shut
        return 0 if closed else self._capacity - self._turnstile.held

    async def _intake(self, head: Subscription[Any]) -> None:
        loop = asyncio.get_running_loop()
        try:
            while not self._cut:
                while (room := self._roomy()) < 1:
                    self._room = loop.create_future()
                    await self._room
                chunk = await head.request(self._quota.of(min(room, CHUNK)))
                if chunk.end:
                    break
                self._take_in(chunk)
                del chunk  # its elements must not be kept while there is no room
        except Exception as error:  # noqa: BLE001 - raised behind the results of what came before
            self._error = error
        self._over = True
        self._ring()

    def _take_in(self, chunk: Chunk[Any]) -> None:
        entries = list(map(Entry, chunk.elements, chunk.contexts or repeat(None)))
        self._turnstile.enter(entries, dated=chunk.contexts is not None)
        if self._key is None:
            self._work.extend(entries)
        else:
            began = self.env.clock.busy()
            self._queue(entries, self._key)
            self._quota.record(len(entries), self.env.clock.busy() - began)
        self._staff()
        if chunk.signalled:
            self._turnstile.put(chunk.signals())
            self._ring()

    def _queue(self, entries: list[Entry], key: Callable[[Any], Hashable]) -> None:
        """Put each element behind those of its key that are worked on."""
        for entry in entries:
            try:
                entry.key = key(entry.item)
                lane = self._lanes.get(entry.key)
            except Exception as error:  # noqa: BLE001 - the supervisor decides
                self._failed(entry, error)
                if self._cut:
                    return
                continue
            if lane is None:
                self._lanes[entry.key] = deque()
                self._work.append(entry)
            else:
                lane.append(entry)

    def _staff(self) -> None:
        """Have a worker for each element that waits for one, as far as there are workers."""
        free, count = self._free, len(self._work)
        while free and count:
            waiter = free.pop()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
        while count and self._workers < self._concurrency:
            self._workers += 1
            count -= 1
            self._scope.start(self._worker(), name=f"{self.node.spec.name}: worker {self._workers}")

    async def _worker(self) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        waiting = cast(
            "Callable[[], asyncio.Future[None]]", partial(asyncio.Future, loop=task.get_loop())
        )
        work, free = self._work, self._free
        function, finish = self._function, self._turnstile.finish
        self._stragglers.host()
        # The run's clock is that of its loop; here it is read twice an element.
        clock, meter, share = task.get_loop().time, self.meter, 1 / self._concurrency
        eager, turns = not self._ordered, self.env.clock
        while not self._sent_away(task):
            while not work:
                waiter = waiting()
                free.append(waiter)
                await waiter
            entry = work.popleft()
            entry.worker = task
            began = clock()
            BESIDE.set(entry.context)
            try:
                entry.item = await function(entry.item)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the supervisor decides
                self._raised(entry, error, task)
            else:
                entry.progress = DONE
                # In order, only a waiting reader makes it worth asking whose turn it is.
                if (self._bell is not None or eager) and finish(entry):
                    self._ring()
            entry.worker = None
            meter.busy += (clock() - began) * share
            if self._lanes:
                self._next(entry.key)
            del entry  # the result must not be kept by a worker that waits
            if task.cancelling() or turns.busy() - turns.yielded > HOLD:
                await self._turn(task)

    def _raised(
        self, entry: Entry, error: Exception | asyncio.CancelledError, task: asyncio.Task[None]
    ) -> None:
        if not isinstance(error, asyncio.CancelledError):
            self._failed(entry, explained(self.node.spec.name, error))
        elif self._sent_away(task):
            raise error
        else:
            self._failed(entry, unasked(error))

    async def _turn(self, task: asyncio.Task[None]) -> None:
        """Between two elements: what users' code has cancelled is none of theirs, and others may run."""
        if not self._sent_away(task):
            calm(task)
        await self.env.clock.breathe()

    def _sent_away(self, worker: asyncio.Task[None]) -> bool:
        """The worker was cancelled by this stage, and not by users' code that did not clean up."""
        return self._closing or worker in self._leaving

    def _next(self, key: Hashable) -> None:
        """Start the next element of the key, behind those of other keys."""
        lane = self._lanes.get(key)
        if lane:
            self._work.append(lane.popleft())
            self._staff()
        else:
            self._lanes.pop(key, None)

    def _failed(self, entry: Entry, error: Exception) -> None:
        if entry.worker is not None and self._sent_away(entry.worker):
            self.env.report(error)
            return
        context, entry.context = entry.context, None
        raised = verdict(self.env, self.node, error, entry.item, context)
        if raised is None:
            entry.progress = LEFT_OUT
            self._turnstile.finish(entry)
        else:
            entry.item, entry.progress = raised, FAILED
            self._stop(self._turnstile.cut(entry))
        self._ring()

    def _stop(self, gone: list[Entry]) -> None:
        """Nothing more is taken in, and work on what cannot come out ends."""
        self._cut = self._over = True
        self._work.clear()
        self._lanes.clear()
        for entry in gone:
            if entry.worker is not None:
                entry.worker.cancel()
                self._leaving.append(entry.worker)
        self._drop(gone)
