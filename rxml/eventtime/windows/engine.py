"""Engine: what keeps windows of one kind, told by the kernel what comes and how far the stream is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeAlias

import numpy as np

from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.panes import Panes
    from rxml.eventtime.windows.pool import Fold, Pool


Folding: TypeAlias = "Callable[[NDArray[np.intp] | None], Fold]"
"""Gives, for some of the rows (None: for all), what takes them into slots of the pool."""


_FEW: Final = 8
"""Where fewer than one of so many keys are there, their ranks are sorted."""


class Rows(NamedTuple):
    """Elements that are in some window, in the order in which they came.

    Attributes:
        times: event times, int64 ns UTC, shape (n,).
        codes: the number of the key of each, shape (n,).
        low, high: no time is less, none is greater.
    """

    times: NDArray[np.int64]
    codes: NDArray[np.intp]
    low: int
    high: int


class Engine(ABC):
    """Keeps windows that are open.

    Args:
        keys: of the elements.
        pool: holds the states of the aggregates.

    Attributes:
        version: of what `snapshot` gives, see `Kernel`.
        watermark: no element from before it follows that would count; int64 ns UTC.
    """

    version: ClassVar[int] = 1

    def __init__(self, keys: Keys, pool: Pool) -> None:
        self.keys: Keys = keys
        self.pool: Pool = pool
        self.watermark: int = -FOREVER

    @property
    @abstractmethod
    def reach(self) -> int:
        """How far from the time of an element windows that it is in may begin and end, ns."""

    @abstractmethod
    def late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which elements come when all their windows have ended, shape (n,)."""

    def outside(self, times: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Which elements are in no window at all, shape (n,); None: none."""
        del times
        return None

    @abstractmethod
    def add(self, rows: Rows, folding: Folding) -> list[Panes]:
        """Take elements in; what is to be told at once. Where it fails, nothing has changed: fewer may be given then."""

    @abstractmethod
    def close(self, watermark: int) -> list[Panes]:
        """End what ends at or before the watermark; what is told of it."""

    def advance(self, watermark: int) -> list[Panes]:
        """The stream has come so far."""
        if watermark <= self.watermark:
            return []
        self.watermark = watermark
        return self.close(watermark)

    def tick(self) -> list[Panes]:
        """What has changed since the last time, if windows tell before they end."""
        return []

    @abstractmethod
    def snapshot(self) -> Any:
        """What the engine itself knows, as plain values."""

    @abstractmethod
    def restore(self, state: Any) -> None:
        """Go on from a snapshot, behind keys and pool."""


def in_order(keys: Keys, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows, each of another key, in the order of these."""
    ranks = keys.rank(codes)
    if _FEW * len(codes) < len(keys):
        return np.argsort(ranks, kind="stable")
    places = np.full(len(keys), -1, np.intp)  # most of the ranks are there: cheaper than sorting
    places[ranks] = np.arange(len(codes))
    order: NDArray[np.intp] = places[places >= 0]
    return order


def filled(n: int, value: int) -> NDArray[np.int64]:
    """The same instant n times."""
    return np.full(n, value, np.int64)
