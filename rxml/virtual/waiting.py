"""Where tasks wait: the text that a deadlock, a leak or a runaway loop is reported with."""

from __future__ import annotations

import gc
from pathlib import PurePath
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator

_PREFIX: Final[dict[type, str]] = {
    AsyncGeneratorType: "ag",
    CoroutineType: "cr",
    GeneratorType: "gi",
}
_AWAITED: Final = {"ag": "ag_await", "cr": "cr_await", "gi": "gi_yieldfrom"}


_MOST_TASKS: Final = 20
_MOST_FRAMES: Final = 12


def report(tasks: Iterable[asyncio.Task[Any]]) -> str:
    """One line for each task, of the first 20: its name, then the frames it waits in, the outermost first.

    Args:
        tasks: any tasks; they are listed by name, so that a run that is repeated gives the same text.
    """
    ordered = sorted(tasks, key=lambda task: (len(task.get_name()), task.get_name()))
    lines = [f"\n  {task.get_name()}: {place(task)}" for task in ordered[:_MOST_TASKS]]
    more = len(ordered) - len(lines)
    return "".join([*lines, f"\n  and {more} more" * (more > 0)]) or "\n  (no task)"


def place(task: asyncio.Task[Any]) -> str:
    """Where a task is: `function (file:line) > ... > function (file:line)`, the innermost await last."""
    if task.done():
        return "done"
    frames = list(_frames(task.get_coro()))
    if len(frames) > _MOST_FRAMES:
        half = _MOST_FRAMES // 2
        frames[half:-half] = [f"... {len(frames) - 2 * half} more ..."]
    return " > ".join(frames) or "in a foreign awaitable"


def _frames(awaited: object) -> Iterator[str]:
    """The chain of awaits from a coroutine on; ends at a future, or at what cannot be seen into."""
    seen: set[int] = set()
    inner = _suspended(awaited)
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        prefix = _PREFIX[type(inner)]
        yield _line(getattr(inner, f"{prefix}_code"), getattr(inner, f"{prefix}_frame"))
        inner = _suspended(getattr(inner, _AWAITED[prefix]))


def _suspended(awaited: object) -> Any:
    """The coroutine or generator behind an awaitable (wrappers such as `agen.__anext__()` hide it), or None."""
    if type(awaited) in _PREFIX:
        return awaited
    if awaited is None or type(awaited).__module__ != "builtins":
        return None
    held: list[object] = gc.get_referents(awaited)
    return next((inner for inner in held if type(inner) in _PREFIX), None)


def _line(code: Any, frame: Any) -> str:
    """`function (folder/file:line)`."""
    line = code.co_firstlineno if frame is None else frame.f_lineno
    return f"{code.co_qualname} ({'/'.join(PurePath(code.co_filename).parts[-2:])}:{line})"
