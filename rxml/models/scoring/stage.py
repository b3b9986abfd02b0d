"""ScoreStage: takes elements in while there is room, has them scored, and gives the predictions out."""

from __future__ import annotations

import asyncio
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from typing_extensions import override

from rxml.batch import Batch
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import FIRST
from rxml.flow.context import Outcome, drop
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage, State
from rxml.flow.verdict import verdict
from rxml.flow.workers.turnstile import DONE, FAILED, LEFT_OUT, AsTheyCome, Turnstile
from rxml.models.scoring.dispatcher import Dispatcher
from rxml.models.scoring.exits import SlabsInOrder
from rxml.models.scoring.intake import rows_of
from rxml.models.scoring.shift import Shift
from rxml.models.scoring.waiting import Ask, Waiting

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription
    from rxml.flow.workers.turnstile import Entry
    from rxml.models.scoring.crew import Crew
    from rxml.models.scoring.scales import Scales
    from rxml.models.scoring.settings import Settings


_OPEN: Final = State.OPEN  # members of an Enum are looked up slowly before Python 3.12


class Opened(Protocol):
    """What the intake waits for."""

    @property
    def crew(self) -> Crew:
        """Those at work, once `opened` has returned."""
        ...

    async def opened(self) -> None:
        """Wait until there is a model."""
        ...


class ScoreStage(Stage[Any]):
    """One task takes elements in, one brings models in, workers score, the reader takes predictions out.

    Args:
        env: of the run.
        node: the stage.
        settings: see `ops.score`.
    """

    def __init__(self, env: Env, node: Node, settings: Settings) -> None:
        super().__init__(env, node)
        self._settings = settings
        self._ordered = settings.ordered
        self._exits: Turnstile = SlabsInOrder() if self._ordered else AsTheyCome()
        self._waiting = Waiting(settings.patience)
        loop = asyncio.get_running_loop()
        self._dispatcher = Dispatcher(self._waiting, self, env.clock, loop.call_soon)
        self._scope = Scope()
        self._shift: Shift | None = None
        self._head: Subscription[Any] | None = None
        self._bytes = 0
        self._scales: Scales | None = None
        self._heaviest = 0
        self._over = False
        self._cut = False
        self._error: Exception | None = None
        self._bell: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._prepared = env.prepare()
        self.meter.gauge = lambda: (self._exits.held, self._waiting.oldest(env.clock.time()))

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self._head is None:
            self._begin()
        exits, clock = self._exits, self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            chunk = exits.take(n)
            if len(chunk.elements) and self._scales is not None:
                self._bytes -= self._scales.answers(chunk.elements)
            self._make_room()
            if len(chunk.elements) or chunk.signalled:
                return chunk
            if exits.error is not None:
                raise exits.error
            if self._over and (exits.held == 0 or (self._cut and self._error is not None)):
                return self._last()
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell

    def _begin(self) -> None:
        self._head = self.env.open(self.node.sources[0])
        self._shift = shift = Shift(self.env, self.node, self._settings, self._dispatcher)
        name = self.node.spec.name
        self._scope.start(self._staffed(shift), name=f"{name}: models")
        self._scope.start(self._intake(self._head, shift), name=f"{name}: intake")

    def _last(self) -> Chunk[Any]:
        if self._error is not None:
            raise self._error
        return END

    @override
    async def release(self) -> None:
        self._cut = True
        self._prepared()
        self._dispatcher.staff(None)
        cancels = [] if self._head is None else [self._head.cancel]
        shift = [] if self._shift is None else [self._shift.close]
        await self.release_all(self._scope.aclose, *shift, self._let_go, *cancels)

    async def _let_go(self) -> None:
        """What nobody takes any more ends as dropped."""
        self._forget()
        self._drop(self._exits.clear())

    def _drop(self, entries: list[Entry]) -> None:
        left = [each for each in entries if each.progress not in (LEFT_OUT, FAILED)]
        self.meter.dropped += len(left)
        drop(each.context for each in left)

    async def _staffed(self, shift: Shift) -> None:
        try:
            await shift.run()
        except Exception as error:  # noqa: BLE001 - there is no model, and none comes: it fails the stream
            self._error = error
            self._over = self._cut = True
            self._ring()

    async def _intake(self, head: Subscription[Any], shift: Opened) -> None:
        loop = asyncio.get_running_loop()
        try:
            await shift.opened()
            self._prepared()
            while not self._cut:
                while (room := self._roomy()) < 1:
                    self._room = loop.create_future()
                    await self._room
                chunk = await head.request(room)
                if chunk.end:
                    break
                self._take_in(chunk, shift.crew)
                del chunk  # its elements must not be kept while there is no room
        except Exception as error:  # noqa: BLE001 - raised behind the results of what came before
            self._error = error
        self._over = True
        self._ring()

    def _roomy(self) -> int:
        left = self._settings.max_bytes - self._bytes
        if self._cut or self._exits.shut or left <= 0:
            return 0
        by_weight = left // self._heaviest + 1 if self._heaviest else FIRST
        return min(self._settings.capacity - self._exits.held, by_weight, CHUNK)

    def _make_room(self) -> None:
        room = self._room
        if room is not None and not room.done() and self._roomy() > 0:
            room.set_result(None)

    def _take_in(self, chunk: Chunk[Any], crew: Crew) -> None:
        self._scales = self._scales or crew.scales
        asks = self._asks(chunk, crew)
        for ask in asks:
            self._bytes += ask.weight
            self._heaviest = max(self._heaviest, ask.weight // ask.rows if ask.slab else ask.weight)
        self._exits.enter(cast("list[Entry]", asks), dated=chunk.contexts is not None)
        self._queue(asks)
        if chunk.signalled:
            self._exits.put(chunk.signals())
            self._ring()

    def _queue(self, asks: list[Ask]) -> None:
        """Have them wait for a worker."""
        for ask in asks:
            self._waiting.put(ask)
        self._dispatcher.run()

    def _forget(self, gone: set[Entry] | None = None) -> None:
        """Of what waits these are worth nothing any more; None: all."""
        forget(self._dispatcher, self._waiting, gone)

    def _asks(self, chunk: Chunk[Any], crew: Crew) -> list[Ask]:
        now, elements, contexts = self.env.clock.time(), chunk.elements, chunk.contexts
        if isinstance(elements, Batch) and contexts is None and self._ordered and len(elements):
            slab = Ask(elements, None, len(elements), now, crew.scales.coming(elements))
            slab.slab = True
            return [slab]
        weight = crew.scales.coming
        return [
            Ask(item, context, rows_of(item), now, weight(item))
            for item, context in zip(elements, contexts or repeat(None), strict=False)
        ]

    def prompt(self, element: Any) -> Any:
        """See `rxml.flow.prompt.Prompt`."""
        if element.__class__ is not Batch or self.state is not _OPEN or self._exits.held:
            return None
        answer = None if self._cut else self._dispatcher.prompt(element)
        if answer is not None:
            self.meter.requested += 1
            self.meter.emitted += 1
        return answer

    def _ring(self) -> None:
        bell, self._bell = self._bell, None
        if bell is not None and not bell.done():
            bell.set_result(None)

    def answer(self, asks: list[Ask], answers: list[Any]) -> None:
        """See `Desk.answer`."""
        ring = False
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, Exception):
                self.fail(ask, answer)
                continue
            self._bytes -= ask.weight
            if self._scales is not None:
                self._bytes += self._scales.answer(answer)
            ask.item, ask.progress = answer, DONE
            ring = self._exits.finish(ask) or ring
        if ring:
            self._ring()

    def fail(self, ask: Ask, error: Exception) -> None:
        """See `Desk.fail`."""
        if self.state is not _OPEN or ask.progress is LEFT_OUT:
            return
        self._bytes -= ask.weight
        context, ask.context = ask.context, None
        raised = verdict(self.env, self.node, error, ask.item, context)
        if raised is None:
            ask.progress = LEFT_OUT
            self._exits.finish(ask)
        else:
            ask.item, ask.progress = raised, FAILED
            self._cut = self._over = True
            gone = self._exits.cut(ask)
            self._drop(gone)
            for each in gone:
                each.progress = LEFT_OUT
            self._forget(set(gone))
        self._ring()

    def drop(self, ask: Ask) -> None:
        """See `Desk.drop`."""
        self._bytes -= ask.weight
        context, ask.context = ask.context, None
        ask.progress = LEFT_OUT
        self.meter.dropped += 1
        if context is not None:
            context.settled(Outcome.DROPPED)
        self._exits.finish(ask)
        self._ring()

    def part(self, ask: Ask) -> list[Ask]:
        """See `Desk.part`."""
        if ask.slab and isinstance(self._exits, SlabsInOrder):
            return self._exits.part(ask)
        return [ask]

    def split(self, slab: Ask, rows: int) -> Ask:
        """See `Desk.split`."""
        return cast("SlabsInOrder", self._exits).split(slab, rows)


def forget(dispatcher: Dispatcher, waiting: Waiting, gone: set[Entry] | None) -> None:
    """Of what waits there, these do so no more; None: nothing does."""
    for ask in dispatcher.clear():
        if gone is not None and ask not in gone:
            waiting.put(ask)
    if gone is not None:
        dispatcher.run()
