"""Splitting: one stream put into several, which are the elements of another."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.errors import BufferOverflowError, StreamClosedError
from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.clock import HOLD
from rxml.flow.combining.fan_in import FanIn
from rxml.flow.context import Outcome
from rxml.flow.context_joining import split
from rxml.flow.dropping import dropped
from rxml.flow.nested.branch import Branch
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate
from rxml.flow.timing.waiting import rung
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.context import Context
    from rxml.flow.nested.routing import Limits, Router
    from rxml.flow.node import Env, Node


class Splitter:
    """Asks for elements while anybody waits for some, and has them put into branches, by a task of its own.

    It goes on when no further branch is wanted, until nobody can read any branch any more, or the run ends.

    Attributes:
        outer: the branches that wait to be handed over, as a branch of their own.
    """

    def __init__(self, stage: SplitStage, router: Router, limits: Limits) -> None:
        self.outer: Branch = Branch(self, None, limits.announced)
        self._stage = stage
        self._env = stage.env
        self._router = router
        self._limits = limits
        self._live: dict[Branch, None] = {}  # in the order in which they came
        self._fan = FanIn(stage.node.spec.name, stage.meter)
        self._scope = Scope()
        self._changed = asyncio.Event()
        self._over = False
        self._source = self._fan.add(self._env.open(stage.node.sources[0]))
        alarm = router.alarm(self._env)
        self._alarm = None if alarm is None else self._fan.add(alarm)
        self._undo = self._env.at_end(self.close)
        self._scope.start(self._run(), name=f"{stage.node.spec.name}: split")

    @property
    def held(self) -> int:
        """Elements in all branches."""
        return sum(branch.ready.size for branch in self._live)

    async def fork(self, key: Any) -> Branch:
        """A new branch, once there is room to announce it."""
        outer, branch = self.outer, Branch(self, key, self._limits.capacity)
        while outer.room < 1 and not outer.gone:
            await self._change(None)
        if outer.gone:
            branch.abandon()
            return branch
        self._live[branch] = None
        outer.append(branch.flow(self._stage.node.spec.name), None)
        return branch

    def end(self, branch: Branch) -> None:
        """Nothing more goes into the branch."""
        branch.end()
        self._live.pop(branch, None)

    def ring(self) -> None:
        """See `Trunk.ring`."""
        self._changed.set()
        self._fan.ring()

    async def left(self) -> None:
        """See `Trunk.left`."""
        if self._deserted():
            await self.close()

    async def close(self) -> None:
        """End everything; a branch that is still to be read fails."""
        await self._scope.aclose()
        self._undo()
        name = self._stage.node.spec.name
        self._finish(StreamClosedError(f"{name}: the run that this was a part of has ended"))

    def _deserted(self) -> bool:
        self._live = {branch: None for branch in self._live if not branch.gone}
        return self.outer.gone and not self._live

    def _finish(self, error: Exception | None) -> None:
        for branch in [*self._live, self.outer]:
            branch.end(error)
        self._live.clear()

    async def _run(self) -> None:
        error: Exception | None = None
        try:
            await self._router.begin(self)
            while not self._over and not self._deserted():
                await self._fold()
                self._ask()
                await self._fan.wait()
        except Exception as raised:  # noqa: BLE001 - raised in every branch, behind what it holds
            annotate(raised, self._env.where(self._stage.node))
            error = raised
        finally:
            await self._stage.release_all(*self._fan.finalizers())
        self._undo()
        self._finish(error)

    def _ask(self) -> None:
        """Ask for what anybody waits for, but for no more than surely has room; for one element to see where it goes."""
        branches = [branch for branch in self._live if not branch.gone]
        wanted = max(branch.wanted for branch in [self.outer, *branches])
        room = self._limits.capacity
        if self._limits.policy == "backpressure":
            room = min((branch.room for branch in branches), default=room)
        asks = [(self._source, max(1, min(wanted, room, CHUNK))), (self._alarm, 1)]
        for inlet, n in reversed(asks) if self._router.punctual else asks:
            always = inlet is self._alarm and self._router.punctual
            if inlet is not None and inlet.live and not inlet.asked and (wanted or always):
                self._fan.ask(inlet, n)

    async def _fold(self) -> None:
        answers = self._fan.answers
        while answers and not self._over:
            inlet, chunk, error = answers.popleft()
            if error is not None:
                self._fan.forget(inlet)
                raise error
            if chunk is None or chunk.end:
                self._fan.forget(inlet)
                self._over = True
                self.ring()
            elif inlet is self._source:
                await self._put(chunk)
            else:
                for _ in chunk.elements:
                    await self._router.struck(self)

    async def _put(self, chunk: Chunk[Any]) -> None:
        contexts: list[Any] = chunk.contexts or [None] * len(chunk.elements)
        begun, clock = 0, self._env.clock
        try:
            for element, context in zip(chunk.elements, contexts, strict=True):
                if clock.busy() - clock.yielded > HOLD:
                    await clock.breathe()
                begun += 1
                await self._place(element, context)
                await self._router.routed(self)
        except BaseException:
            self._stage.meter.dropped += dropped(chunk.part(begun, len(chunk.elements)))
            raise
        if chunk.signalled:
            for branch in [*self._live, self.outer]:
                branch.signal(chunk.signals())

    async def _place(self, element: Any, context: Context | None) -> None:
        """Put an element into its branches, each of which gets a copy of the context."""
        targets = await self._targets(element, context)
        copies: deque[Context | None] = deque()
        if targets:
            copies += [None] * len(targets) if context is None else split(context, len(targets))
        try:
            for branch, item in targets:
                if branch.room < 1 and not branch.gone:
                    await self._make_room(branch)
                self._deliver(branch, item, copies.popleft())
        except BaseException:
            for copy in copies:
                self._dropped(copy)
            raise

    async def _targets(self, element: Any, context: Context | None) -> list[tuple[Branch, Any]]:
        try:
            targets = await self._router.route(self, element)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            raised = verdict(self._env, self._stage.node, error, element, context)
            if raised is not None:
                raise raised from raised.__cause__
            return []
        except asyncio.CancelledError:
            self._dropped(context)
            raise
        if not targets:
            self._dropped(context)
        return targets

    def _deliver(self, branch: Branch, item: Any, context: Context | None) -> None:
        if branch.gone or branch.room < 1:
            self._dropped(context)
        else:
            branch.append(item, context)

    async def _make_room(self, branch: Branch) -> None:
        """Do with a branch that is full as the policy says."""
        name, limits = self._stage.node.spec.name, self._limits
        if limits.policy == "error":
            message = (
                f"{name}: branch {branch.key!r} is full: {limits.capacity} elements wait to be read"
            )
            raise BufferOverflowError(message)
        if limits.policy == "drop_oldest":
            self._stage.meter.dropped += dropped(branch.ready.take(1))
        while limits.policy == "backpressure" and branch.room < 1 and not branch.gone:
            await self._change(branch)

    async def _change(self, unread: Branch | None) -> None:
        """Wait until somebody reads, or goes; not for ever if others wait for a branch that has no reader."""
        self._changed.clear()
        patience, moment = self._limits.patience, None
        waiting = sum(branch.wanted > 0 for branch in [self.outer, *self._live])
        if unread is not None and not unread.read and waiting and patience is not None:
            moment = self._env.clock.time() + patience
        if not await rung(self._changed, moment) and unread is not None:
            raise BufferOverflowError(
                f"{self._stage.node.spec.name}: branch {unread.key!r} holds {unread.capacity} elements that nobody has begun "
                f"to read for {patience:g} s, while {waiting} readers wait; read all branches side by side (flat_map with a "
                "concurrency of at least their number), let go of those that are not wanted, or choose another policy"
            )

    def unread(self, branch: Branch, count: int) -> None:
        """See `Trunk.unread`."""
        if branch is not self.outer:
            self._stage.meter.dropped += count

    def _dropped(self, context: Context | None) -> None:
        self._stage.meter.dropped += 1
        if context is not None:
            context.settled(Outcome.DROPPED)


class SplitStage(Stage[Any]):
    """Hands out the branches; it takes its part in reading them like any other reader."""

    def __init__(
        self, env: Env, node: Node, router: Callable[[Node], Router], limits: Limits
    ) -> None:
        super().__init__(env, node)
        self._router = router
        self._limits = limits
        self._splitter: Splitter | None = None
        self.meter.gauge = lambda: (0 if self._splitter is None else self._splitter.held, None)

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if clock.held:
            await clock.breathe()
        if self._splitter is None:
            self._splitter = Splitter(self, self._router(self.node), self._limits)
        return await self._splitter.outer.receive(n)

    @override
    async def release(self) -> None:
        if self._splitter is not None:
            await self._splitter.outer.leave()
