"""Service: an operator that answers; each element that is asked gets its own answer, while all share one run."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, cast

from typing_extensions import override

from rxml.errors import DeadlineError, OverloadError, PipelineError, StreamClosedError
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.flowable import Flowable
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, MarkSpec, StageSpec
from rxml.flow.run import Run
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage
from rxml.flow.supervision import DeadLetter, Directive, Supervisor
from rxml.flow.throughput import Throughput

if TYPE_CHECKING:
    from types import TracebackType

    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.statistics import RunStatistics

A = TypeVar("A")
B = TypeVar("B")

_LOG: Final = logging.getLogger("rxml.service")
_MARGIN: Final = 0.7
"""Of the time that an asker gives, what may be spent waiting: the rest is for being worked on."""

_BACK_OFF: Final = (0.1, 10.0)
"""Seconds before a run that has failed is begun again: at first, and at most; it doubles."""


class Waiter(Generic[B]):
    """One who asked. It travels as `Context.settle`, so that whatever becomes of the element is told here.

    Attributes:
        future: the answer.
    """

    __slots__ = ("_service", "future")

    def __init__(self, service: Service[Any, B], future: asyncio.Future[B]) -> None:
        self._service = service
        self.future: asyncio.Future[B] = future

    @property
    def gone(self) -> bool:
        """Whether nobody waits any more: it has been told already, or was cancelled."""
        return self.future.done()

    def answer(self, result: B) -> None:
        """It has an answer."""
        if not self.future.done():
            self.future.set_result(result)

    def refuse(self, error: Exception) -> None:
        """It has none, and this is why."""
        if not self.future.done():
            self.future.set_exception(error)

    def __call__(self, outcome: Outcome) -> None:
        """Told how the element ended (see `Context.settle`)."""
        if self.future.done() or outcome is Outcome.ANSWERED:
            return
        self.refuse(self._service.explained(outcome))


class Service(Generic[A, B]):
    """Runs an operator for many who ask: `async with Service(ops.score(model)) as service: await service.ask(row)`.

    An element that fails fails alone, with its own error; the run goes on. A run that fails as a whole is begun anew, after
    a back-off that doubles from 0.1 to 10 s.

    Args:
        operator: any composition of stages that give one result for each element.
        capacity: elements that may be on their way at once; more are refused.

    Raises:
        PipelineError: a stage gives more or fewer results than elements; names it.
        ValueError: a capacity below 1.
    """

    def __init__(self, operator: Operator[A, B], *, capacity: int = 8192) -> None:
        if type(capacity) is not int or capacity < 1:
            raise ValueError(f"Service(capacity=) wants an int >= 1, got {capacity!r}")
        self._capacity = capacity
        self._inbox: _Inbox | None = None
        spec = StageSpec(
            name="asked",
            open=self._opened,
            cardinality=Cardinality.SOURCE,
            capacity=capacity,
            traits=(Matched(),),
        )
        source: Flowable[A] = Flowable(spec)
        self.flow: Flowable[B] = operator(source)
        _require_one_each(self.flow)
        self._pending: deque[tuple[A, Context]] = deque()
        self._waiting: set[Waiter[B]] = set()
        self._through = Throughput()
        self._scope = Scope()
        self._run: Run[B] | None = None
        self._closing = False
        self._failure: Exception | None = None

    @property
    def waiting(self) -> int:
        """How many wait for an answer."""
        return len(self._waiting)

    def statistics(self) -> RunStatistics | None:
        """Of the stages of the run; None while there is none."""
        return None if self._run is None else self._run.statistics()

    def start(self) -> None:
        """Begin, on the running event loop; `aclose` ends it."""
        self._closing = False
        self._scope.start(self._serve(), name="service")

    @property
    def ready(self) -> bool:
        """Whether all stages have what they need, such as a model that is loaded and warm."""
        return self._run is not None and self._run.ready

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End now; who still waits is told so."""
        self._closing = True
        await self._scope.aclose()
        self._desert(StreamClosedError("the service has ended"))

    async def drain(self, seconds: float) -> bool:
        """Take no more, and wait for at most so long until all have their answer; whether they have."""
        self._closing = True
        waiting = [waiter.future for waiter in self._waiting]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        return not self._waiting

    def ask(
        self,
        element: A,
        *,
        within: float | None = None,
        priority: int = 0,
        trace: str | None = None,
    ) -> asyncio.Future[B]:
        """The answer to an element, to be awaited; cancelling it drops the element.

        Args:
            element: what the operator takes.
            within: seconds after which the answer is worth nothing; None: whenever.
            priority: larger is more urgent.
            trace: identity of the request.

        Raises (when awaited):
            OverloadError: there is no room, or the answer would come too late by the pace so far; at once.
            DeadlineError: there was none in time.
            StreamClosedError: the service has ended, or is not there for the moment.
            Exception: what a stage raised for this element.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[B] = loop.create_future()
        refusal = self._refusal(within, loop.time())
        if refusal is not None:
            future.set_exception(refusal)
            return future
        waiter = Waiter(self, future)
        deadline = None
        if within is not None:
            deadline = loop.time() + within
            timer = loop.call_at(deadline, self._expired, waiter, within)
            future.add_done_callback(lambda _: timer.cancel())
        self._waiting.add(waiter)
        future.add_done_callback(lambda _: self._waiting.discard(waiter))
        self._pending.append((element, Context(None, trace, deadline, priority, waiter)))
        if self._inbox is not None:
            self._inbox.ring()
        return future

    def _refusal(self, within: float | None, now: float) -> Exception | None:
        if self._closing:
            return StreamClosedError("the service is about to end")
        if self._failure is not None:
            return StreamClosedError(f"the service has failed, and begins anew: {self._failure!r}")
        ahead = len(self._waiting)
        if ahead >= self._capacity:
            wait = self._through.seconds(ahead, now)
            return OverloadError(f"{ahead} elements are on their way, no more are taken", wait)
        if within is not None and ahead > 1:
            wait = self._through.seconds(ahead, now)
            if wait > _MARGIN * within:
                return OverloadError(
                    f"an answer would take {wait:.3g} s, it is wanted within {within:g} s", wait
                )
        return None

    @staticmethod
    def _expired(waiter: Waiter[B], within: float) -> None:
        waiter.refuse(DeadlineError(f"no answer within {within:g} s"))

    def explained(self, outcome: Outcome) -> Exception:
        """Why an element that ended so has no answer."""
        if self._closing:
            return StreamClosedError("the service has ended")
        if outcome is Outcome.SHED:
            wait = self._through.seconds(len(self._waiting), asyncio.get_running_loop().time())
            return OverloadError("shed: there is more to do than can be done", wait)
        if outcome is Outcome.DROPPED:
            return DeadlineError("dropped: it would have been answered too late")
        return StreamClosedError("an element was left out without a word about why")

    async def _serve(self) -> None:
        pause, most = _BACK_OFF
        while not self._closing:
            try:
                await self._served()
            except Exception as error:  # noqa: BLE001 - logged, told to who waits, and begun anew
                self._failure = error
                _LOG.exception("a service has failed; it begins anew in %g s", pause)
                self._desert(StreamClosedError(f"the service has failed: {error!r}"))
                await asyncio.sleep(pause)
                pause = min(most, 2 * pause)
                self._failure = None

    async def _served(self) -> None:
        supervisor = Supervisor(_resume, self._buried)
        async with Run[B](self.flow, supervisor=supervisor) as run:
            self._run = run
            loop = asyncio.get_running_loop()
            try:
                while not (chunk := await run.subscription.request(CHUNK)).end:
                    self._deliver(chunk)
                    self._through.record(
                        len(chunk.elements),
                        loop.time(),
                        idle=len(self._waiting) <= len(chunk.elements),
                    )
            finally:
                self._run = None

    def _deliver(self, chunk: Chunk[B]) -> None:
        if chunk.contexts is None:
            raise PipelineError("a stage of the service has lost the contexts of its elements")
        for element, context in zip(chunk.elements, chunk.contexts, strict=True):
            waiter = cast("Waiter[B] | None", context.settle)
            if waiter is not None and waiter.__class__ is Waiter:
                waiter.answer(element)
            else:
                context.settled(Outcome.ANSWERED)

    def _buried(self, letter: DeadLetter) -> None:
        """Whoever asked for what could not be processed is told why."""
        waiter = None if letter.context is None else letter.context.settle
        if isinstance(waiter, Waiter):
            waiter.refuse(letter.error)

    def _desert(self, error: Exception) -> None:
        self._pending.clear()
        for waiter in list(self._waiting):
            waiter.refuse(error)

    def _opened(self, env: Env, node: Node) -> Stage[A]:
        self._inbox = inbox = _Inbox(env, node, self._pending)
        return inbox


class _Inbox(Stage[Any]):
    """What is asked, as it comes."""

    def __init__(self, env: Env, node: Node, pending: deque[tuple[Any, Context]]) -> None:
        super().__init__(env, node)
        self._pending = pending
        self._bell: asyncio.Future[None] | None = None
        self._over = False
        self._delist = env.enlist(self._finish, endless=True)
        self.meter.gauge = lambda: (len(pending), None)

    def ring(self) -> None:
        """Something has come."""
        bell, self._bell = self._bell, None
        if bell is not None and not bell.done():
            bell.set_result(None)

    def _finish(self) -> None:
        self._over = True
        self.ring()

    @override
    def now(self, n: int) -> Chunk[Any] | None:
        pending = self._pending
        if not pending:
            return None
        asked = [pending.popleft() for _ in range(min(n, len(pending)))]
        return Chunk([element for element, _ in asked], [context for _, context in asked])

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while not self._over:
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell
            chunk = self.now(n)
            if chunk is not None:
                return chunk
        return END

    @override
    async def release(self) -> None:
        self._delist()


def _resume(_: Exception) -> Directive:
    return Directive.RESUME


def _require_one_each(flow: Node) -> None:
    for node in flow.walk():
        spec = node.spec
        if spec.cardinality not in (Cardinality.ONE, Cardinality.SOURCE) and not isinstance(
            spec, MarkSpec
        ):
            raise PipelineError(
                f"{spec.name} gives {spec.cardinality.value} results for an element: "
                "whoever asks gets one answer, so that each stage must give one"
            )
