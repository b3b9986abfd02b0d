"""Hand: a thread that nobody need wait for."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from functools import partial
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from typing_extensions import override

from rxml.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Hand(Executor):
    """One daemon thread, which does one thing after the other.

    An executor, so that the event loop knows that it waits for a thread; a `ThreadPoolExecutor` would be waited for when
    the interpreter ends, even where its thread hangs.
    """

    def __init__(self) -> None:
        self._work: Queue[tuple[Future[Any], Callable[[], Any]] | None] = Queue(2)
        Thread(target=self._run, name="score", daemon=True).start()

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._work.put_nowait((future, partial(fn, *args, **kwargs)))
        return future

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """The thread ends when it has nothing to do; it is not waited for."""
        del wait, cancel_futures
        self._work.put_nowait(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, call = work
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - told to who waits; the thread goes on
                future.set_exception(tamed(error))
            del work, future, call  # nothing is kept while there is nothing to do


def tamed(error: BaseException) -> Exception:
    """The error; for what would end more than the call that raised it, such as SystemExit, a ModelError."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    replaced = ModelError(f"what a model runs raised {type(error).__name__}")
    replaced.__cause__ = error
    return replaced
