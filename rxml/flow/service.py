"""Service: an operator that answers; each element that is asked gets its own answer, while all share one run."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from rxml.errors import DeadlineError, OverloadError, StreamClosedError
from rxml.flow.asked import RESUMING, Inbox, Ticket, Waiter, deliver, require_one_each
from rxml.flow.chunk import CHUNK
from rxml.flow.context import Context, Outcome
from rxml.flow.deadlines import Deadlines
from rxml.flow.flowable import Flowable
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, StageSpec
from rxml.flow.prompt import Prompts, expire
from rxml.flow.restarting import Restarting
from rxml.flow.run import Run
from rxml.flow.scope import Scope
from rxml.flow.stage import Stage, State
from rxml.flow.throughput import Throughput

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.statistics import RunStatistics
    from rxml.resilience.intensity import Intensity

A = TypeVar("A")
B = TypeVar("B")

_MARGIN: Final = 0.6
"""Of the time that an asker gives, what may be spent waiting: the rest is for being worked on."""


class Service(Generic[A, B]):
    """Runs an operator for many who ask: `async with Service(ops.score(model)) as service: await service.ask(row)`.

    An element that fails fails alone, with its own error; the run goes on. A run that fails as a whole is begun anew, after
    a wait that doubles from 0.1 to 10 s, with jitter; who waits then is told so. It may be the child of a
    `SupervisionTree`, which takes over when the run fails too often.

    Args:
        operator: any composition of stages that give one result for each element.
        capacity: elements that may be on their way at once; more are refused.
        intensity: how often the run may fail, and the waits; None: 5 times in 30 s.

    Raises:
        PipelineError: a stage gives more or fewer results than elements; names it.
        ValueError: a capacity below 1.
    """

    def __init__(
        self,
        operator: Operator[A, B],
        *,
        capacity: int = 8192,
        intensity: Intensity | None = None,
    ) -> None:
        if type(capacity) is not int or capacity < 1:
            raise ValueError(f"Service(capacity=) wants an int >= 1, got {capacity!r}")
        self._capacity = capacity
        self._inbox: Inbox | None = None
        spec = StageSpec(
            name="asked",
            open=self._opened,
            cardinality=Cardinality.SOURCE,
            capacity=capacity,
            traits=(Matched(),),
        )
        source: Flowable[A] = Flowable(spec)
        self.flow: Flowable[B] = source.pipe(operator)
        require_one_each(self.flow, source)
        self._prompts = Prompts(source)
        self._pending: deque[tuple[A, Context]] = deque()
        self._waiting: set[Ticket[B]] = set()
        self._deadlines: Deadlines[Ticket[B]] | None = None
        self._through = Throughput()
        self._scope = Scope()
        self._run: Run[B] | None = None
        self._closing = False
        self._restarting = Restarting("a service", intensity)
        self._less: asyncio.Future[None] | None = None

    @property
    def waiting(self) -> int:
        """How many elements are on their way."""
        return len(self._waiting)

    def statistics(self) -> RunStatistics | None:
        """Of the stages of the run; None while there is none."""
        return None if self._run is None else self._run.statistics()

    def start(self) -> None:
        """Begin, on the running event loop; `aclose` ends it. What fails too often is tried again every ten seconds."""
        self._scope.start(self._serve(escalates=False), name="service")
        self._begin()

    async def run(self) -> None:
        """Serve until this is cancelled, as the child of a supervision tree; who still waits is told then.

        Raises:
            EscalatedError: the run has failed too often.
        """
        self._begin()
        try:
            await self._serve(escalates=True)
        finally:
            self._closing = True
            self._desert(StreamClosedError("the service has ended"))

    def _begin(self) -> None:
        self._closing = False
        self._deadlines = Deadlines(asyncio.get_running_loop(), expire)

    @property
    def ready(self) -> bool:
        """Whether all stages have what they need, such as a model that is loaded and warm."""
        return self._run is not None and self._run.ready

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End now; who still waits is told so."""
        self._closing = True
        await self._scope.aclose()
        self._desert(StreamClosedError("the service has ended"))

    async def drain(self, seconds: float) -> bool:
        """Take no more, and wait for at most so long until all have their answer; whether they have."""
        self._closing = True
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._waiting and (left := end - loop.time()) > 0:
            await asyncio.wait([self.fewer()], timeout=left)
        return not self._waiting

    def roomy(self, seconds: float) -> bool:
        """Whether there is room for who can wait: half of the capacity is free, and an answer would not take so long."""
        ahead = len(self._waiting)
        if 2 * ahead >= self._capacity:
            return False
        return ahead < 2 or self._through.seconds(ahead) <= seconds

    def fewer(self) -> asyncio.Future[None]:
        """Done once one element more is on its way no more."""
        if self._less is None:
            self._less = asyncio.get_running_loop().create_future()
        return self._less

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
        future: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        refusal = self.enter(element, Waiter(self, future, within), priority, trace)
        if refusal is not None:
            future.set_exception(refusal)
        return future

    def enter(
        self, element: A, waiter: Ticket[B], priority: int, trace: str | None
    ) -> Exception | None:
        """Have an element on its way whose answer its ticket is given; or why it is not taken, as for `ask`."""
        now = asyncio.get_running_loop().time()
        within = waiter.within
        refusal = self._refusal(within)
        if refusal is not None:
            return refusal
        if not self._waiting and self._prompts.tell(element, waiter, now):
            return None
        deadline = None
        if within is not None and self._deadlines is not None:
            deadline = now + within
            waiter.tick = self._deadlines.set(waiter, deadline)
        self._waiting.add(waiter)
        self._pending.append((element, Context(None, trace, deadline, priority, waiter)))
        if self._inbox is not None:
            self._inbox.ring()
        return None

    def prompt(self, element: A, within: float | None) -> Any:
        """What is told at once of an element that overtakes nothing, as by `Prompts.answer`; None: it is to `enter`."""
        if self._waiting or self._closing or self._restarting.failure is not None:
            return None
        return self._prompts.answer(element, within, asyncio.get_running_loop().time())

    def _refusal(self, within: float | None) -> Exception | None:
        if self._closing:
            return StreamClosedError("the service is about to end")
        if (failure := self._restarting.failure) is not None:
            return StreamClosedError(f"the service has failed, and begins anew: {failure!r}")
        wait = self.crowded(within)
        if wait is None:
            return None
        if (ahead := len(self._waiting)) >= self._capacity:
            words = f"{ahead} elements are on their way, no more are taken"
            return OverloadError(words, wait, "capacity")
        words = f"an answer would take {wait:.3g} s, it is wanted within {within:g} s"
        return OverloadError(words, wait, "pace")

    def crowded(self, within: float | None) -> float | None:
        """None if there is room for an element that is wanted within so many seconds; else in how many there may be."""
        ahead = len(self._waiting)
        if ahead >= self._capacity:
            return self._through.seconds(ahead)
        if within is None or ahead < 2:
            return None
        wait = self._through.seconds(ahead)
        return wait if wait > _MARGIN * within else None

    def left(self, waiter: Ticket[B]) -> None:
        """The element of this one is on its way no more."""
        self._waiting.discard(waiter)
        if self._less is not None:
            self._told_of_room()
        if waiter.within is not None and self._deadlines is not None:
            self._deadlines.take_back(waiter, waiter.tick)

    def _told_of_room(self) -> None:
        less, self._less = self._less, None
        if less is not None and not less.done():
            less.set_result(None)

    def explained(self, outcome: Outcome, within: float | None) -> Exception:
        """See `Desk.explained`."""
        if self._closing:
            return StreamClosedError("the service has ended")
        if outcome is Outcome.SHED:
            wait = self._through.seconds(len(self._waiting))
            return OverloadError("shed: there is more to do than can be done", wait)
        if outcome is not Outcome.DROPPED:
            return StreamClosedError("an element was left out without a word about why")
        if (
            within is None or self._failing
        ):  # stages let go of what they hold before their error is seen
            return StreamClosedError("the service has failed, and begins anew")
        return DeadlineError("dropped: it would have been answered too late")

    @property
    def _failing(self) -> bool:
        head = None if self._run is None else self._run.subscription
        return isinstance(head, Stage) and head.state is State.FAILED

    async def _serve(self, *, escalates: bool) -> None:
        await self._restarting.run(self._served, self._fallen, escalates=escalates)

    def _fallen(self, error: Exception) -> None:
        self._desert(StreamClosedError(f"the service has failed: {error!r}"))

    async def _served(self) -> None:
        async with Run[B](self.flow, supervisor=RESUMING) as run:
            self._run = run
            self._prompts.begin(run.subscription)
            loop = asyncio.get_running_loop()
            try:
                while not (chunk := await run.subscription.request(CHUNK)).end:
                    deliver(chunk)
                    self._through.record(len(chunk.elements), loop.time(), len(self._waiting))
                raise StreamClosedError("its operator has ended by itself")
            finally:
                self._run = None
                self._prompts.end()

    def _desert(self, error: Exception) -> None:
        self._pending.clear()
        waiting, self._waiting = self._waiting, set()
        self._told_of_room()
        for waiter in waiting:
            waiter.refuse(error)
        if self._deadlines is not None:
            self._deadlines.clear()

    def _opened(self, env: Env, node: Node) -> Stage[A]:
        self._inbox = inbox = Inbox(env, node, self._pending)
        return inbox
