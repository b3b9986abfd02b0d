"""Running sources: what the stages without an input do."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import HOLD, Quota
from rxml.flow.stage import Stage
from rxml.flow.supervision import annotate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rxml.flow.node import Env, Node

T = TypeVar("T")


class IterableStage(Stage[T]):
    """Takes from an iterator as much as is wanted, in turns that are short.

    Args:
        make: gives the iterable; called at the first request.
    """

    def __init__(self, env: Env, node: Node, make: Callable[[], Iterable[T]]) -> None:
        super().__init__(env, node)
        self._make = make
        self._iterator: Iterator[T] | None = None
        self._error: Exception | None = None
        self._over = False
        self._quota = Quota(CHUNK)
        self._delist = env.enlist(self._finish)

    def _finish(self) -> None:
        self._over = True

    @override
    async def pull(self, n: int) -> Chunk[T]:
        clock = self.env.clock
        began = clock.busy()
        if began - clock.yielded > HOLD:
            await clock.breathe()
            began = clock.yielded
        if self._error is not None:
            raise self._error
        if self._over:
            return END
        out = self._take(self._quota.of(n))
        spent = clock.busy() - began
        self.meter.busy += spent
        self._quota.record(len(out), spent)
        if out:
            return Chunk(out)
        if self._error is not None:
            raise self._error
        return END

    def _take(self, n: int) -> list[T]:
        out: list[T] = []
        try:
            if self._iterator is None:
                self._iterator = iter(self._make())
            out.extend(islice(self._iterator, n))
        except Exception as error:  # noqa: BLE001 - raised after the elements before it
            annotate(error, self.env.where(self.node))
            self._error = error
        return out

    @override
    async def release(self) -> None:
        self._delist()
        close = getattr(self._iterator, "close", None)
        self._iterator = None
        if close is not None:
            close()


class BatchesStage(Stage[Any]):
    """Takes rows from sequences that slice without copying, such as `Batch`, one sequence after the other."""

    def __init__(self, env: Env, node: Node, make: Callable[[], Iterable[Sequence[Any]]]) -> None:
        super().__init__(env, node)
        self._make = make
        self._iterator: Iterator[Sequence[Any]] | None = None
        self._rest: Sequence[Any] = ()
        self._over = False
        self._delist = env.enlist(self._finish)

    def _finish(self) -> None:
        self._over = True

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if self.env.clock.held:
            await self.env.clock.breathe()
        if self._over:
            return END
        if self._iterator is None:
            self._iterator = iter(self._make())
        while not len(self._rest):
            following = next(self._iterator, None)
            if following is None:
                return END
            self._rest = following
        n = min(n, max(CHUNK, 1))
        if len(self._rest) <= n:
            whole, self._rest = self._rest, ()
            return Chunk(whole)
        head, self._rest = self._rest[:n], self._rest[n:]
        return Chunk(head)

    @override
    async def release(self) -> None:
        self._delist()
        close = getattr(self._iterator, "close", None)
        self._iterator, self._rest = None, ()
        if close is not None:
            close()


class EndStage(Stage[Any]):
    """Ends, or fails, as soon as it is asked."""

    def __init__(self, env: Env, node: Node, error: Exception | None = None) -> None:
        super().__init__(env, node)
        self._error = error

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        del n
        if self._error is not None:
            raise self._error
        return END
