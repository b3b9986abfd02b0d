"""Late: what a client that does not keep up costs the others, while its flow goes on without it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

T = TypeVar("T")

_IDLE: Final = 10
"""Times as long as a step of a late client's flow took nothing is done for it."""
_LEAST: Final = 1e-4
"""Seconds that a step takes in any case, with all that is around it."""
_MOST: Final = 1.0


class Metered(Generic[T]):
    """Awaits a coroutine, and tells for how long it held the loop. Waiting costs nothing.

    Attributes:
        spent: seconds.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self.spent: float = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        error: BaseException | None = None
        sent: Any = None
        while True:
            began = perf_counter()
            try:
                waits = self._coroutine.throw(error) if error else self._coroutine.send(sent)
            except StopIteration as stop:
                result: T = stop.value
                return result
            finally:
                self.spent += perf_counter() - began
            error, sent = None, None
            try:
                sent = yield waits
            except BaseException as raised:  # noqa: BLE001 - passed on
                error = raised


def rest(spent: float, resting: int) -> float:
    """Seconds of rest after a step, so that all late streams together take at most about a tenth of the time.

    Args:
        spent: seconds that the step held the loop.
        resting: late streams between two steps, this one among them; those that wait for an element cost nothing.
    """
    return min(_MOST, _IDLE * resting * max(spent, _LEAST))
