"""Sample: how an operator of reactivex is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ELEMENTS = [3, 1, 4, 1, 5, 9, 2, 6]


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of operators.

    Attributes:
        make: makes the operators anew, since some keep state.
        elements: what goes in.
        error: fails the source behind them.
        spacing: seconds between them; 0: all at once.
    """

    make: Callable[[], list[Any]]
    elements: tuple[Any, ...] = tuple(ELEMENTS)
    error: Exception | None = None
    spacing: float = 0.0


def now(
    *make: Callable[[], Any], elements: Any = ELEMENTS, error: Exception | None = None
) -> Sample:
    """Elements all at once."""
    return Sample(lambda: [each() for each in make], tuple(elements), error)


def timed(
    *make: Callable[[], Any], elements: Any = ELEMENTS, error: Exception | None = None
) -> Sample:
    """One element a second."""
    return Sample(lambda: [each() for each in make], tuple(elements), error, 1.0)
