"""Coordinator: the barriers of one run, and the commit once one of them has come through."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import CheckpointError, PipelineError
from rxml.flow.checkpointing.slot import Slot
from rxml.flow.checkpointing.store import Saved, TransactionalSink
from rxml.flow.checkpointing.survey import Survey, has_state, names_of
from rxml.flow.checkpointing.wrapping import Ended, Gate, Injecting, Watching
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.checkpointing.checkpoint import Checkpoint, Guarantee
    from rxml.flow.checkpointing.store import Session, Store
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

_LOG: Final = logging.getLogger("rxml.checkpointing")


class Coordinator:
    """Sends a barrier through all sources of a run, and commits what the stages kept when it has come to the end.

    One barrier is on its way at a time. Elements go on to flow meanwhile.

    Attributes:
        number: of the last checkpoint that was committed; 0 if there is none.
        pending: the barrier that is on its way, or None.
        draining: the run is to end behind the next barrier; what has come in before is saved, and no stage ends.
        every: see `Checkpoint`.
        elements: see `Checkpoint`.
    """

    def __init__(
        self, flow: Node, checkpoint: Checkpoint, nodes: Sequence[Node], session: Session
    ) -> None:
        self.checkpoint: Checkpoint = checkpoint
        self.guarantee: Guarantee = checkpoint.guarantee(flow)
        self.number: int = 0
        self.pending: int | None = None
        self.draining: bool = False
        self.elements: int | None = checkpoint.elements
        self._names = names_of(nodes)
        self._places = {id(node): place for place, node in enumerate(nodes)}
        self._session = session
        self._slots: dict[int, Slot] = {}
        self._sources: list[Injecting] = []
        self._parts: dict[int, bytes] = {}
        self._states: dict[int, Any] = dict(session.states)
        self._complete = False
        self._timer: asyncio.TimerHandle | None = None
        if session.saved is not None:
            self._resume(session.saved)

    def _resume(self, saved: Saved) -> None:
        name = self.checkpoint.name
        self.number, self._parts, self._complete = saved.number, dict(saved.parts), saved.complete
        what = "is complete: nothing to do" if saved.complete else "goes on"
        _LOG.info("pipeline %r %s from checkpoint %d", name, what, saved.number)

    @property
    def _store(self) -> Store:
        return self.checkpoint.store

    def whole(self, open_: Callable[[], Subscription[Any]]) -> Subscription[Any]:
        """The flow that is run: commits at each barrier; nothing if it had come to its end before."""
        return Ended(None) if self._complete else Gate(self, open_())

    def slot(self, node: Node) -> Slot | None:
        """The place of a stage in checkpoints; None for one that is not of the pipeline itself."""
        place = self._places.get(id(node))
        if place is None:
            return None
        slot = self._slots[place] = Slot(
            self._names[place], self._store, self._states.pop(place, None)
        )
        return slot

    def opened(self, env: Env, node: Node, stage: Subscription[Any]) -> Subscription[Any]:
        """A stage as a part of this run: goes on from where it was, and keeps its state at barriers.

        Raises:
            CheckpointError: what was saved is of another version.
        """
        slot = self.slot(node)
        if slot is None:
            return stage
        if not isinstance(stage, Stage):
            raise PipelineError(f"{slot.name} is no Stage, which alone can be saved: {stage!r}")
        if slot.was_ended:
            return Ended(stage)
        if isinstance(stage, TransactionalSink):
            stage.join(self._session, self.number)
        state = slot.state(stage.version)
        if node.sources:
            saves = has_state(node)
            if state is not None and saves:
                slot.named(partial(stage.restore, state[0]))
            return Watching(slot, stage, saves=saves)
        if state is not None:
            stage.seek(state[0])
        source = Injecting(self, slot, stage, env.clock)
        self._sources.append(source)
        return source

    def begin(self) -> None:
        """Set the timer for the next barrier."""
        seconds = self.checkpoint.seconds
        if self._timer is None and self.pending is None and isfinite(seconds):
            self._timer = asyncio.get_running_loop().call_later(seconds, self.start)

    def start(self) -> None:
        """Send a barrier through all sources, unless one is on its way."""
        self._stop_timer()
        if self.pending is None:
            self.pending = self.number + 1
            for source in self._sources:
                source.ring()

    def drain(self) -> None:
        """Have the run end behind a barrier."""
        if not self.draining:
            self.draining = True
            self.start()

    async def arrived(self, barrier: int) -> bool:
        """A barrier has come to the end of the pipeline; returns whether the run is over.

        Raises:
            CheckpointError: it cannot be committed; the checkpoint before is as it was.
        """
        if barrier != self.pending:
            raise CheckpointError(f"barrier {barrier} came through, {self.pending} was sent")
        parts = self._parts | {place: slot.part(barrier) for place, slot in self._slots.items()}
        last = self.draining and all(source.still for source in self._sources)
        await self._session.commit(Saved(barrier, self._names, parts))
        self.number, self.pending, self._parts = barrier, None, parts
        if last:
            return True
        if self.draining:
            self.start()
        else:
            self.begin()
        return False

    async def ended(self) -> None:
        """The run has come to its end: what came since the last barrier is committed, and that nothing is left to do."""
        self._stop_timer()
        if not self._complete:
            await self._session.commit(Saved(self.number + 1, self._names, complete=True))
            self._complete = True

    async def close(self) -> None:
        """Set no timer any more, and give the checkpoints back."""
        self._stop_timer()
        await self._session.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def coordinated(flow: Node, checkpoint: Checkpoint) -> Coordinator:
    """Take hold of a pipeline's checkpoints, for a run that goes on from the newest.

    Raises:
        PipelineError: a stage cannot be saved.
        CheckpointError: the checkpoint is not one of this pipeline, or cannot be read.
    """
    survey = Survey(flow, checkpoint.name)
    session = await checkpoint.store.begin(checkpoint.name, survey.admit)
    try:
        return Coordinator(flow, checkpoint, survey.nodes, session)
    except BaseException:
        await session.close()
        raise
