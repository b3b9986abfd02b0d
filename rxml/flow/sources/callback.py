"""from_callback: what somebody else's thread or loop pushes, behind a bound."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, cast

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.flow.buffers.backlog import Backlog
from rxml.flow.buffers.overflow import Overflow, checked
from rxml.flow.check import require_callable
from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import label, source
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node

T = TypeVar("T")

Register: TypeAlias = "Callable[[Emitter[T]], Any]"


def from_callback(
    register: Callable[[Emitter[T]], Any],
    *,
    capacity: int | None = None,
    overflow: Overflow | Literal["block"] = "error",
    max_bytes: int | None = None,
) -> Flowable[T]:
    """What a producer pushes that does not know demand: a driver's callback, a client library, another thread.

    Args:
        register: called once for each run at its first request, in the loop's thread, with an `Emitter` whose methods may
            be called from any thread from then on. What it returns, if anything, is called with no argument when the run
            has ended, failed or was cancelled; if that gives an awaitable, it is awaited.
        capacity: elements that may wait to be asked for; may be left out where only one ever waits (`latest`, `Conflate`).
        overflow: what happens to an element that does not fit. `error` (after what waits has come out) fails the
            stream; `drop_oldest`, `drop_newest`, `latest` and `Conflate(f)` drop, and count what they drop; `block` makes
            the producer wait, which only a thread other than the loop's can do.
        max_bytes: bytes that may wait; one element larger than that may wait alone.

    Raises:
        PipelineError: register is not callable.
        ValueError: an unknown policy, or a capacity that does not go with it.
        BufferOverflowError: when run, an element did not fit and the policy is `error`.
    """
    require_callable("from_callback", register, "takes an Emitter")
    bound = checked("from_callback", overflow, capacity, "block")
    block = overflow == "block"
    policy: Overflow = "error" if overflow == "block" else overflow

    def open_(env: Env, node: Node) -> CallbackStage[T]:
        backlog: Backlog[T] = Backlog(
            "from_callback", policy, bound, max_bytes=max_bytes, meter=env.meter(node)
        )
        return CallbackStage(env, node, register, Inbox(backlog, env, block=block))

    return source(label("from_callback", register), open_, capacity=bound)


class Inbox(Generic[T]):
    """A backlog between threads and one reader on the loop; its reader never waits for the lock."""

    def __init__(self, backlog: Backlog[T], env: Env, *, block: bool) -> None:
        self.backlog = backlog
        self.error: Exception | None = None
        self.closed: bool = False
        self._block = block
        self._clock = env.clock
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._room = threading.Condition()
        self._news = asyncio.Event()
        self._told = False

    def offer(self, item: T) -> None:
        """Take an element, from any thread; ignored once closed."""
        with self._room:
            if self._block:
                self._wait_room(item)
            if self.closed:
                return
            try:
                self.backlog.offer(item, None, self._clock.time())
            except Exception as error:  # noqa: BLE001 - the stream fails, not the producer
                self.error, self.closed = error, True
        self._tell()

    def close(self, error: Exception | None = None) -> None:
        """No more is coming, from any thread; what waits comes out before the end or the error."""
        with self._room:
            if not self.closed:
                self.error, self.closed = error, True
            self._room.notify_all()
        self._tell()

    async def take(self, n: int) -> Chunk[T]:
        """Wait for 1..n elements; after `close`, the rest and then the end or the error."""
        while True:
            self._told = False
            self._news.clear()
            await self._acquire()
            try:
                chunk, closed = self.backlog.take(n), self.closed
                self._room.notify_all()
            finally:
                self._room.release()
            if chunk is not None:
                return chunk
            if closed:
                return self._last()
            await self._news.wait()

    def _last(self) -> Chunk[T]:
        if self.error is not None:
            raise self.error
        return END

    async def _acquire(self) -> None:
        # Another thread holds it for microseconds; waiting for it would block the loop.
        while not self._room.acquire(blocking=False):  # noqa: ASYNC110
            await asyncio.sleep(0)

    def _wait_room(self, item: T) -> None:
        while not self.closed and not self.backlog.fits(item):
            if threading.get_ident() == self._thread:
                message = (
                    "from_callback: overflow='block' in the thread of the event loop would wait for ever; "
                    "push from another thread, or choose another policy"
                )
                raise RuntimeError(message)
            self._room.wait()

    def _tell(self) -> None:
        if threading.get_ident() == self._thread:
            self._news.set()
        elif not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the run with it
                self._loop.call_soon_threadsafe(self._news.set)


class Emitter(Generic[T]):
    """The producer's end of `from_callback`. All methods may be called from any thread; after the end they do nothing."""

    __slots__ = ("_inbox",)

    def __init__(self, inbox: Inbox[T]) -> None:
        self._inbox = inbox

    @property
    def closed(self) -> bool:
        """True once nothing more is taken: the run is over, was completed, or has failed."""
        return self._inbox.closed

    def on_next(self, value: T) -> None:
        """Push an element.

        Raises:
            RuntimeError: it does not fit, the policy is `block`, and this is the thread of the event loop.
        """
        self._inbox.offer(value)

    def on_error(self, error: Exception) -> None:
        """Fail the stream, after what waits has come out."""
        self._inbox.close(error)

    def on_completed(self) -> None:
        """End the stream, after what waits has come out."""
        self._inbox.close()


class CallbackStage(Stage[T]):
    """Registers at the first request and unregisters at the end."""

    def __init__(
        self, env: Env, node: Node, register: Callable[[Emitter[T]], Any], inbox: Inbox[T]
    ) -> None:
        super().__init__(env, node)
        self._register = register
        self._unregister: Callable[[], Any] | None = None
        self._inbox = inbox
        self._started = False
        self._delist = env.enlist(inbox.close, endless=True)
        self.meter.gauge = lambda: inbox.backlog.gauge(env.clock.time())

    @override
    async def pull(self, n: int) -> Chunk[T]:
        if not self._started:
            self._started = True
            self._start()
        if self.env.clock.held:
            await self.env.clock.breathe()
        try:
            return await self._inbox.take(n)
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise

    def _start(self) -> None:
        try:
            self._unregister = _callable_or_none(self._register(Emitter(self._inbox)))
        except Exception as error:
            annotate(error, self.env.where(self.node))
            raise

    @override
    async def release(self) -> None:
        self._delist()
        await self.release_all(self._close, self._finish)

    async def _close(self) -> None:
        self._inbox.close()

    async def _finish(self) -> None:
        if self._unregister is not None:
            await self.finalize(self._called(self._unregister))

    @staticmethod
    def _called(unregister: Callable[[], Any]) -> Callable[[], Any]:
        async def call() -> None:
            waited = unregister()
            if inspect.isawaitable(waited):
                await waited

        return call


def _callable_or_none(given: Any) -> Callable[[], Any] | None:
    if given is None or callable(given):
        return cast("Callable[[], Any] | None", given)
    message = (
        "from_callback: register must return None or a function that unregisters, "
        f"got {type(given).__name__}"
    )
    raise PipelineError(message)
