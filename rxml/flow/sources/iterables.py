"""Running sources: what the stages without an input do."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from typing_extensions import override

from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import HOLD, Quota
from rxml.flow.stage import Stage
from rxml.flow.supervision import noted

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
        self._clock = env.clock
        self._delist = env.enlist(self._finish)

    def _finish(self) -> None:
        self._over = True

    @override
    async def pull(self, n: int) -> Chunk[T]:
        clock = self._clock
        began = clock.busy()
        if began - clock.yielded > HOLD:
            await clock.breathe()
            began = clock.yielded
        out = [] if self._over else self._take(self._quota.of(n))
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
            self._error = noted(error, self.env.where(self.node))
        self._over = self._over or len(out) < n
        return out

    @override
    async def release(self) -> None:
        self._delist()
        close = getattr(self._iterator, "close", None)
        self._iterator = None
        if close is not None:
            close()


class BatchesStage(Stage[Any]):
    """Takes rows from sequences that slice without copying, such as `Batch`, one sequence after the other.

    An error of the producer comes after the rows before it; a drained run still gets the rows of the sequence at hand.
    """

    def __init__(self, env: Env, node: Node, make: Callable[[], Iterable[Sequence[Any]]]) -> None:
        super().__init__(env, node)
        self._make = make
        self._iterator: Iterator[Any] | None = None
        self._rows: Sequence[Any] = ()
        self._at = 0
        self._over = False
        self._delist = env.enlist(self._finish)
        self.meter.gauge = lambda: (len(self._rows) - self._at, None)

    def _finish(self) -> None:
        self._over = True

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        clock = self.env.clock
        while self._at >= len(self._rows):
            if clock.held:
                await clock.breathe()
            if self._over:
                return END
            began = clock.busy()
            self._next()
            self.meter.busy += clock.busy() - began
        start, stop = self._at, min(len(self._rows), self._at + min(n, CHUNK))
        self._at = stop
        return Chunk(self._rows if stop - start == len(self._rows) else self._rows[start:stop])

    def _next(self) -> None:
        """Take the next sequence, or the end; the producer's error is annotated and passed on."""
        self._rows, self._at = (), 0
        try:
            if self._iterator is None:
                self._iterator = iter(self._make())
            for rows in self._iterator:
                self._rows = _sequence(rows)
                return
        except Exception as error:
            annotated = noted(error, self.env.where(self.node))
            if annotated is error:
                raise
            raise annotated from error
        self._over = True

    @override
    async def release(self) -> None:
        self._delist()
        close = getattr(self._iterator, "close", None)
        self._iterator, self._rows, self._at = None, (), 0
        if close is not None:
            close()


def _sequence(rows: Any) -> Sequence[Any]:
    """The rows, if they can be counted and sliced."""
    if isinstance(rows, Mapping) or not (hasattr(rows, "__len__") and hasattr(rows, "__getitem__")):
        kind = type(cast("object", rows)).__name__
        message = f"from_batches wants sequences of rows, such as Batch or list, got {kind}"
        raise TypeError(message)
    return cast("Sequence[Any]", rows)


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
