"""Priorities: who is refused first when load rises."""

from __future__ import annotations

from enum import IntEnum

from rxml.resilience.numbers import require_range


class Priority(IntEnum):
    """The classes of `Context.priority`; what is above the highest or below the lowest belongs to that."""

    SHADOW = -2
    BEST_EFFORT = -1
    DEFAULT = 0
    CRITICAL = 1


class Priorities:
    """Each class is admitted while load is below its threshold.

    Args:
        critical: load below which critical work is admitted; the loads are shares of what can be taken, in [0, 1].
        default: the same for what says nothing of itself.
        best_effort: the same for what may be refused.
        shadow: the same for what nobody waits for.

    Raises:
        ValueError: a threshold out of its range, or above that of a more urgent class.
    """

    __slots__ = ("_thresholds",)

    def __init__(
        self,
        critical: float = 1.0,
        default: float = 0.9,
        best_effort: float = 0.75,
        shadow: float = 0.6,
    ) -> None:
        self._thresholds: dict[Priority, float] = {
            Priority.CRITICAL: require_range("Priorities(critical)", critical, 0, 1),
            Priority.DEFAULT: require_range("Priorities(default)", default, 0, critical),
            Priority.BEST_EFFORT: require_range("Priorities(best_effort)", best_effort, 0, default),
            Priority.SHADOW: require_range("Priorities(shadow)", shadow, 0, best_effort),
        }

    def threshold(self, priority: int) -> float:
        """The load from which on the priority is refused."""
        return self._thresholds[Priority(max(Priority.SHADOW, min(Priority.CRITICAL, priority)))]

    def admits(self, priority: int, load: float) -> bool:
        """Whether work of the priority is taken on at that load."""
        return load < self.threshold(priority)
