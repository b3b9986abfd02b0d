"""lift: operators of reactivex as an operator of rxml, with bounds of your own."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.flow.chunk import CHUNK
from rxml.flow.flowable import Flowable
from rxml.flow.lift.piping import BURST, lifted
from rxml.flow.placing import flowable

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from rxml.flow.operator import Operator


def lift(
    *operators: Callable[[Observable[Any]], Any], bound: int = CHUNK, burst: int = BURST
) -> Operator[Any, Any]:
    """Operators of reactivex as one stage that keeps backpressure; `flow.pipe(a, b)` does so by itself.

    Args:
        operators: functions from an Observable to another, such as `reactivex.operators` makes.
        bound: elements that they may keep for a time (`delay`, `buffer_with_time`, `observe_on`), timers that may be
            pending at once, and results that may lie ready unread before timers are held back.
        burst: results that one element or one timer may bring about at once; more is an `BufferOverflowError`.

    Raises:
        PipelineError: no operator is given, or something is none.
        ValueError: a bound below 1, or a burst below the bound.
    """
    if not operators or not all(map(callable, operators)):
        raise PipelineError(f"lift wants operators of reactivex, got {operators!r}")
    if not 1 <= bound <= burst:
        raise ValueError(f"lift wants 1 <= bound <= burst, got bound={bound} and burst={burst}")

    def operator(source: Flowable[Any]) -> Flowable[Any]:
        first = flowable(source, "lift")
        return reduce(
            lambda flow, each: lifted(flow, each, Flowable, bound=bound, burst=burst),
            operators,
            first,
        )

    return operator
