"""to_processor: an operator as a Processor."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.errors import StreamClosedError
from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import source
from rxml.flow.placing import flowable
from rxml.flow.run import Run
from rxml.flow.scope import detached_task
from rxml.reactive_streams.emission import Affine, Wish
from rxml.reactive_streams.inlet import Inlet, InletStage
from rxml.reactive_streams.interfaces import Processor, Subscription
from rxml.reactive_streams.publishing import Known, check_subscriber, reject

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.operator import Operator
    from rxml.reactive_streams.interfaces import Subscriber

A = TypeVar("A")
B = TypeVar("B")


def to_processor(operator: Operator[A, B], *, capacity: int = CHUNK) -> Processor[A, B]:
    """A running operator: subscribe it to one publisher, and any number of subscribers to it.

    All subscribers get the same elements from when they have joined, as fast as the slowest asks. When the last of them
    has cancelled, the processor cancels upstream and is over. An error or the end of upstream is passed on at once, whether
    or not anyone asks, unless the operator handles it.

    Args:
        operator: an operator of rxml or of reactivex, or anything that `flow.pipe` takes.
        capacity: elements that it may ask for at once and hold; >= 1.

    Raises:
        RuntimeError: no event loop is running.
        ValueError: a capacity below 1.
    """
    if capacity < 1:
        raise ValueError(f"to_processor wants a capacity >= 1, got {capacity}")
    return OperatorProcessor(operator, capacity)


class OperatorProcessor(Processor[Any, Any]):
    """An operator as a Processor; see `to_processor`."""

    def __init__(self, operator: Any, capacity: int) -> None:
        self._affine = Affine()
        self._inlet = Inlet(capacity, self._news)
        self._tell: Callable[[], None] = _nobody
        fed = source(
            "processor", lambda env, node: InletStage(env, node, self._start), capacity=capacity
        )
        self._flow = flowable(fed.pipe(operator), "to_processor")
        self._branches: list[Branch] = []
        self._known = Known()
        self._held: deque[Any] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._stir: asyncio.Future[None] | None = None
        self._over: Exception | bool = False

    # --- what comes in -------------------------------------------------------------------------

    @override
    def on_subscribe(self, subscription: Subscription) -> None:
        self._inlet.on_subscribe(subscription)

    @override
    def on_next(self, value: Any, is_complete: bool = False) -> None:
        """Take an element; rsocket-py may say with it that it was the last."""
        self._inlet.on_next(value, is_complete)

    @override
    def on_error(self, exception: Exception) -> None:
        self._inlet.on_error(exception)

    @override
    def on_complete(self) -> None:
        self._inlet.on_complete()

    def _start(self, news: Callable[[], None]) -> Inlet:
        self._tell = news
        return self._inlet

    def _news(self) -> None:
        self._tell()
        self.stir()

    # --- what goes out -------------------------------------------------------------------------

    @override
    def subscribe(self, subscriber: Subscriber[Any]) -> None:
        """Serve one more subscriber, from the next element on.

        Raises:
            TypeError: it is None, or not a subscriber (rule 1.9).
            PipelineError: it has subscribed here before (rules 1.10 and 2.12).
        """
        check_subscriber(subscriber)
        self._known.admit(subscriber)
        self._affine.near(self._join, subscriber)

    def _join(self, subscriber: Subscriber[Any]) -> None:
        if isinstance(self._over, Exception):
            return reject(subscriber, self._over)
        branch = Branch(self, self._affine, subscriber)
        if self._over is not True:
            self._branches.append(branch)
        try:
            subscriber.on_subscribe(branch)
        except Exception as error:  # noqa: BLE001 - the subscriber's own
            branch.broken(error)
        if self._over is True:
            branch.end(None)
        return None

    def leave(self, branch: Branch) -> None:
        """A subscriber wants no more; the last one's leaving ends everything."""
        if branch in self._branches:
            self._branches.remove(branch)
            if self._branches:
                self.stir()
            else:
                self._shut()

    def _shut(self) -> None:
        if not self._over:
            self._over = StreamClosedError("the last subscriber of this processor has cancelled it")
        self._inlet.close()
        if self._pump is not None and asyncio.current_task() is not self._pump:
            self._pump.cancel()

    def stir(self) -> None:
        """Something was asked for, or has come, or somebody has left."""
        if self._pump is None and not self._over and (self._inlet.ended or self._wanted()):
            self._pump = detached_task(self._run(), name=f"process {self._flow.spec.name}")
        if self._stir is not None and not self._stir.done():
            self._stir.set_result(None)

    def _wanted(self) -> int:
        return min((branch.wanted for branch in self._branches), default=0)

    async def _run(self) -> None:
        error: Exception | None = None
        try:
            async with Run[Any](self._flow) as run:
                error = await self._serve(run)
        except Exception as raised:  # noqa: BLE001 - finalizers of the run have failed
            error = error or raised
        self._over = self._over or error or True
        self._inlet.close()
        branches, self._branches = self._branches, []
        for branch in branches:
            branch.end(error)

    async def _serve(self, run: Run[Any]) -> Exception | None:
        """Send until the end; returns what the stream failed with."""
        while not self._over:
            wanted = self._wanted()
            if self._held and wanted:
                self._send(self._held.popleft())
            elif not self._held and (wanted or self._inlet.ended):
                # When upstream has ended, whether anything is left is found out without being asked.
                try:
                    chunk = await run.subscription.request(max(1, min(wanted, CHUNK)))
                except Exception as error:  # noqa: BLE001 - passed on when the run is closed
                    return error
                if chunk.end:
                    return None
                self._held.extend(chunk.elements)
            else:
                self._stir = self._affine.loop.create_future()
                await self._stir
        return None

    def _send(self, element: Any) -> None:
        for branch in list(self._branches):
            branch.send(element)


class Branch(Subscription):
    """One subscriber of a processor."""

    def __init__(
        self, processor: OperatorProcessor, affine: Affine, subscriber: Subscriber[Any]
    ) -> None:
        self._processor = processor
        self._affine = affine
        self._subscriber: Subscriber[Any] | None = subscriber
        self._wish = Wish()

    @property
    def wanted(self) -> int:
        """Elements that it has asked for and not got."""
        return self._wish.missing

    @override
    def request(self, n: int) -> None:
        self._affine.near(self._request, n)

    @override
    def cancel(self) -> None:
        self._affine.near(self._cancel)

    def _request(self, n: int) -> None:
        if self._subscriber is None:
            return
        self._wish.add(n)
        if self._wish.error is not None:
            self._affine.loop.call_soon(self._refuse, self._wish.error)
        else:
            self._processor.stir()

    def _refuse(self, error: Exception) -> None:
        self.end(error)
        self._processor.leave(self)

    def _cancel(self) -> None:
        self._subscriber = None
        self._processor.leave(self)

    def send(self, element: Any) -> None:
        """Signal an element."""
        if self._subscriber is None:
            return
        self._wish.take()
        try:
            self._subscriber.on_next(element)
        except Exception as error:  # noqa: BLE001 - the subscriber's own
            self.broken(error)

    def end(self, error: Exception | None) -> None:
        """Signal the end or the failure; nothing follows."""
        subscriber, self._subscriber = self._subscriber, None
        if subscriber is None:
            return
        try:
            if error is None:
                subscriber.on_complete()
            else:
                subscriber.on_error(error)
        except Exception as raised:  # noqa: BLE001 - the subscriber's own
            self._affine.report(raised, subscriber)

    def broken(self, error: Exception) -> None:
        """The subscriber has raised: it counts as cancelled (rule 2.13)."""
        self._affine.report(error, self._subscriber)
        self._cancel()


def _nobody() -> None:
    """Nobody waits for news."""
