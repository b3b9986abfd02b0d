"""Virtual time: a day passes in a millisecond, and waiting for what can never come is an error at once.

`run` is `asyncio.run` on a `VirtualLoop`. The order in which ready tasks take their turns can be drawn
from a seed, or by Hypothesis, so that races become tests.

    >>> import asyncio
    >>> async def main() -> float:
    ...     await asyncio.sleep(86_400)
    ...     return asyncio.get_running_loop().time()
    >>> run(main())
    86400.0
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from rxml.virtual.errors import DeadlockError, RunawayError
from rxml.virtual.loop import LIMIT_SECONDS, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Self

T = TypeVar("T")


def run(
    main: Coroutine[Any, Any, T],
    *,
    seed: int | None = None,
    schedule: Callable[[int], int] | None = None,
    limit_seconds: float = LIMIT_SECONDS,
    check_leaks: bool = True,
) -> T:
    """Run a coroutine to its end under virtual time, and see that it has cleaned up.

    Args:
        main: the coroutine; a fresh `VirtualLoop` runs it and is closed afterwards.
        seed: of the order in which ready tasks take their turns; None is asyncio's own.
        schedule: makes that choice instead of a seed; see `VirtualLoop`.
        limit_seconds: real seconds until `RunawayError`.
        check_leaks: whether leaving tasks, async generators or untaken errors behind is an error.

    Returns:
        What `main` returned.

    Raises:
        DeadlockError: all tasks wait for one another.
        RunawayError: it did not end within `limit_seconds`.
        LeakError: something is left. If `main` itself failed, its error comes out, with a note of the leaks.
        RuntimeError: a loop runs here already.
        ValueError: see `VirtualLoop`.
    """
    try:
        _refuse_running_loop()
        loop = VirtualLoop(seed=seed, schedule=schedule, limit_seconds=limit_seconds)
    except (RuntimeError, ValueError):
        main.close()
        raise
    with Driver(loop, check_leaks=check_leaks) as driver:
        return driver.run(main)


async def settle() -> None:
    """Wait until nothing is ready any more on the running virtual loop; its clock does not move.

    Raises:
        RuntimeError: if the running loop is not a `VirtualLoop`.
    """
    await _virtual_loop().settle()


async def advance(seconds: float) -> None:
    """Let virtual time pass on the running virtual loop, running all that falls due.

    Args:
        seconds: how long, >= 0 and finite.

    Raises:
        RuntimeError: if the running loop is not a `VirtualLoop`.
        ValueError: if `seconds` is negative or not finite.
    """
    await _virtual_loop().advance(seconds)


def _virtual_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        # Not a wrong argument but a wrong surrounding, as asyncio's own "no running event loop" is.
        raise RuntimeError(  # noqa: TRY004
            f"needs a VirtualLoop, but the running loop is a {type(loop).__name__}"
        )
    return loop


def _refuse_running_loop() -> None:
    """A loop cannot be driven from inside another one."""
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        f"run and Driver are for synchronous code, but a {type(running).__name__} runs here: "
        "await the coroutine, settle() or advance()"
    )


class Driver:
    """Drives a virtual loop from synchronous code: the rules of a Hypothesis state machine, a debugger.

    Between calls the loop stands still, and with it everything that was started.

    Args:
        loop: the loop, which the driver closes at its end; None makes one.
        check_leaks: whether `close` raises `LeakError` if something is left.

    Raises:
        RuntimeError: a loop runs here already.
    """

    def __init__(self, loop: VirtualLoop | None = None, *, check_leaks: bool = True) -> None:
        _refuse_running_loop()
        self.loop: VirtualLoop = VirtualLoop() if loop is None else loop
        self._check_leaks = check_leaks
        self._runner = asyncio.Runner(loop_factory=lambda: self.loop)
        # Now, so that closing the runner closes the loop even if nothing is ever run.
        self._runner.get_loop()

    @property
    def time(self) -> float:
        """What the virtual clock shows, in seconds."""
        return self.loop.time()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; time passes as it needs. Raises what it raises, and as `run`."""
        return self._runner.run(coroutine)

    def start(
        self, coroutine: Coroutine[Any, Any, T], *, name: str | None = None
    ) -> asyncio.Task[T]:
        """Start a task and do not wait for it: it moves while something else is run, settled or advanced.

        Args:
            coroutine: what it does.
            name: for reports of deadlocks and leaks.
        """
        # A scope spawns on a loop that runs; this one stands still, and `close` is the scope's end.
        return asyncio.Task(coroutine, loop=self.loop, name=name)

    def settle(self) -> None:
        """Run until nothing is ready; the clock does not move."""
        self.run(self.loop.settle())

    def advance(self, seconds: float) -> None:
        """Let `seconds` >= 0 of virtual time pass, running all that falls due."""
        self.run(self.loop.advance(seconds))

    def close(self) -> None:
        """Cancel what is left and close the loop; a second call does nothing.

        Raises:
            LeakError: if something was left.
        """
        if self.loop.is_closed():
            return
        with (
            self._runner
        ):  # cancels tasks, closes async generators, waits for threads, on every path
            if self._check_leaks:
                self.loop.check_leaks()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        if self._check_leaks and not isinstance(error, DeadlockError | RunawayError):
            for leak in self.loop.leaks():
                error.add_note(f"the run left {leak}")
        self._runner.close()
