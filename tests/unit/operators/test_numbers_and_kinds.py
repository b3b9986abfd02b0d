"""Numbers, durations and objects of some kind are checked when a pipeline is built: what, got what, what is right."""

from __future__ import annotations

from math import inf, nan
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from rxml.errors import PipelineError
from tests.unit.operators.loose import ops, rxml

if TYPE_CHECKING:
    from collections.abc import Callable


async def later(*_: Any) -> Any:
    """A coroutine function."""


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "flat_map": (lambda: ops.flat_map(5), "flat_map wants a function that gives a stream.* got 5"),
    "concat_map": (lambda: ops.concat_map(5), "concat_map wants a function that.* got 5"),
    "conflate": (lambda: ops.conflate(5), "Conflate wants a function that makes.* got int"),
    "conflate(seed)": (lambda: ops.conflate(max, seed=5), r"Conflate\(seed=\) wants .* got int"),
    "Conflate": (
        lambda: rxml.Conflate(max, 5),
        r"Conflate\(seed=\) wants a function .* got int",
    ),
    "on_overflow(max_bytes=-1)": (
        lambda: ops.on_overflow("error", capacity=1, max_bytes=-1),
        r"on_overflow\(max_bytes=\) wants an int >= 1, got -1",
    ),
    "on_overflow(max_bytes='x')": (
        lambda: ops.on_overflow("error", capacity=1, max_bytes="x"),
        r"on_overflow\(max_bytes=\) wants an int >= 1, got 'x'",
    ),
    "buffer(cost)": (lambda: ops.buffer(bytes=5, cost=5), r"buffer\(cost=\) wants .* got int"),
    "buffer(bytes='x')": (
        lambda: ops.buffer(bytes="x"),
        r"buffer\(bytes=\) wants a number > 0, got 'x'",
    ),
    "buffer(bytes=0)": (lambda: ops.buffer(bytes=0), r"buffer\(bytes=\) wants .* > 0, got 0"),
    "throttle(cost)": (lambda: ops.throttle(1, cost=5), r"throttle\(cost=\) wants .* got int"),
    "throttle('x')": (
        lambda: ops.throttle("x"),
        r"throttle\(rate\) wants a number > 0 and finite, got 'x'",
    ),
    "throttle(nan)": (lambda: ops.throttle(nan), r"throttle\(rate\) wants .* got nan"),
    "throttle(burst)": (lambda: ops.throttle(1, burst=inf), r"throttle\(burst\) .* got inf"),
    "throttle(per)": (lambda: ops.throttle(1, per=inf), r"throttle\(per\) .* got inf"),
    "take_until_with_time": (
        lambda: ops.take_until_with_time(-1),
        r"take_until_with_time\(end_time\) wants a duration >= 0, got -1",
    ),
    "skip_until_with_time": (
        lambda: ops.skip_until_with_time("x"),
        r"skip_until_with_time\(start_time\) wants seconds .* got 'x'",
    ),
    "retry(backoff=5)": (lambda: ops.retry(3, backoff=5), r"retry wants backoff=.* got 5"),
    "retry(backoff=[])": (lambda: ops.retry(3, backoff=[1, 2, 3]), r"retry .* got \[1, 2, 3\]"),
    "retry(backoff=(,))": (lambda: ops.retry(3, backoff=(1, 2)), r"retry .* got \(1, 2\)"),
    "retry(backoff=('',))": (
        lambda: ops.retry(3, backoff=(1, 2, "")),
        r"retry .* got \(1, 2, ''\)",
    ),
    "retry(budget)": (lambda: ops.retry(3, budget=5), "retry wants budget as a RetryBudget, got 5"),
    "retry(random)": (lambda: ops.retry(3, random=5), "retry wants random as a Random, got 5"),
    "timeout()": (ops.timeout, r"timeout wants a limit, got none: timeout\(5\)"),
    "timeout(inf)": (
        lambda: ops.timeout(inf),
        r"timeout wants a limit, got one that is never reached: timeout\(5\)",
    ),
    "window(inf)": (
        lambda: ops.window(seconds=inf),
        r"window\(seconds=\) wants a number > 0 and finite, got inf",
    ),
    "window(skip=inf)": (
        lambda: ops.window(seconds=1, skip=inf),
        r"window\(skip=\) wants a number > 0 and finite, got inf",
    ),
    "window(1e300)": (
        lambda: ops.window(seconds=1e300, skip=1e-300),
        r"window wants skip >= seconds / 1,000,000, .* seconds=1e\+300 and skip=1e-300",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_right_is_refused(name: str) -> None:
    build, words = WRONG[name]
    with pytest.raises((PipelineError, ValueError, TypeError), match=words):
        build()


COROUTINES: dict[str, Callable[[], Any]] = {
    "map_async(key=)": lambda: ops.map_async(later, concurrency=2, key=later),
    "retry(on=)": lambda: ops.retry(3, on=later),
    "catch(on=)": lambda: ops.catch(rxml.empty(), on=later),
    "catch": lambda: ops.catch(later),
    "on_error_resume_next": lambda: ops.on_error_resume_next(later),
    "Conflate": lambda: ops.conflate(later),
    "throttle(cost=)": lambda: ops.throttle(1, cost=later),
    "buffer(cost=)": lambda: ops.buffer(bytes=1, cost=later),
    "keep_alive": lambda: ops.keep_alive(1, later),
}


@pytest.mark.parametrize("name", COROUTINES)
def test_a_coroutine_function_is_refused_where_its_result_is_needed_at_once(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        COROUTINES[name]()
    assert str(caught.value) == (
        f"{name}(later): a coroutine function; its result is needed at once; give a plain function"
    )


def test_what_is_right_is_taken() -> None:
    ops.retry(3, backoff=(0.1, 2, inf), budget=rxml.RetryBudget(), random=Random(1))
    ops.retry(3, backoff=rxml.Backoff(), on=(KeyError, ValueError))
    ops.buffer(bytes=inf)
    ops.timeout(inf, total=3)
    ops.window(seconds=1_000_000, skip=1)
    ops.flat_map([1, 2])
    ops.concat_map(rxml.of(1))
