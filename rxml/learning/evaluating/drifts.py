"""Drifts: what has changed, told on the side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rxml.flow.supervising.news import News

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable


@dataclass(frozen=True, slots=True)
class Drift:
    """A change was seen.

    Attributes:
        key: in whose numbers; None: all belong together.
        number: how many numbers of the key had come, with the one that showed it.
        value: of that one.
    """

    key: Any
    number: int
    value: float


class Drifts:
    """Hears of drifts from `ops.detect_drift`: hand it over as `drifts=`, and read `facts`, or `recent`.

    Args:
        keep: drifts that are remembered for readers, >= 1.

    Raises:
        ValueError: keep below 1.
    """

    def __init__(self, keep: int = 1024) -> None:
        self._news: News[Drift] = News(keep)

    @property
    def facts(self) -> Flowable[Drift]:
        """The drifts that are remembered, then those that are told; it ends when its run is drained."""
        return self._news.flow("drifts")

    @property
    def recent(self) -> tuple[Drift, ...]:
        """Those that are remembered, the oldest first."""
        return self._news.recent()

    @property
    def count(self) -> int:
        """How many there ever were."""
        return self._news.count

    def tell(self, drift: Drift) -> None:
        """There is one."""
        self._news.tell(drift)
