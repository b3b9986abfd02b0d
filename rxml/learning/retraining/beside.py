"""JobStage: passes elements on, and has work done beside them, which never holds them up."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.clock import FIRST, Quota
from rxml.flow.context import drop
from rxml.flow.dropping import dropped
from rxml.flow.scope import Scope, finished
from rxml.flow.stage import Stage
from rxml.flow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class _Failure(NamedTuple):
    """An element that cannot be looked at, and why."""

    error: Exception
    item: Any
    context: Context | None


class _Meeting:
    """Where inputs that are read side by side wait for one another when a barrier comes."""

    def __init__(self) -> None:
        self._going = 0
        self._here: list[asyncio.Future[None]] = []
        self._bell: asyncio.Future[None] | None = None

    def enter(self, work: asyncio.Task[None]) -> None:
        """One more is to be waited for, until its work is done."""
        self._going += 1
        work.add_done_callback(self._leave)

    def _leave(self, _: asyncio.Task[None]) -> None:
        self._going -= 1
        self._ring()

    async def stay(self) -> None:
        """An input has come to a barrier: wait until the elements have passed it."""
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._here.append(passed)
        self._ring()
        await passed

    async def complete(self) -> None:
        """Wait until all inputs have come to it. Cancelling this loses nothing."""
        while len(self._here) < self._going:
            self._bell = asyncio.get_running_loop().create_future()
            await self._bell

    def go_on(self) -> None:
        """The elements have passed it."""
        for passed in self._here:
            if not passed.done():
                passed.set_result(None)
        self._here.clear()

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)


class JobStage(Stage[Any]):
    """Looks at elements as they pass; one job at a time runs in a task of its own. The end waits for it, a cancel ends it.

    It holds at most what is left of a chunk behind an element that cannot be looked at.
    """

    def __init__(self, env: Env, node: Node) -> None:
        super().__init__(env, node)
        self._head: Subscription[Any] | None = None
        self._others: tuple[Subscription[Any], ...] = ()
        self._rest: Chunk[Any] | None = None
        self._failure: _Failure | None = None
        self._scope = Scope()
        self._beside = Scope()
        self._job: asyncio.Task[None] | None = None
        self._quota = Quota(CHUNK, FIRST)
        self._meeting = _Meeting()

    @abstractmethod
    def see(self, items: Sequence[Any]) -> None:
        """Elements pass, 1 at least. If it raises, nothing has changed, and it is asked about each of them alone."""

    def turn(self, items: Sequence[Any]) -> int:
        """How many of these may be looked at until others have had their turn, 1 at least: all, unless one says otherwise."""
        return len(items)

    def beside(self, *others: Subscription[Any]) -> Sequence[Coroutine[Any, Any, None]]:
        """What else runs until the elements end, given the other inputs."""
        del others
        return ()

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._job is not None and not self._job.done()

    def start(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a job; none may be under way. What it raises is told when the run ends, and fails nothing before."""
        self._job = self._scope.spawn(self.guard(job), name=f"{self.node.spec.name}: job")

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        while True:
            if clock.held:
                await clock.breathe()
            self._judge()
            chunk = self._cut(await self._at_hand(min(n, self._quota.limit)))
            if chunk.end:
                await self._ended()
                return chunk
            if chunk.barrier is not None:
                await self._met(chunk)
            seen = self._seen(chunk) if len(chunk.elements) else chunk
            if seen.barrier is not None:
                self._meeting.go_on()
            if len(seen.elements) or seen.signalled:
                return seen

    async def _met(self, chunk: Chunk[Any]) -> None:
        """The other inputs have come to the barrier behind this chunk, which is kept meanwhile."""
        self._rest = chunk
        await self._meeting.complete()
        self._rest = None

    async def barred(self) -> None:
        """Another input has come to a barrier; returns when the elements have passed it."""
        await self._meeting.stay()

    async def _at_hand(self, n: int) -> Chunk[Any]:
        rest, self._rest = self._rest, None
        if rest is not None:
            if len(rest.elements) > n:
                rest, self._rest = rest.split(n)
            return rest
        if self._head is None:
            self._head, *others = (self.env.open(source) for source in self.node.sources)
            self._others = tuple(others)
            for work in self.beside(*others):
                name = f"{self.node.spec.name}: beside"
                self._meeting.enter(self._beside.spawn(work, name=name))
        return await self._head.request(n)

    def _cut(self, chunk: Chunk[Any]) -> Chunk[Any]:
        """What may be looked at in this turn; the rest is kept."""
        most = self.turn(chunk.elements) if len(chunk.elements) else 0
        if most < len(chunk.elements):
            chunk, rest = chunk.split(most)
            self._rest = rest if self._rest is None else _joined(rest, self._rest)
        return chunk

    def _seen(self, chunk: Chunk[Any]) -> Chunk[Any]:
        """What may go on: all, or what is before an element that cannot be looked at."""
        busy = self.env.clock.busy
        began = busy()
        try:
            self.see(chunk.elements)
        except Exception:  # noqa: BLE001 - it is found which of them it is
            return self._one_by_one(chunk)
        finally:
            self._quota.record(len(chunk.elements), busy() - began)
        return chunk

    def _one_by_one(self, chunk: Chunk[Any]) -> Chunk[Any]:
        for at in range(len(chunk.elements)):
            try:
                self.see(chunk.elements[at : at + 1])
            except Exception as error:  # noqa: BLE001 - the supervisor decides, once what came before is out
                context = None if chunk.contexts is None else chunk.contexts[at]
                self._failure = _Failure(error, chunk.elements[at], context)
                left = chunk.part(at + 1, len(chunk.elements))
                if self._rest is not None:
                    left = _joined(left, self._rest)
                self._rest = left if len(left.elements) or left.signalled else None
                return Chunk(
                    chunk.elements[:at], None if chunk.contexts is None else chunk.contexts[:at]
                )
        return chunk

    def _judge(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raised = verdict(self.env, self.node, *failure)
            if raised is not None:
                raise raised

    async def _ended(self) -> None:
        await self._beside.aclose()
        if self._job is not None:
            await finished(self._job)

    @override
    async def release(self) -> None:
        rest, self._rest = self._rest, None
        if rest is not None:
            self.meter.dropped += dropped(rest)
        failure, self._failure = self._failure, None
        if (
            failure is not None
        ):  # nobody asked for what stands behind it, so that nobody has judged it
            self.meter.dropped += 1
            drop([failure.context])
        inputs = [] if self._head is None else [self._head, *self._others]
        cancels = [each.cancel for each in inputs]
        await self.release_all(self._beside.aclose, self._scope.aclose, *cancels)


def _joined(first: Chunk[Any], then: Chunk[Any]) -> Chunk[Any]:
    """Two parts of one chunk, again."""
    contexts = None
    if first.contexts is not None and then.contexts is not None:
        contexts = first.contexts + then.contexts
    return Chunk([*first.elements, *then.elements], contexts, **then.signals())
