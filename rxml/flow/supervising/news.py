"""News: what has happened, for all who want to hear of it, in bounded memory."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from typing_extensions import override

from rxml.flow.check import require_count
from rxml.flow.chunk import END, Chunk
from rxml.flow.kinds import source
from rxml.flow.node import Checkpointing
from rxml.flow.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node

T = TypeVar("T")


class News(Generic[T]):
    """The latest items that were told. All who read share them; whoever is slow misses the oldest, and nobody waits.

    Args:
        keep: items that are remembered, >= 1.

    Attributes:
        count: items that were ever told.

    Raises:
        ValueError: keep below 1.
    """

    def __init__(self, keep: int = 1024) -> None:
        self._kept: deque[T] = deque(maxlen=require_count("News(keep)", keep, 1))
        self._bells: set[asyncio.Future[None]] = set()
        self.count: int = 0

    def tell(self, item: T) -> None:
        """Something has happened."""
        self._kept.append(item)
        self.count += 1
        bells, self._bells = self._bells, set()
        for bell in bells:
            if not bell.done():
                bell.set_result(None)

    def recent(self) -> tuple[T, ...]:
        """What is remembered, the oldest first."""
        return tuple(self._kept)

    def after(self, number: int, n: int) -> tuple[int, list[T]]:
        """At most n items behind the first `number` that were ever told, and how many of those are forgotten."""
        first = self.count - len(self._kept)
        lost = max(0, first - number)
        start = max(number, first) - first
        return lost, list(islice(self._kept, start, start + n))

    def bell(self) -> asyncio.Future[None]:
        """Rung at the next item; to be given back to `mute`."""
        bell: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._bells.add(bell)
        return bell

    def mute(self, bell: asyncio.Future[None]) -> None:
        """Nobody waits for this one any more."""
        self._bells.discard(bell)

    def flow(self, name: str, wanted: Callable[[T], bool] | None = None) -> Flowable[T]:
        """What is remembered, then what is told; it ends when its run is drained.

        A reader holds nothing but its place. What it missed is counted as dropped in the statistics of its run.

        Args:
            name: of the stage.
            wanted: which items; None: all.
        """

        def open_(env: Env, node: Node) -> _Reader[T]:
            return _Reader(env, node, self, wanted)

        return source(name, open_, checkpointing=Checkpointing.PASSES)


class _Reader(Stage[T]):
    def __init__(
        self, env: Env, node: Node, news: News[T], wanted: Callable[[T], bool] | None
    ) -> None:
        super().__init__(env, node)
        self._news = news
        self._wanted = wanted
        self._number = 0
        self._over = False
        self._bell: asyncio.Future[None] | None = None
        self._delist: Callable[[], None] = env.enlist(self._finish, endless=True)

    def _finish(self) -> None:
        self._over = True
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    @override
    def now(self, n: int) -> Chunk[T] | None:
        while self._number < self._news.count:
            lost, items = self._news.after(self._number, n)
            self._number += lost + len(items)
            self.meter.dropped += lost
            if self._wanted is not None:
                items = list(filter(self._wanted, items))
            if items:
                return Chunk(items)
        return None

    @override
    async def pull(self, n: int) -> Chunk[T]:
        while not self._over:
            self._bell = bell = self._news.bell()
            try:
                await bell
            finally:
                self._news.mute(bell)
            if (chunk := self.now(n)) is not None:
                return chunk
        return END

    @override
    async def release(self) -> None:
        self._delist()


class UtcClock:
    """Nanoseconds since 1970 UTC by the clock of the running loop: they go back for nobody who sets the time.

    What the clock on the wall showed is read once for each loop.
    """

    __slots__ = ("_loop", "_origin")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._origin = 0

    def now(self) -> int:
        """The time."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._origin = time.time_ns() - round(loop.time() * 1e9)
        return self._origin + round(loop.time() * 1e9)
