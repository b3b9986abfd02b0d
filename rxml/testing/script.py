"""Scripted sources: play a script chunk by chunk, as far as demand goes, and note what was asked of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from typing_extensions import override

from rxml.flow.chunk import END, Chunk
from rxml.flow.context import Context
from rxml.flow.flowable import Flowable
from rxml.flow.node import Cardinality, StageSpec
from rxml.testing.comparing import copied, same
from rxml.testing.logged import LoggedStage
from rxml.testing.timeline import Timeline

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing for so many seconds; 0 only lets other tasks run once."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """The stream fails with this error."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Watermark:
    """No element with an event time before it follows (int64 ns UTC)."""

    time: int


@dataclass(frozen=True, slots=True)
class Barrier:
    """A snapshot is taken here."""

    number: int


@dataclass(frozen=True, slots=True)
class End:
    """The stream ends. A script that is through ends by itself."""


@dataclass(frozen=True, slots=True)
class Never:
    """Nothing more, and no end."""


Step: TypeAlias = Sleep | Fail | Watermark | Barrier | End | Never | Chunk[Any]
_STEPS: Final[tuple[type[Any], ...]] = (Sleep, Fail, Watermark, Barrier, End, Never, Chunk)


class Scripted(Flowable[Any]):
    """A source that plays a script. Made by `scripted`.

    Attributes:
        timeline: what was asked of the source and what it gave, over all runs; its place is called `lane`.
        lane: "source", unless told otherwise.
        given: each chunk that was handed out, with what it held then, to see whether somebody changed it.
    """

    __slots__ = ("given", "lane", "timeline")

    def __init__(self, spec: StageSpec, timeline: Timeline, lane: str, given: list[Given]) -> None:
        super().__init__(spec)
        self.timeline: Timeline = timeline
        self.lane: str = lane
        self.given: list[Given] = given

    def changed(self) -> list[Chunk[Any]]:
        """The chunks whose elements or contexts somebody changed after they were handed out."""
        return [given.chunk for given in self.given if given.changed]


class Given:
    """A chunk that was handed out, and what was in it."""

    __slots__ = ("_contexts", "_copies", "_elements", "chunk")

    def __init__(self, chunk: Chunk[Any]) -> None:
        self.chunk: Chunk[Any] = chunk
        self._elements = list(chunk.elements)
        self._copies = list(map(copied, self._elements))
        self._contexts = None if chunk.contexts is None else list(map(id, chunk.contexts))

    @property
    def changed(self) -> bool:
        """True if its lists no longer hold the same objects, or these no longer the same values."""
        chunk = self.chunk
        contexts = None if chunk.contexts is None else list(map(id, chunk.contexts))
        return contexts != self._contexts or not self._kept(list(chunk.elements))

    def _kept(self, elements: list[Any]) -> bool:
        # The rows of a batch are made anew each time.
        if isinstance(self.chunk.elements, list) and (
            list(map(id, elements)) != list(map(id, self._elements))
        ):
            return False
        return same(elements, self._copies)


def scripted(
    *script: Any,
    contexts: bool = False,
    forever: bool = False,
    release_error: Exception | None = None,
    release_seconds: float = 0.0,
    timeline: Timeline | None = None,
    lane: str = "source",
) -> Scripted:
    """A source that plays a script: each step in order, never more than was asked for.

    Args:
        script: steps (`Sleep`, `Fail`, `Watermark`, `Barrier`, `End`, `Never`), `Chunk`s, which come out as they are
            (split where demand is smaller), and anything else, which is an element in a chunk of its own.
        contexts: give each element a `Context` whose `fact_id` is its number in the run, counted from "0".
        forever: begin anew when the script is through.
        release_error: raised when the source is released, after it has been.
        release_seconds: how long that takes.
        timeline: where to note what happens; a new one if not given.
        lane: the name of the source in that timeline.

    Returns:
        A flow; what was asked of it stands in its `timeline`.

    Raises:
        ValueError: `forever` with nothing to repeat.
    """
    steps = tuple(map(_step, script))
    if forever and not any(isinstance(step, Chunk) or step == Never() for step in steps):
        raise ValueError("a script that is repeated forever must give at least one element")
    log = Timeline() if timeline is None else timeline
    given: list[Given] = []

    def open_(env: Env, node: Node) -> _ScriptStage:
        stage = _ScriptStage(env, node, log, lane)
        stage.steps, stage.contexts, stage.forever, stage.given = steps, contexts, forever, given
        stage.release_error, stage.release_seconds = release_error, release_seconds
        return stage

    spec = StageSpec(name="scripted", open=open_, cardinality=Cardinality.SOURCE)
    return Scripted(spec, log, lane, given)


def _step(item: Any) -> Step:
    return cast("Step", item) if isinstance(item, _STEPS) else Chunk([item])


class _ScriptStage(LoggedStage[Any]):
    """One run of a script."""

    steps: tuple[Step, ...] = ()
    contexts = False
    forever = False
    release_error: Exception | None = None
    release_seconds = 0.0
    given: list[Given]

    def __init__(self, env: Env, node: Node, timeline: Timeline, lane: str) -> None:
        super().__init__(env, node, timeline, lane)
        self._at = 0
        self._number = 0
        self._rest: Chunk[Any] | None = None
        self._until: float | None = None
        self._over = False
        self._delist = env.enlist(self._finish)

    def _finish(self) -> None:
        self._over = True

    @override
    async def play(self, n: int) -> Chunk[Any]:
        while True:
            step = self._current()
            if isinstance(step, Chunk):
                return self._hand_out(step, n)
            await self._wait(step)
            self._at += 1
            match step:
                case Watermark():
                    return Chunk((), watermark=step.time)
                case Barrier():
                    return Chunk((), barrier=step.number)
                case Fail():
                    raise step.error
                case End():
                    return END
                case _:
                    continue

    def _current(self) -> Step:
        if self._over:
            return End()
        if self._at == len(self.steps) and self.forever:
            self._at = 0
        return self.steps[self._at] if self._at < len(self.steps) else End()

    async def _wait(self, step: Step) -> None:
        """A wait that is interrupted goes on where it was."""
        if isinstance(step, Never):
            await asyncio.get_running_loop().create_future()
        if isinstance(step, Sleep):
            clock = self.env.clock
            self._until = clock.time() + step.seconds if self._until is None else self._until
            await clock.sleep_until(self._until)
            self._until = None

    def _hand_out(self, step: Chunk[Any], n: int) -> Chunk[Any]:
        chunk = step if self._rest is None else self._rest
        self._rest = None
        if len(chunk) > n:
            chunk, self._rest = chunk.split(n)
        else:
            self._at += 1
        contexts = chunk.contexts
        if self.contexts and contexts is None:
            contexts = [Context(fact_id=str(self._number + i)) for i in range(len(chunk))]
        self._number += len(chunk)
        elements = chunk.elements
        fresh = Chunk(
            list(elements) if isinstance(elements, list) else elements, contexts, **chunk.signals()
        )
        self.given.append(Given(fresh))
        return fresh

    @override
    async def close(self) -> None:
        self._delist()
        if self._opened:
            await self.finalize(self._finalizer)

    async def _finalizer(self) -> None:
        if self.release_seconds:
            await self.env.clock.sleep(self.release_seconds)
        if self.release_error is not None:
            raise self.release_error
