"""Kernels: the synchronous work of one stage on one chunk, without asyncio.

Neighbouring kernels run as one loop over the chunk (`rxml.flow.fusion.fused`). A kernel works on an iterator, so that when the
user's function raises, `out` holds the results before the error and the iterator stands just past the culprit:
leaving an element out costs nothing until one fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

A = TypeVar("A")
B = TypeVar("B")


class Kernel(Generic[A, B]):
    """State of one synchronous stage in one run.

    What it does must not depend on how elements were chunked; `demand` may only decide how many come at a time.

    Attributes:
        finished: true as soon as no further element can change the result; upstream is then closed at once.
        timely: whether `advance` is to be called.
        apart: a type of elements that take longer than others: a turn has few of them, whatever others take.
        version: of what `snapshot` gives; raise it when that changes, so that older checkpoints are refused.
        stateless: it keeps nothing from one element to the next. One that does not say so, and has no `snapshot` and
            `restore` of its own, is refused where a run is saved: it would begin anew in silence.
        lost: elements that its own rules have left out, such as late ones; they are counted as dropped, and it is set
            back to 0.
        evicted: keys whose state it has given up; they are counted, and it is set back to 0.
    """

    finished: bool = False
    lost: int = 0
    evicted: int = 0
    timely: ClassVar[bool] = False
    stateless: ClassVar[bool] = False
    apart: ClassVar[type[Any] | None] = None
    version: int = 1

    def demand(self, n: int) -> int:
        """How many elements to ask of upstream when downstream wants n (>= 1): so many that at most n results follow."""
        return n

    def push(self, items: Iterator[A], out: list[B]) -> None:
        """Take from `items` until it has no more, and append the results to `out` as they come.

        When the user's function raises, let it: what is in `out` goes out, the state is that before the last item taken,
        and if that is left out, `push` is called again with the rest. Only when `finished` may items be left.

        Args:
            items: an iterator over a list or tuple.
            out: results of this push, in order.
        """
        raise NotImplementedError

    def flush(self) -> Iterable[B]:
        """What is still to be emitted now that upstream has ended or the kernel is finished; not called after an error."""
        return ()

    def advance(self, watermark: int) -> Sequence[B]:
        """What is to be emitted now that no element with an event time before the watermark follows.

        Called once for each watermark, behind the elements that came before it; watermarks rise. The end of the input is
        no watermark: `flush` is called then, as if all time had passed.

        Args:
            watermark: nanoseconds since 1970, UTC.
        """
        del watermark
        return ()

    def held(self) -> int:
        """Elements in the state that may still come out: the newest that were taken.

        For the statistics; they count as dropped if the kernel is given up. Of a fold, the contexts of these wait for a
        result of their own, and those of all before them go with the next result.
        """
        return 0

    def snapshot(self) -> Any:
        """The state, as plain values and arrays, which `rxml.wire` takes; None if there is none."""
        return None

    def restore(self, state: Any) -> None:
        """Go on from a state that `snapshot` gave."""


class Elementwise(Kernel[A, B]):
    """One result for each element."""

    stateless = True

    def __init__(self, function: Callable[[A], B]) -> None:
        self.function = function

    @override
    def push(self, items: Iterator[A], out: list[B]) -> None:
        out.extend(map(self.function, items))


class Select(Kernel[A, A]):
    """Those elements for which the predicate is true."""

    stateless = True

    def __init__(self, predicate: Callable[[A], object]) -> None:
        self.function = predicate

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        out.extend(filter(self.function, items))


class Step(Kernel[A, B]):
    """A fold written element by element: override `step`, which appends what the element brings about.

    Costs one method call an element; write `push` instead where speed matters.
    """

    def step(self, item: A, emit: Callable[[B], None]) -> None:
        """Take one element; call `emit` for each result."""
        raise NotImplementedError

    @override
    def push(self, items: Iterator[A], out: list[B]) -> None:
        step, emit = self.step, out.append
        for item in items:
            step(item, emit)
            if self.finished:
                return


class Chunkwise(Kernel[A, B]):
    """Takes a chunk as a whole: a list, or a `Batch` that stays one.

    An error concerns all elements of the chunk, since no single one can be blamed; unless the work can be tried again on
    parts of the chunk, which finds the culprits.

    Attributes:
        again: whether `push_all` may be called on parts after it has failed; it has then changed nothing.
        left_out: places of the elements of the last push that its own rules have left out: their contexts end as dropped.
    """

    again: bool = False
    left_out: Sequence[int] = ()

    def push_all(self, items: Sequence[A]) -> Sequence[B]:
        """The results for one or more elements."""
        raise NotImplementedError

    def runs(self, items: Sequence[A]) -> Sequence[slice]:
        """The parts of a chunk that `push_all` gets one after the other, in order: all of it, unless one says otherwise.

        A part that fails has then changed nothing of what those before it have.
        """
        return (slice(0, len(items)),)

    @override
    def flush(self) -> Sequence[B]:
        """See `Kernel.flush`; all of it at once, such as a `Batch`."""
        return ()


class Columns(Chunkwise[A, B]):
    """Applies a function to the whole chunk, without state.

    Args:
        function: from the elements of a chunk to results; never called with none.
        again: whether the function may be called again on parts after it has failed.
    """

    stateless = True

    def __init__(
        self, function: Callable[[Sequence[A]], Sequence[B]], *, again: bool = False
    ) -> None:
        self._function = function
        self.again: bool = again

    @override
    def push_all(self, items: Sequence[A]) -> Sequence[B]:
        return self._function(items)


def joined(parts: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """The parts of a chunk, one behind the other, by the `concat` of their type if it has one."""
    if len(parts) == 1:
        return parts[0]
    concat = getattr(type(parts[0]), "concat", None) if parts else None
    if concat is None or len({type(part) for part in parts}) > 1:
        return [element for part in parts for element in part]
    whole: Sequence[Any] = concat(parts)
    return whole
