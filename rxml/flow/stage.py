"""Stage: the rules of a Subscription, kept in one place for every stage that has one."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from enum import Enum
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Generic,
    Protocol,
    TypeVar,
    runtime_checkable,
)

from rxml.errors import ConcurrentRequestError, StreamClosedError
from rxml.flow.chunk import END, Chunk
from rxml.flow.scope import in_turn, settled, stray, uninterrupted
from rxml.flow.supervision import noted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from rxml.flow.node import Env, Node
    from rxml.flow.statistics import Meter

T = TypeVar("T")


class State(Enum):
    """OPEN until exactly one of the others, which are final."""

    OPEN = "open"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"


_OPEN: Final = State.OPEN  # members of an Enum are looked up slowly before Python 3.12


@runtime_checkable
class Taken(Protocol):
    """What the one stage behind may take from without a coroutine."""

    @property
    def immediate(self) -> bool:
        """See `Stage`."""
        ...

    def take(self, n: int) -> Chunk[Any] | None:
        """See `Stage.take`."""
        ...


class Stage(ABC, Generic[T]):
    """One running stage. Subclasses write `pull`, and `release` if they hold anything.

    This class keeps the rules: demand is checked, requests are serial, the end repeats, nothing follows a terminal
    signal, resources are released exactly once and before the terminal signal is seen, errors in `release` never mask.

    Attributes:
        immediate: `now` has done nothing when it gives None, so that the stage behind may try `take` first.
        version: of what `snapshot` or `position` gives; raise it when that changes, so that older checkpoints are refused.
    """

    immediate: ClassVar[bool] = False
    version: int = 1

    def __init__(self, env: Env, node: Node) -> None:
        self.env = env
        self.node = node
        self.meter: Meter = env.meter(node)
        self.state: State = State.OPEN
        self._puller: asyncio.Task[object] | None = None
        self._undelivered: Exception | None = None
        self._unwound: asyncio.Future[None] | None = None
        self._released: asyncio.Future[None] | None = None

    @abstractmethod
    def pull(self, n: int) -> Coroutine[Any, Any, Chunk[T]]:
        """Return a chunk of 1..n elements, a signal, or END; raise what fails the stream. Must be cancel-safe."""

    def now(self, n: int) -> Chunk[T] | None:
        """A chunk, if one can be had without waiting, ending or failing; else None, and `pull` is asked next."""
        del n
        return None

    def raw(self, n: int) -> Chunk[T] | None:
        """`now` for a stage that looks at each element once, so that a range need not become a list."""
        return self.now(n)

    async def release(self) -> None:
        """Let go of tasks, resources and inputs. Called once, after the last `pull`."""

    def snapshot(self) -> Any:
        """What the stage must know to go on behind the barrier that it has just returned, as plain values."""
        return None

    def restore(self, state: Any) -> None:
        """Go on from a snapshot; called before the first request."""

    def position(self) -> Any:
        """Of a source: where those elements begin that it has not returned yet, as plain values."""
        return None

    def seek(self, position: Any) -> None:
        """Of a source: begin at a position; called before the first request."""

    async def request(self, n: int) -> Chunk[T]:
        """Wait for 1..n elements; see `Subscription.request`."""
        if self.state is not _OPEN or self._puller is not None or n.__class__ is not int or n < 1:
            return await self._refuse(n)
        self.meter.requested += n
        try:
            chunk = self.now(n)
            if chunk is None:
                self._puller = asyncio.current_task()
                chunk = await self.pull(n)
        except asyncio.CancelledError as error:
            if self._cancelled_from_outside():
                return END
            raise await self._fail(stray(error))  # noqa: B904 - its cause is the error
        except Exception as error:
            await self._fail(error)
            raise
        finally:
            self._unwind()
        if chunk.end:
            await self._end(State.ENDED)
        else:
            self.meter.emitted += len(chunk.elements)
        return chunk

    async def _fail(self, error: Exception) -> Exception:
        """Release everything; the error then, unless it would be taken for an end: then this raises what stands for it."""
        failure = noted(error, self.env.where(self.node))
        self._undelivered = failure
        await self._end(State.FAILED)
        self._undelivered = None
        if failure is not error:
            raise failure
        return error

    def _unwind(self) -> None:
        self._puller = None
        if self._unwound is not None:
            self._unwound.set_result(None)

    def take(self, n: int) -> Chunk[T] | None:
        """`request`, if that need not wait, end or fail; for the one stage behind this one, if it is `immediate`.

        The elements may be a range.
        """
        if self.state is not _OPEN or self._puller is not None or (chunk := self.raw(n)) is None:
            return None
        self.meter.requested += n
        self.meter.emitted += len(chunk.elements)
        return chunk

    async def _refuse(self, n: Any) -> Chunk[T]:
        """The answer to a request that is wrong, or that comes after the terminal signal."""
        name = self.node.spec.name
        if self._puller is not None:
            message = f"{name}: a request is waiting already; await it before the next one"
            raise ConcurrentRequestError(message)
        if n.__class__ is not int or n < 1:
            await self.cancel()
            message = f"{name}: request(n) wants a positive int or UNBOUNDED, got {n!r}"
            raise ValueError(message)
        return await self._after()

    async def cancel(self) -> None:
        """End the stream; see `Subscription.cancel`."""
        puller = self._puller
        if self.state is not _OPEN or puller is None or puller is asyncio.current_task():
            return await self._end(State.CANCELLED)
        self.state = State.CANCELLED
        self._unwound = unwound = asyncio.get_running_loop().create_future()
        puller.cancel()
        return await self.release_all(
            partial(settled, [unwound]), partial(self._end, State.CANCELLED)
        )

    async def _after(self) -> Chunk[T]:
        if self._undelivered is not None:
            # The request that was to raise it was cancelled while resources were released.
            await self._end(State.FAILED)
            error, self._undelivered = self._undelivered, None
            raise error
        if self.state is State.FAILED:
            message = f"{self.node.spec.name} has failed; open the flow again for another run"
            raise StreamClosedError(message)
        return END

    def _cancelled_from_outside(self) -> bool:
        """True if it was `cancel` of this stage, not of the waiting task, that ended the wait."""
        if self.state is not State.CANCELLED or self._puller is None:
            return False
        return self._puller.uncancel() == 0

    async def _end(self, state: State) -> None:
        if self.state is State.OPEN:
            self.state = state
        if self._released is not None:
            return await settled([self._released])
        self._released = asyncio.get_running_loop().create_future()
        try:
            await self.guard(self.release)
        finally:
            self._released.set_result(None)

    async def guard(self, finalizer: Callable[[], Awaitable[None]]) -> None:
        """Run a finalizer; its error is reported to the run, so that it masks nothing."""
        try:
            await finalizer()
        except Exception as error:  # noqa: BLE001 - kept for the end of the run
            self.env.report(error)

    async def release_all(self, *finalizers: Callable[[], Awaitable[None]]) -> None:
        """Run all finalizers in turn, whatever each of them does; an interruption is passed on at the end."""
        await in_turn(finalizers, self.env.report)

    async def finalize(self, finalizer: Callable[[], Awaitable[None]]) -> None:
        """Run a user's finalizer to its end, even if the waiting task is cancelled meanwhile."""

        async def run() -> None:
            await self.guard(finalizer)

        await uninterrupted(run(), name=f"finalize {self.node.spec.name}")
