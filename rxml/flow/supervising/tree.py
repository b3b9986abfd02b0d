"""SupervisionTree: children that are started in order, started anew when they fail, and stopped in reverse."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, TypeVar

from rxml.errors import AlreadyRunningError, PipelineError
from rxml.flow.check import require_count
from rxml.flow.scope import Scope, finished
from rxml.flow.supervising.news import News
from rxml.flow.supervising.running import Rules, Running
from rxml.flow.supervising.supervised import Supervised
from rxml.flow.timing.duration import seconds_of
from rxml.resilience.intensity import Intensity
from rxml.resilience.retrying import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from rxml.flow.flowable import Flowable
    from rxml.flow.supervising.happening import Happening
    from rxml.flow.supervising.supervised import Runs
    from rxml.flow.timing.duration import Duration

T = TypeVar("T")

Strategy: TypeAlias = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Who is started anew with a child that has failed: nobody else; all; those that were started behind it."""

STRATEGIES: Final[tuple[Strategy, ...]] = ("one_for_one", "one_for_all", "rest_for_one")
BACKOFF: Final = Backoff(0.1, 2.0, 10.0)


class SupervisionTree:
    """Keeps children running: `async with SupervisionTree(reader, Supervised(flow, lasting="transient")): ...`.

    As a supervisor of OTP. Children are started in the order in which they are given, and stopped in reverse. One that
    fails is started anew after a wait that grows, with full jitter. When children have failed more than `restarts` times
    in `seconds`, all are stopped and the tree fails with an EscalatedError: a tree that it is a child of takes over.

    Children that have ended for good are not started again with others. An element that a child has failed at is given to
    it again, or is dead-lettered, where it comes from a `Mailbox`.

    Args:
        children: `Supervised`, or what makes one: a coroutine function, a flow, a `Service`, another tree.
        strategy: who is started anew with a child: `one_for_one`, `one_for_all` or `rest_for_one`.
        restarts: of all children together, >= 0, in any
        seconds: of time, > 0 (seconds, or a timedelta).
        backoff: the waits before the first restart of a row, the second, …; a row ends when `seconds` pass without one.
        name: of the tree.
        random: draws jitter; None: one of its own.
        keep: happenings that are remembered for those who watch.

    Attributes:
        name: as given.
        children: as given.

    Raises:
        PipelineError: a child that cannot run, or two of one name.
        ValueError: a number out of its range, or another strategy.

    Example:
        >>> import asyncio
        >>> from rxml.supervising import SupervisionTree, Supervised
        >>> from rxml.testing.virtual_time import run
        >>> left = [2]
        >>> async def flaky():
        ...     left[0] -= 1
        ...     if left[0] >= 0:
        ...         raise OSError("no line")
        >>> tree = SupervisionTree(Supervised(flaky, lasting="transient"))
        >>> run(tree.run())
        >>> [each.what for each in tree.recent()]
        ['started', 'failed', 'restarting', 'started', 'failed', 'restarting', 'started', 'ended']
    """

    def __init__(
        self,
        *children: Supervised | Callable[[], Awaitable[Any]] | Runs,
        strategy: Strategy = "one_for_one",
        restarts: int = 5,
        seconds: Duration = 30.0,
        backoff: Backoff = BACKOFF,
        name: str = "tree",
        random: Random | None = None,
        keep: int = 1024,
    ) -> None:
        if strategy not in STRATEGIES:
            raise ValueError(
                f"SupervisionTree(strategy=) wants one of {STRATEGIES}, got {strategy!r}"
            )
        self.name: str = name
        self.children: tuple[Supervised, ...] = tuple(map(_child, children))
        _require_names(self.children)
        self._strategy: Strategy = strategy
        self._restarts = require_count("SupervisionTree(restarts)", restarts)
        self._seconds = seconds_of(seconds, "SupervisionTree(seconds)")
        Intensity(restarts, self._seconds)
        self._backoff = backoff
        self._random = random or Random()  # noqa: S311 - jitter
        self._news: News[Happening] = News(keep)
        self._scope = Scope()
        self._running: Running | None = None
        self._task: asyncio.Task[None] | None = None

    def watch(self, child: str | None = None) -> Flowable[Happening]:
        """What is remembered to have happened, then what happens; to one child, or to all.

        Raises:
            PipelineError: there is no such child.
        """
        if child is None:
            return self._news.flow(f"watch({self.name})")
        if all(each.name != child for each in self.children):
            names = ", ".join(each.name for each in self.children)
            raise PipelineError(f"there is no child {child!r} in {self.name}: there are {names}")
        return self._news.flow(f"watch({self.name}/{child})", lambda each: each.child == child)

    def recent(self) -> tuple[Happening, ...]:
        """What is remembered to have happened, the oldest first."""
        return self._news.recent()

    @property
    def alive(self) -> tuple[str, ...]:
        """The children that run now, in order."""
        return () if self._running is None else self._running.alive

    async def run(self) -> None:
        """Run until all children have ended for good; cancelling it stops them.

        Raises:
            EscalatedError: children have failed too often.
            AlreadyRunningError: it runs already.
        """
        if self._running is not None:
            raise AlreadyRunningError(f"{self.name} runs already: a tree runs once at a time")
        rules = Rules(
            self.name, self._strategy, Intensity(self._restarts, self._seconds, backoff=self._backoff)
        )  # fmt: skip
        self._running = Running(self.children, rules, self._random, self._news)
        try:
            await self._running.run()
        finally:
            self._running = None

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise AlreadyRunningError(f"{self.name} runs already: a tree runs once at a time")
        self._task = task = self._scope.spawn(self.run(), name=self.name)
        try:
            await self._begun(task)
        except BaseException:
            self._task = None
            await self._scope.aclose()
            raise
        return self

    async def _begun(self, task: asyncio.Task[None]) -> None:
        await asyncio.sleep(0)
        running = self._running
        if running is not None:
            await asyncio.wait((running.begun, task), return_when=asyncio.FIRST_COMPLETED)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        task, self._task = self._task, None
        await self._scope.aclose()
        failure = _failure(task)
        if failure is not None and error is None:
            raise failure
        if failure is not None and error is not None and error is not failure:
            error.add_note(f"the supervision tree failed, too: {failure!r}")

    async def wait(self) -> None:
        """Wait until all children have ended for good, inside of `async with`.

        Raises:
            EscalatedError: children have failed too often.
        """
        if self._task is not None:
            await finished(self._task)
            failure = _failure(self._task)
            if failure is not None:
                raise failure


def _failure(task: asyncio.Task[None] | None) -> BaseException | None:
    return None if task is None or not task.done() or task.cancelled() else task.exception()


def _child(given: Any) -> Supervised:
    return given if isinstance(given, Supervised) else Supervised(given)


def _require_names(children: tuple[Supervised, ...]) -> None:
    if not children:
        raise PipelineError("SupervisionTree wants at least one child")
    names = [each.name for each in children]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PipelineError(
            f"several children are called {', '.join(twice)}: give each a name, Supervised(what, name=...)"
        )
