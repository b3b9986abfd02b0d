"""Operators about what follows a failure, or an end."""

from __future__ import annotations

from numbers import Real
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

from rxml.errors import PipelineError
from rxml.flow.adopt import adopted
from rxml.flow.check import PLAIN, error_filter, require_count, require_function
from rxml.flow.kinds import label, stage
from rxml.flow.recovery.attempts import Patience, RepeatStage, RetryStage
from rxml.flow.recovery.succession import CatchStage, ResumeNextStage
from rxml.resilience.retrying import Backoff, RetryBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.shapes import Same

A = TypeVar("A")

Errors: TypeAlias = "type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], object]"
"""Which errors: of a class, of one of several, or those for which a function is true."""


def retry(
    retry_count: int | None = None,
    *,
    backoff: Backoff | tuple[float, float, float] | None = None,
    jitter: Literal["full", "none"] = "full",
    budget: RetryBudget | None = None,
    on: Errors = Exception,
    resume: bool = False,
    random: Random | None = None,
) -> Same:
    """Run upstream again when it fails.

    Marble:
        -1--2--x      (the first attempt)
        retry(2, backoff=(2, 2, 60), jitter="none")
        -1--2----1--2--3--|

    Demand: what is asked for, of one attempt at a time.
    Buffers: nothing.
    Emits: the elements of every attempt; with `resume` only those that had not come out before.
    Completes: with the first attempt that ends; while it waits for the next one if the run is drained.
    Fails: with the last attempt's error; with an error that `on` leaves out, at once.
    Cancels: the attempt that runs, at once. What has failed is fully closed before it is opened again.
    Cost: nothing an element; a timer for each wait.

    Args:
        retry_count: attempts, the first included, >= 1; None: without limit.
        backoff: the waits before the second attempt, the third, …: a `Backoff`, or its (first, factor, most) in seconds.
            An attempt that has lasted longer than `most` begins the row anew. None: no wait.
        jitter: `full` draws each wait evenly from 0 up to what backoff says; `none` takes it as it is.
        budget: what may be spent on further attempts by all that share it.
        on: which errors are worth another attempt: a class, a tuple of them, or a predicate.
        resume: leave out of further attempts as many elements as have come out already, for sources that give the same
            elements each time.
        random: what jitter draws from, for waits that can be repeated; None: one for each run.

    Raises:
        ValueError: a count below 1, a wait out of range, an unknown jitter.
        RetryExhaustedError: when run, the budget was spent; its `__cause__` is the last error.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> attempts = iter([rxml.of(1).pipe(ops.map(lambda x: x / 0)), rxml.of(2)])
        >>> asyncio.run(rxml.defer(lambda: next(attempts)).pipe(ops.retry(2)).to_list())
        [2]
    """
    if retry_count is not None:
        require_count("retry(retry_count), which counts the first attempt, too,", retry_count, 1)
    if jitter not in ("full", "none"):
        message = f"retry wants jitter 'full' or 'none', got {jitter!r}"
        raise ValueError(message)
    waits = _waits(backoff)
    _optional("budget", budget, RetryBudget)
    _optional("random", random, Random)
    worthwhile = error_filter("retry", on)

    def open_(env: Env, node: Node) -> RetryStage:
        drawn = None if jitter == "none" else random or Random()  # noqa: S311 - spreads load, keeps no secret
        patience = Patience(retry_count, waits, drawn, budget, worthwhile, resume)
        return RetryStage(env, node, patience)

    return stage(
        label("retry", *([] if retry_count is None else [retry_count])), open_, passes=True
    )


def _waits(backoff: Any) -> Backoff | None:
    if backoff.__class__ is tuple:
        if len(backoff) == 3 and all(isinstance(number, Real) for number in backoff):
            return Backoff(*backoff)
    elif backoff is None or isinstance(backoff, Backoff):
        return backoff
    message = f"retry wants backoff=Backoff(...), or its (first, factor, most) in seconds, got {backoff!r}"
    raise PipelineError(message)


def _optional(argument: str, value: object, kind: type[object]) -> None:
    if value is not None and not isinstance(value, kind):
        message = f"retry wants {argument} as a {kind.__name__}, got {value!r}"
        raise PipelineError(message)


def repeat(repeat_count: int | None = None) -> Same:
    """Run upstream again when it has ended.

    Marble:
        -1--2-|
        repeat(3)
        -1--2--1--2--1--2-|

    Demand: what is asked for, of one run at a time.
    Buffers: nothing.
    Emits: the elements of every run.
    Completes: with the last run; if the run is drained, with the one that goes on.
    Fails: with upstream.
    Cancels: the run that goes on, at once. Each is fully closed before the next is opened.
    Cost: nothing an element.

    Args:
        repeat_count: runs, >= 0; None: without limit.

    Raises:
        ValueError: a negative count.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2).pipe(ops.repeat(2)).to_list())
        [1, 2, 1, 2]
    """
    if repeat_count is not None:
        require_count("repeat(repeat_count)", repeat_count)
    name = label("repeat", *([] if repeat_count is None else [repeat_count]))
    return stage(name, lambda env, node: RepeatStage(env, node, repeat_count), passes=True)


def catch(
    handler: Flowable[A] | Callable[[Exception, Flowable[A]], Flowable[A]],
    *,
    on: Errors = Exception,
) -> Operator[A, A]:
    """Go on with another flow when upstream fails.

    Marble:
        -1--2--x
        catch(-8--9-|)
        -1--2---8--9-|

    Demand: what is asked for.
    Buffers: nothing.
    Emits: the elements of upstream, then, if it has failed, those of the other flow.
    Completes: with upstream, or with the other flow.
    Fails: with the other flow; when the handler raises; with an error that `on` leaves out.
    Cancels: the flow that runs, at once. What has failed is fully closed before the other flow is opened.
    Cost: nothing an element.

    Args:
        handler: the other flow, or a function that makes one of the error and the flow that failed.
        on: which errors are caught: a class, a tuple of them, or a predicate.

    Raises:
        PipelineError: handler is neither a Flowable nor a function; or, when run, the function gives no Flowable.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> flow = rxml.of(2, 1, 0).pipe(ops.map(lambda x: 2 / x))
        >>> asyncio.run(flow.pipe(ops.catch(lambda error, source: rxml.of(str(error)))).to_list())
        [1.0, 2.0, 'division by zero']
    """
    caught = error_filter("catch", on)
    other = adopted(handler)
    if other is not None:
        return stage("catch", lambda env, node: CatchStage(env, node, caught), other, merges=True)
    role = "makes a Flowable of the error and the source (or a Flowable)"
    require_function("catch", cast("Any", handler), role, PLAIN)
    function = cast("Callable[[Exception, Flowable[Any]], Any]", handler)
    return stage(label("catch", handler), lambda env, node: CatchStage(env, node, caught, function))


def on_error_resume_next(
    second: Flowable[A] | Callable[[Exception | None], Flowable[A]],
) -> Operator[A, A]:
    """Go on with a second flow when upstream has ended, whether or not it failed.

    Marble:
        -1--2--x
        on_error_resume_next(-8--9-|)
        -1--2---8--9-|

    Demand: what is asked for.
    Buffers: nothing.
    Emits: the elements of upstream, then those of the second flow.
    Completes: with the second flow, even if that fails.
    Fails: only when the function that makes the second flow does. The errors are counted in the run's statistics.
    Cancels: the flow that runs, at once. The first is fully closed before the second is opened.
    Cost: nothing an element.

    Args:
        second: the second flow, or a function that makes one of the first one's error (None if it ended).

    Raises:
        PipelineError: second is neither a Flowable nor a function; or, when run, the function gives no Flowable.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> failing = rxml.throw(ValueError("lost"))
        >>> asyncio.run(failing.pipe(ops.on_error_resume_next(rxml.of(1))).to_list())
        [1]
    """
    other = adopted(second)
    if other is not None:
        return stage("on_error_resume_next", ResumeNextStage, other, merges=True)
    role = "makes a Flowable of an error (or a Flowable)"
    require_function("on_error_resume_next", cast("Any", second), role, PLAIN)
    function = cast("Callable[[Exception | None], Any]", second)
    return stage(
        label("on_error_resume_next", second),
        lambda env, node: ResumeNextStage(env, node, function),
    )
