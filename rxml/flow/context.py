"""Context: what travels beside an element."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Outcome(Enum):
    """How an element ends; each ends in exactly one way."""

    ANSWERED = "answered"
    DEAD_LETTERED = "dead-lettered"
    SHED = "shed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Context:
    """What travels beside an element; the operator kinds keep it aligned, no operator touches it.

    Attributes:
        fact_id: identity of the fact that the element came from.
        trace: identity of the request or trace it belongs to.
        deadline: the run's clock time in seconds after which an answer is worth nothing.
        priority: larger is more urgent.
        settle: told once how the element ended (an acknowledgement or a reply handle).
    """

    fact_id: str | None = None
    trace: str | None = None
    deadline: float | None = None
    priority: int = 0
    settle: Callable[[Outcome], None] | None = None

    def settled(self, outcome: Outcome) -> None:
        """Tell the one who waits, if any, how the element ended."""
        if self.settle is not None:
            self.settle(outcome)


BESIDE: Final[ContextVar[Context | None]] = ContextVar("rxml.context", default=None)
"""What travels beside the element that the running task works on, for coroutine functions in `map_async`."""


def tell(waiting: Iterable[Callable[[Outcome], None]], outcome: Outcome) -> None:
    """Tell all who wait, even if some of them raise; what they raised is raised when all have been told.

    Raises:
        Exception: what one of them raised.
        ExceptionGroup: what several of them raised.
    """
    errors: list[Exception] = []
    for settle in waiting:
        try:
            settle(outcome)
        except Exception as error:  # noqa: BLE001 - the others must hear of it, too
            errors.append(error)
    if len(errors) > 1:
        raise ExceptionGroup("those who were told how an element ended raised", errors)
    if errors:
        raise errors[0]


def drop(contexts: Iterable[Context | None]) -> None:
    """The elements that these stand beside end as dropped."""
    waiting = [each.settle for each in contexts if each is not None and each.settle is not None]
    tell(waiting, Outcome.DROPPED)
