"""Line: elements that wait between signals, from which the oldest or the newest may be taken."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rxml.flow.context import Context


@dataclass(frozen=True, slots=True)
class Waiting:
    """An element that waits.

    Attributes:
        item: the element.
        context: what travels beside it, or None.
        since: when it came, in seconds of the run's clock.
        worth: what is lost if it is turned away.
    """

    item: Any
    context: Context | None
    since: float
    worth: float = 0.0


@dataclass(slots=True)
class _Part:
    """Elements, and the signals behind them; without signals it is the last part."""

    row: deque[Waiting] = field(default_factory=deque[Waiting])
    signals: dict[str, Any] = field(default_factory=dict[str, Any])


class Line:
    """Elements in the order in which they came, parted by signals that none of them overtakes.

    The one who fills it keeps it within its bound.

    Attributes:
        held: elements that wait.
    """

    __slots__ = ("_parts", "held")

    def __init__(self) -> None:
        self._parts: deque[_Part] = deque([_Part()])
        self.held: int = 0

    @property
    def oldest(self) -> float | None:
        """When the element came that has waited longest."""
        return next((part.row[0].since for part in self._parts if part.row), None)

    def put(self, waiting: Waiting) -> None:
        """Let an element in, behind all others."""
        self._parts[-1].row.append(waiting)
        self.held += 1

    def signal(self, signals: dict[str, Any]) -> None:
        """Let signals in, behind the elements so far; they join those that no element parts them from."""
        before = self._parts[-2].signals if len(self._parts) > 1 and not self._parts[-1].row else {}
        if before and "barrier" not in before:
            before.update(signals)
            return
        self._parts[-1].signals = signals
        self._parts.append(_Part())

    def take(self, *, newest: bool) -> Waiting | None:
        """The oldest element, or the newest that no signal stands before; None if a signal is next, or nothing."""
        row = self._parts[0].row
        if not row:
            return None
        self.held -= 1
        return row.pop() if newest else row.popleft()

    def yielded(self, worth: float) -> Waiting | None:
        """The element that is worth least leaves, the oldest of those; None if none is worth less than this."""
        found: tuple[_Part, int] | None = None
        for part in self._parts:
            for at, each in enumerate(part.row):
                if each.worth < worth:
                    worth, found = each.worth, (part, at)
        if found is None:
            return None
        part, at = found
        gone = part.row[at]
        del part.row[at]
        self.held -= 1
        return gone

    def due(self) -> dict[str, Any]:
        """The signals that are next, which leave; none if an element is, or nothing."""
        first = self._parts[0]
        if first.row or len(self._parts) == 1:
            return {}
        self._parts.popleft()
        return first.signals

    def clear(self) -> list[Waiting]:
        """Everything leaves; returns the elements."""
        held = [each for part in self._parts for each in part.row]
        self._parts, self.held = deque([_Part()]), 0
        return held
