"""Window routers: a branch for the elements of some time, or for some elements that follow one another."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.flow.nested.routing import Router
from rxml.flow.timing.alarm import Alarm

if TYPE_CHECKING:
    from rxml.flow.nested.branch import Branch
    from rxml.flow.nested.routing import Forks
    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription


class WindowRouter(Router):
    """Puts each element into all windows that are open."""

    def __init__(self) -> None:
        self.windows: deque[Branch] = deque()
        self._opened = 0

    async def open(self, splitter: Forks) -> None:
        """Open another window."""
        self.windows.append(await splitter.fork(self._opened))
        self._opened += 1

    def close(self, splitter: Forks) -> None:
        """Close the oldest window."""
        splitter.end(self.windows.popleft())

    @override
    async def begin(self, splitter: Forks) -> None:
        await self.open(splitter)

    @override
    async def route(self, splitter: Forks, element: Any) -> list[tuple[Branch, Any]]:
        return [(window, element) for window in self.windows]


class CountRouter(WindowRouter):
    """Opens a window every `skip` elements, for `count` elements each."""

    def __init__(self, count: int, skip: int) -> None:
        super().__init__()
        self._count = count
        self._skip = skip
        self._taken = 0

    @override
    async def routed(self, splitter: Forks) -> None:
        self._taken += 1
        over = self._taken - self._count
        if over >= 0 and over % self._skip == 0:
            self.close(splitter)
        if self._taken % self._skip == 0:
            await self.open(splitter)


class BoundaryRouter(WindowRouter):
    """Goes over to the next window at each element of another flow."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._boundaries = node.sources[1]

    @override
    def alarm(self, env: Env) -> Subscription[Any]:
        return env.open(self._boundaries)

    @override
    async def struck(self, splitter: Forks) -> None:
        self.close(splitter)
        await self.open(splitter)


class TimeRouter(WindowRouter):
    """Opens a window every `shift` seconds, for `seconds` each. Those that nobody waited for are left out."""

    punctual = True

    def __init__(self, seconds: float, shift: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._shift = shift
        self._ends: deque[float] = deque()
        self._next = 0.0

    @override
    def alarm(self, env: Env) -> Subscription[Any]:
        self._alarm = Alarm(env.clock)
        return self._alarm

    @override
    async def begin(self, splitter: Forks) -> None:
        self._next = self._alarm.now()
        await self.struck(splitter)

    @override
    async def struck(self, splitter: Forks) -> None:
        now = self._alarm.now()
        while self._ends and self._ends[0] <= now:
            self._ends.popleft()
            self.close(splitter)
        if self._next <= now:
            begun = self._next + (now - self._next) // self._shift * self._shift
            self._next = begun + self._shift
            if begun + self._seconds > now:
                self._ends.append(begun + self._seconds)
                await self.open(splitter)
        self._alarm.set(min([self._next, *self._ends]))


class TimeOrCountRouter(WindowRouter):
    """Goes over to the next window after `seconds`, or after `count` elements if that is earlier."""

    punctual = True

    def __init__(self, seconds: float, count: int) -> None:
        super().__init__()
        self._seconds = seconds
        self._count = count
        self._taken = 0
        self._due = 0.0

    @override
    def alarm(self, env: Env) -> Subscription[Any]:
        self._alarm = Alarm(env.clock)
        return self._alarm

    @override
    async def open(self, splitter: Forks) -> None:
        self._taken = 0
        self._due = self._alarm.now() + self._seconds
        self._alarm.set(self._due)
        await super().open(splitter)

    @override
    async def routed(self, splitter: Forks) -> None:
        self._taken += 1
        if self._taken == self._count:
            self.close(splitter)
            await self.open(splitter)

    @override
    async def struck(self, splitter: Forks) -> None:
        # It may have rung for a window that was full at the same moment.
        if self._alarm.now() >= self._due:
            self.close(splitter)
            await self.open(splitter)
