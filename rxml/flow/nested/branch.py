"""Branch: one of several streams that the elements of another are put into while the run goes on."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from typing_extensions import override

from rxml.errors import PipelineError, StreamClosedError
from rxml.flow.buffers.ready import Ready
from rxml.flow.chunk import END, Chunk
from rxml.flow.flowable import Flowable
from rxml.flow.node import Cardinality, StageSpec
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node

K = TypeVar("K")
T_co = TypeVar("T_co", covariant=True)


class GroupedFlowable(Flowable[T_co], Generic[K, T_co]):
    """Some of the elements of a run, to be read once while that run goes on.

    Attributes:
        key: what these elements have in common; of a window, its number, from 0 on.
    """

    __slots__ = ("__weakref__", "key")

    def __init__(self, branch: Branch, name: str) -> None:
        spec = StageSpec(
            name=f"{name}[{branch.key!r:.24}]",
            open=lambda env, node: BranchStage(env, node, branch),
            cardinality=Cardinality.SOURCE,
            capacity=branch.capacity,
        )
        super().__init__(spec)
        self.key: K = cast("K", branch.key)


class Trunk(Protocol):
    """What a branch tells the one who fills it."""

    def ring(self) -> None:
        """Something has changed: there is room, or demand, or nobody to read."""
        ...

    async def left(self) -> None:
        """A reader has gone."""
        ...

    def unread(self, branch: Branch, count: int) -> None:
        """So many elements that the branch held will not be read; they have ended as dropped."""
        ...


class Branch:
    """The elements of one branch that were not read yet.

    Attributes:
        key: what they have in common.
        capacity: how many there may be.
        ready: the elements.
        wanted: how many more its reader waits for.
        ended: nothing follows what is ready.
    """

    __slots__ = (
        "_bell",
        "_error",
        "_flow",
        "_gone",
        "_loop",
        "_reader",
        "_trunk",
        "capacity",
        "ended",
        "key",
        "ready",
        "wanted",
    )

    def __init__(self, trunk: Trunk, key: Any, capacity: int) -> None:
        self._trunk = trunk
        self._loop = asyncio.get_running_loop()
        self._bell: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._reader: BranchStage | None = None
        self._flow: weakref.ref[Any] | None = None
        self.key: Any = key
        self.capacity: int = capacity
        self.ready: Ready = Ready()
        self.wanted: int = 0
        self.ended: bool = False
        self._gone = False

    @property
    def gone(self) -> bool:
        """True if nobody reads it any more, or ever will."""
        unread = self._reader is None and self._flow is not None and self._flow() is None
        return self._gone or unread

    @property
    def room(self) -> int:
        """Elements that may be added now."""
        return self.capacity - self.ready.size

    @property
    def read(self) -> bool:
        """True once it has a reader."""
        return self._reader is not None

    def flow(self, name: str) -> GroupedFlowable[Any, Any]:
        """What is given to whoever may read the branch. If it is thrown away unread, the branch is gone."""
        flow = GroupedFlowable[Any, Any](self, name)
        self._flow = weakref.ref(flow, self._thrown_away)
        return flow

    def _thrown_away(self, _: object) -> None:
        # Any thread may throw the last reference away; a loop that is closed has nobody to tell.
        if self._reader is None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.abandon)

    def abandon(self) -> None:
        """Nobody reads it any more: what it holds ends as dropped."""
        self._gone = True
        self._trunk.unread(self, self.ready.clear())
        self._trunk.ring()

    def append(self, element: Any, context: Context | None) -> None:
        """Add an element; there must be room."""
        self.ready.append(element, context)
        self._wake()

    def signal(self, signals: dict[str, Any]) -> None:
        """Add signals behind the elements so far."""
        self.ready.put(Chunk((), **signals))
        self._wake()

    def end(self, error: Exception | None = None) -> None:
        """Nothing follows, except perhaps an error."""
        if not self.ended:
            self.ended, self._error = True, error
            self._wake()

    def _wake(self) -> None:
        self.wanted = 0
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    def claim(self, reader: BranchStage) -> None:
        """Take note of who reads."""
        name = reader.node.spec.name
        if asyncio.get_running_loop() is not self._loop:
            raise PipelineError(f"{name} is read on another event loop than it comes from")
        if self._reader is not None:
            raise PipelineError(
                f"{name} is read already; it can be read once: put share() behind it"
            )
        if self.gone:
            raise StreamClosedError(f"{name}: the run that it is a part of has ended")
        self._reader = reader

    async def receive(self, n: int) -> Chunk[Any]:
        """Wait for 1..n elements, for the end, or for an error."""
        while not self.ready:
            if self.ended:
                if self._error is not None:
                    raise self._error
                return END
            self.wanted = n
            self._trunk.ring()
            self._bell = self._loop.create_future()
            try:
                await self._bell
            finally:
                self.wanted = 0
        chunk = self.ready.take(n)
        self._trunk.ring()
        return chunk

    async def leave(self) -> None:
        """Its reader goes."""
        self.abandon()
        await self._trunk.left()


class BranchStage(Stage[Any]):
    """Reads a branch."""

    def __init__(self, env: Env, node: Node, branch: Branch) -> None:
        super().__init__(env, node)
        self._branch = branch
        self._claimed = False
        self.meter.gauge = branch.ready.gauge

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        if clock.held:
            await clock.breathe()
        if not self._claimed:
            self._branch.claim(self)
            self._claimed = True
        return await self._branch.receive(n)

    @override
    async def release(self) -> None:
        if self._claimed or not self._branch.read:
            await self._branch.leave()
