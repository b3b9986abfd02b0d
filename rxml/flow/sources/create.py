"""Sources without time: from values, iterables, async iterables, and from nothing."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, TypeVar

from rxml.errors import PipelineError
from rxml.flow.kinds import label, source
from rxml.flow.node import Checkpointing
from rxml.flow.sources.asynchronous import AsyncIterableStage
from rxml.flow.sources.iterables import BatchesStage, EndStage, IterableStage

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node

T = TypeVar("T")
S = TypeVar("S")


def of(*values: T) -> Flowable[T]:
    """The values, in order."""
    return source(
        "of",
        lambda env, node: IterableStage(env, node, lambda: values),
        checkpointing=Checkpointing.SAVED,
    )


def range(start: int, stop: int | None = None, step: int | None = None) -> Flowable[int]:  # noqa: A001
    """Integers, as `builtins.range`; without `stop` counted from 0 up to `start`, exclusive."""
    numbers = builtins.range(start) if stop is None else builtins.range(start, stop, step or 1)
    name = label("range", *(n for n in (start, stop, step) if n is not None))
    return source(
        name,
        lambda env, node: IterableStage(env, node, lambda: numbers),
        checkpointing=Checkpointing.SAVED,
    )


def from_iterable(iterable: Iterable[T] | Callable[[], Iterable[T]]) -> Flowable[T]:
    """The elements of an iterable, taken as they are asked for.

    Args:
        iterable: opened once for each run; or a function that makes one, for iterables that can be read only once. An
            iterator with a `close` method, such as a generator, is closed when the run ends.

    Raises:
        PipelineError: not an iterable, and not a function.
    """
    if hasattr(iterable, "__aiter__"):
        message = "from_iterable got an async iterable; use from_async_iterable"
        raise PipelineError(message)
    make = _factory("from_iterable", iterable, Iterable)
    return source(
        "from_iterable",
        lambda env, node: IterableStage(env, node, make),
        checkpointing=Checkpointing.SAVED,
    )


def from_async_iterable(
    iterable: AsyncIterable[T] | Callable[[], AsyncIterable[T]],
) -> Flowable[T]:
    """The elements of an async iterable, one `anext` for each element that is asked for.

    Args:
        iterable: opened once for each run; or a function that makes one. Read in a task of its own, so that a cancelled
            request loses nothing; an async generator is closed when the run ends.

    Raises:
        PipelineError: not an async iterable, and not a function.
    """
    make = _factory("from_async_iterable", iterable, AsyncIterable)
    return source(
        "from_async_iterable",
        lambda env, node: AsyncIterableStage(env, node, make),
        checkpointing=Checkpointing.SAVED,
    )


def from_batches(
    batches: Iterable[Sequence[S]] | Callable[[], Iterable[Sequence[S]]],
) -> Flowable[S]:
    """The rows of batches; chunks are slices of the batches, not copies."""
    make = _factory("from_batches", batches, Iterable)
    return source(
        "from_batches",
        lambda env, node: BatchesStage(env, node, make),
        checkpointing=Checkpointing.SAVED,
    )


def _factory(name: str, given: Any, kind: type) -> Callable[[], Any]:
    if isinstance(given, kind):
        return lambda: given
    if callable(given):
        make: Callable[[], Any] = given
        return make
    wanted = "an async iterable" if kind is AsyncIterable else "an iterable"
    message = f"{name} wants {wanted} or a function that makes one, got {type(given).__name__}"
    raise PipelineError(message)


def empty() -> Flowable[Any]:
    """Ends at once."""
    return source("empty", EndStage, checkpointing=Checkpointing.PASSES)


def throw(error: Exception | str) -> Flowable[Any]:
    """Fails at once; a text becomes an `Exception` with that text."""
    raised = error if isinstance(error, Exception) else Exception(error)
    trace = raised.__traceback__

    def open_(env: Env, node: Node) -> EndStage:
        # One object for all runs: it must not collect the frames of each.
        return EndStage(env, node, raised.with_traceback(trace))

    return source(label("throw", raised), open_, checkpointing=Checkpointing.PASSES)


def repeat_value(value: T, repeat_count: int | None = None) -> Flowable[T]:
    """The value over and over; `repeat_count` times if that is given and not -1."""
    times = None if repeat_count in (None, -1) else repeat_count
    if times is not None and times < 0:
        message = f"repeat_value wants a count >= 0, -1 or None, got {repeat_count}"
        raise ValueError(message)

    def make() -> Iterable[T]:
        return repeat(value) if times is None else repeat(value, times)

    return source(
        "repeat_value",
        lambda env, node: IterableStage(env, node, make),
        checkpointing=Checkpointing.SAVED,
    )


def generate(
    initial_state: S, condition: Callable[[S], bool], iterate: Callable[[S], S]
) -> Flowable[S]:
    """States from `initial_state` on, each made of the one before, while the condition holds."""

    def make() -> Iterable[S]:
        state = initial_state
        for index in count():
            if index:
                state = iterate(state)
            if not condition(state):
                return
            yield state

    return source(
        "generate",
        lambda env, node: IterableStage(env, node, make),
        checkpointing=Checkpointing.SAVED,
    )
