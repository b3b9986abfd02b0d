"""Strategies: how streams differ without a difference that may matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import hypothesis.strategies as st
from typing_extensions import override

from rxml.batch import Batch
from rxml.errors import RxmlError
from rxml.flow.chunk import UNBOUNDED, Chunk
from rxml.flow.kinds import boundary
from rxml.flow.sources.create import from_async_iterable, from_iterable, of
from rxml.testing.comparing import same
from rxml.testing.script import Barrier, Fail, Sleep, Step, Watermark, scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from rxml.flow.body import Outlet
    from rxml.flow.flowable import Flowable
    from rxml.flow.subscription import Subscription

T = TypeVar("T")

LONG_AGO: Final = -(10**6)
"""Event time in ns before that of the elements that tests use, so that a watermark there makes nothing late."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A drawn flow, and what it gives.

    Attributes:
        flow: to be run as often as wanted.
        elements: what comes out.
        error: what it fails with after them, or None if it ends.
        form: how it is made, in words.
    """

    flow: Flowable[Any]
    elements: list[Any]
    error: Exception | None
    form: str

    @override
    def __repr__(self) -> str:
        ending = "" if self.error is None else f", then {self.error!r}"
        return f"<{self.form} of {self.elements!r}{ending}>"


SIZES: Final = st.lists(st.integers(1, 3), max_size=8)
SIZES_AND_HEARTBEATS: Final = st.lists(st.integers(0, 3), max_size=8)
WAITS: Final = st.lists(st.sampled_from([None, 0.0, 1.0]), max_size=8)
_DEMANDS: Final = st.lists(st.sampled_from([UNBOUNDED, 1, 2, 3, 5]), min_size=1, max_size=3)


def chunkings(elements: Sequence[Any], *, heartbeats: bool = True) -> SearchStrategy[list[Step]]:
    """All ways to cut a list into chunks: whole, one by one, anything between; after the eighth cut, the rest at once.

    Shrinks towards the whole in one chunk. Meant for `scripted(*chunking)`.

    Args:
        elements: what is cut.
        heartbeats: let chunks without elements come between, that carry a watermark of long ago or a barrier.
    """
    whole = list(elements)
    sizes = SIZES_AND_HEARTBEATS if heartbeats else SIZES
    return sizes.map(lambda drawn: cut(whole, drawn))


def cut(elements: list[Any], sizes: Sequence[int]) -> list[Step]:
    """Chunks of these sizes, what is left in one; size 0 is a heartbeat."""
    steps: list[Step] = []
    at = 0
    for number, size in enumerate(sizes):
        if size == 0:
            steps.append(Barrier(number) if number % 2 else Watermark(LONG_AGO + number))
        elif at < len(elements):
            steps.append(Chunk(elements[at : at + size]))
            at += size
    if at < len(elements):
        steps.append(Chunk(elements[at:]))
    return steps


def batched(step: Step) -> Step:
    """The step with its elements in a `Batch`, if they are rows of which one can be made without changing a value."""
    if not isinstance(step, Chunk) or not all(isinstance(each, Mapping) for each in step.elements):
        return step
    try:
        batch = Batch.from_rows(list(step.elements))
        alike = len(batch) > 0 and same(list(batch), list(step.elements))
    except (TypeError, ValueError, OverflowError, RxmlError):
        return step
    return Chunk(batch, step.contexts, **step.signals()) if alike else step


def demands() -> SearchStrategy[tuple[int, ...]]:
    """What a sink asks for, over and over; shrinks towards as much as is ready."""
    return _DEMANDS.map(tuple)


def pauses(steps: Sequence[Step]) -> SearchStrategy[list[Step]]:
    """The same steps with waits between the first of them: for a turn of the loop, or for a second."""
    return WAITS.map(lambda waits: delayed(steps, waits))


def delayed(steps: Sequence[Step], waits: Sequence[float | None]) -> list[Step]:
    """The steps, with a wait of so many seconds before each (None: no wait)."""
    late: list[Step] = []
    for number in range(max(len(steps), len(waits))):
        wait = waits[number] if number < len(waits) else None
        late += [] if wait is None else [Sleep(wait)]
        late += steps[number : number + 1]
    return late


class StrangeFault(Exception):  # noqa: N818 - what a user might throw
    """An error that equals nothing, is falsy and has no arguments."""

    @override
    def __eq__(self, other: object) -> bool:
        return False

    @override
    def __hash__(self) -> int:
        return super().__hash__()

    def __bool__(self) -> bool:
        return False


_FAULTS: Final[list[Callable[[], Exception]]] = [
    lambda: ValueError("fault"),
    lambda: KeyError("fault"),
    lambda: OSError(5, "fault"),
    lambda: TimeoutError("fault"),
    lambda: RuntimeError("fault"),
    StrangeFault,
    lambda: EOFError("fault"),
    lambda: ExceptionGroup("faults", [ValueError("fault")]),
    lambda: ConnectionError("fault"),
    lambda: IndexError("fault"),
    lambda: TypeError("fault"),
    lambda: AttributeError("fault"),
]


def faults() -> SearchStrategy[Exception]:
    """Errors of many kinds, those among them that careless code takes for its own."""
    return st.sampled_from(_FAULTS).map(lambda make: make())


@st.composite
def flows(
    draw: DrawFn, elements: SearchStrategy[Any], *, max_size: int = 10, failing: bool = True
) -> Flow:
    """Flows that differ in how they are made: at once, chunk by chunk, in tasks of their own, ahead of demand.

    Args:
        draw: given by hypothesis.
        elements: one element.
        max_size: elements at most.
        failing: let some of them fail at the end.
    """
    values = draw(st.lists(elements, max_size=max_size))
    error = draw(st.none() | faults()) if failing else None
    form = draw(st.sampled_from(sorted(_FORMS)))
    if form == "scripted":
        chunks = draw(chunkings(values).flatmap(pauses))
        ending = [] if error is None else [Fail(error)]
        return Flow(scripted(*chunks, *ending), values, error, form)
    return Flow(_FORMS[form](values, error), values, error, form)


def _made(values: list[Any], error: Exception | None) -> Iterator[Any]:
    yield from values
    if error is not None:
        raise error


def _of(values: list[Any], error: Exception | None) -> Flowable[Any]:
    return of(*values) if error is None else _iterable(values, error)


def _iterable(values: list[Any], error: Exception | None) -> Flowable[Any]:
    return from_iterable(lambda: _made(values, error))


def _asynchronous(values: list[Any], error: Exception | None) -> Flowable[Any]:
    return from_async_iterable(lambda: _Asynchronous(values, error))


class _Asynchronous:
    """An async iterator by hand, since a generator turns some errors into others."""

    def __init__(self, values: list[Any], error: Exception | None) -> None:
        self._values = iter(values)
        self._error = error

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for value in self._values:
            return value
        raise StopAsyncIteration if self._error is None else self._error


def _prefetched(values: list[Any], error: Exception | None) -> Flowable[Any]:
    """Read ahead of demand, in a task of its own."""

    async def body(inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        while not (chunk := await inlets[0].request(await outlet.room())).end:
            await outlet.send(chunk)

    ending = () if error is None else (Fail(error),)
    return boundary("ahead", body, capacity=4)(scripted(Chunk(values), *ending))


_FORMS: Final[dict[str, Callable[[list[Any], Exception | None], Flowable[Any]]]] = {
    "of": _of,
    "from_iterable": _iterable,
    "from_async_iterable": _asynchronous,
    "prefetched": _prefetched,
    "scripted": _of,
}
