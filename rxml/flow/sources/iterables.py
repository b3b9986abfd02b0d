"""Running sources: what the stages without an input do."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from typing_extensions import override

from rxml.errors import CheckpointError
from rxml.flow.chunk import CHUNK, END, Chunk
from rxml.flow.clock import HOLD, LONG, Quota
from rxml.flow.stage import Stage
from rxml.flow.supervision import noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rxml.flow.node import Env, Node

T = TypeVar("T")

_SLICED: Final = frozenset({list, tuple, range})


class _Slices(Generic[T]):
    """Takes from a list, a tuple or a range: slices cost less than iterating."""

    __slots__ = ("_at", "_whole")

    def __init__(self, whole: Sequence[T]) -> None:
        self._whole = whole
        self._at = 0

    def skip(self, n: int) -> int:
        """Leave out up to n elements; returns how many there were."""
        before, self._at = self._at, min(len(self._whole), self._at + n)
        return self._at - before

    def take(self, n: int) -> Sequence[T]:
        """The next n elements, or as many as there are."""
        part = self._whole[self._at : self._at + n]
        self._at += len(part)
        return part


_SLICE: Final = 16 * CHUNK
"""Rows of a batch in one chunk at most: none of them is made, so that more than `CHUNK` cost no more."""

_SKIPPED: Final = 16 * CHUNK
"""Elements that are left out at most in one turn, on the way to a position."""


def _skip(elements: Iterator[Any], n: int) -> int:
    """Leave out up to n elements; returns how many there were."""
    return sum(1 for _ in islice(elements, n))


def _source(elements: Iterable[T]) -> _Slices[T] | Iterator[T]:
    if type(elements) in _SLICED:
        return _Slices(cast("Sequence[T]", elements))
    return iter(elements)


def _listed(chunk: Chunk[T] | None) -> Chunk[T] | None:
    if chunk is not None and chunk.elements.__class__ is not list:
        chunk.elements = list(chunk.elements)
    return chunk


def shrunk(node: Node, position: int, missing: int) -> CheckpointError:
    """What is wrong if an input has fewer elements than before."""
    return CheckpointError(
        f"{node.spec.name} has {position - missing} elements, but {position} had been read before the checkpoint: "
        "the input must be the same after a restart, and may only have grown"
    )


class IterableStage(Stage[T]):
    """Takes from an iterator as much as is wanted, in turns that are short.

    Args:
        make: gives the iterable; called at the first request.
    """

    immediate = True

    def __init__(self, env: Env, node: Node, make: Callable[[], Iterable[T]]) -> None:
        super().__init__(env, node)
        self._make = make
        self._source: _Slices[T] | Iterator[T] | None = None
        self._error: Exception | None = None
        self._over = False
        self._begin = 0
        self._behind = 0
        self._quota = Quota(CHUNK)
        self._clock = env.clock
        self._delist = env.enlist(self._finish)

    def _finish(self) -> None:
        self._over = True

    @override
    def position(self) -> int:
        """Elements given so far, by all runs together."""
        return self._begin + self.meter.emitted

    @override
    def seek(self, position: int) -> None:
        self._begin = self._behind = position

    async def _skip(self) -> None:
        """Leave out the elements before the position, in turns."""
        if self._source is None:
            self._source = _source(self._make())
        source = self._source
        while self._behind:
            count = min(self._behind, _SKIPPED)
            left_out = source.skip(count) if isinstance(source, _Slices) else _skip(source, count)
            if left_out < count:
                raise shrunk(self.node, self._begin, self._behind - left_out)
            self._behind -= count
            await self._clock.breathe()

    @override
    def raw(self, n: int) -> Chunk[T] | None:
        clock = self._clock
        began = clock.busy()
        held = began - clock.yielded > HOLD
        return None if held or self._behind else self._some(n, began)

    @override
    def now(self, n: int) -> Chunk[T] | None:
        return _listed(self.raw(n))

    def _some(self, n: int, began: float) -> Chunk[T] | None:
        """A chunk, or None if there is none any more."""
        if self._over:
            return None
        quota = self._quota
        out = self._take(quota.of(n))
        spent = self._clock.busy() - began
        self.meter.busy += spent
        if spent > LONG or (quota.rising and len(out) >= quota.limit):
            quota.record(len(out), spent)
        return Chunk(out) if out else None

    @override
    async def pull(self, n: int) -> Chunk[T]:
        clock = self._clock
        if clock.held:
            await clock.breathe()
        if self._behind:
            await self._skip()
        chunk = _listed(self._some(n, clock.busy()))
        if chunk is not None:
            return chunk
        if self._error is not None:
            raise self._error
        return END

    def _take(self, n: int) -> Sequence[T]:
        out: list[T] = []
        try:
            if self._source is None:
                self._source = _source(self._make())
            if isinstance(self._source, _Slices):
                part = self._source.take(n)
                self._over = len(part) < n
                return part
            out.extend(islice(self._source, n))
        except Exception as error:  # noqa: BLE001 - raised after the elements before it
            self._error = noted(error, self.env.where(self.node))
            self._over = True
        self._over = self._over or len(out) < n
        return out

    @override
    async def release(self) -> None:
        self._delist()
        close = getattr(self._source, "close", None)
        self._source = None
        if close is not None:
            close()


class BatchesStage(Stage[Any]):
    """Takes rows from sequences that slice without copying, such as `Batch`, one sequence after the other.

    An error of the producer comes after the rows before it; a drained run still gets the rows of the sequence at hand.
    """

    immediate = True

    def __init__(self, env: Env, node: Node, make: Callable[[], Iterable[Sequence[Any]]]) -> None:
        super().__init__(env, node)
        self._make = make
        self._iterator: Iterator[Any] | None = None
        self._rows: Sequence[Any] = ()
        self._kind: type | None = None
        self._at = 0
        self._begin = 0
        self._behind = 0
        self._error: Exception | None = None
        self._over = False
        self._clock = env.clock
        self._delist = env.enlist(self._finish)
        self.meter.gauge = lambda: (len(self._rows) - self._at, None)

    def _finish(self) -> None:
        self._over = True

    @override
    def position(self) -> int:
        """Rows given so far, by all runs together."""
        return self._begin + self.meter.emitted

    @override
    def seek(self, position: int) -> None:
        self._begin = self._behind = position

    @override
    def now(self, n: int) -> Chunk[Any] | None:
        while self._at >= len(self._rows):
            if self._over or self._clock.held:
                return None
            self._next()
        rows, start = self._rows, self._at
        self._at = stop = min(len(rows), start + min(n, _SLICE))
        return Chunk(rows if stop - start == len(rows) else rows[start:stop])

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        while (chunk := self.now(n)) is None:
            if self._error is not None:
                raise self._error
            if self._over:
                return END
            await self._clock.breathe()
        return chunk

    def _next(self) -> None:
        """Take the next sequence, the end, or the producer's error, annotated."""
        began = self._clock.busy()
        self._rows, self._at = (), 0
        try:
            if self._iterator is None:
                self._iterator = iter(self._make())
            for rows in self._iterator:
                if type(rows) is not self._kind:
                    self._kind = type(_sequence(rows))
                self._rows = rows
                self._at = min(self._behind, len(rows))
                self._behind -= self._at
                break
            else:
                self._over = True
                if self._behind:
                    raise shrunk(self.node, self._begin, self._behind)  # noqa: TRY301 - as all that goes wrong here
        except Exception as error:  # noqa: BLE001 - raised when it is next asked
            self._error, self._over = noted(error, self.env.where(self.node)), True
        self.meter.busy += self._clock.busy() - began

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
