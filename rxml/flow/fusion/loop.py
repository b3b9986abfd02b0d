"""Loop: several functions as one Python loop over the elements, made to measure.

CPython runs a call from Python to Python without leaving its own loop, and specializes each call site for the function it
has met there. So `x = f(x)`, `if not g(x): continue`, ... as lines of one function are faster than `map` and `filter` over
a list for each, and make no lists in between. What a line is tells, in a traceback, which of the functions failed.
"""

from __future__ import annotations

import linecache
from functools import lru_cache
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

MAP: Final = "m"
KEEP: Final = "k"

_LINES: Final = {MAP: "x = f{0}(x)", KEEP: "if not f{0}(x): continue"}
_FIRST: Final = 3


class Culprit(NamedTuple):
    """The function that raised, by its place, and what it was given."""

    at: int
    item: Any


def pays(functions: Sequence[Callable[..., Any]]) -> bool:
    """Whether one loop is faster than a list for each function: if at least half of them are written in Python."""
    in_python = sum(isinstance(function, FunctionType | MethodType) for function in functions)
    return len(functions) > 1 and 2 * in_python >= len(functions)


def loop(
    steps: str, functions: Sequence[Callable[..., Any]]
) -> Callable[[Iterator[Any], list[Any]], None]:
    """A function that takes items and appends results, item by item.

    When one of `functions` raises, so does it; what is in the list are the results of all items before the culprit, and
    the iterator stands just past that.

    Args:
        steps: what each function is for: `MAP` or `KEEP`.
        functions: as many.
    """
    # A copy of the code has call sites of its own, which meet no other pipeline's functions.
    return FunctionType(_code(steps).replace(), {}, "run", tuple(functions))


def culprit(error: BaseException) -> Culprit:
    """Who raised, in a loop that was called where the error was caught."""
    trace = cast("TracebackType", cast("TracebackType", error.__traceback__).tb_next)
    last = len(trace.tb_frame.f_code.co_varnames) - 4  # all but items, out, x; from 0
    return Culprit(min(trace.tb_lineno - _FIRST, last), trace.tb_frame.f_locals["x"])


@lru_cache(maxsize=256)
def _code(steps: str) -> CodeType:
    names = ", ".join(f"f{place}" for place in range(len(steps)))
    body = [_LINES[step].format(place) for place, step in enumerate(steps)]
    lines = [f"def run(items, out, {names}):", " for x in items:", *(f"  {line}" for line in body)]
    source = "\n".join([*lines, "  out.append(x)", ""])
    name = f"<rxml loop {steps}>"
    module: dict[str, Any] = {}
    exec(compile(source, name, "exec"), module)  # noqa: S102 - made of the lines above, and of nothing else
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    run: FunctionType = module["run"]
    return run.__code__
