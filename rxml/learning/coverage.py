"""Coverage: how often what was promised has held, told as labels come, with how sure that is and an alarm."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.evaluation.anytime import MissMonitor, share_interval
from rxml.flow.check import require_count
from rxml.flow.supervising.news import News
from rxml.uncertain.calibration.labels import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.flow.flowable import Flowable


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """What is known of coverage after some labels.

    Attributes:
        level: that is promised.
        labels: predictions whose labels came.
        covered: of these, how many were within what was promised.
        lower: of the share of all such predictions that is covered, at all times together with probability 1 - delta.
        upper: as much.
        recent: the share among the latest labels; NaN before the first.
        alarm: evidence that the promise is not kept: a false alarm comes, ever, with probability delta at most.
        counts: what became of predictions and labels; the missing ones are not covered by what is said here.
    """

    level: float
    labels: int
    covered: int
    lower: float
    upper: float
    recent: float
    alarm: bool
    counts: Counts = field(default_factory=Counts)

    @property
    def share(self) -> float:
        """Covered of labelled; NaN before the first label."""
        return self.covered / self.labels if self.labels else float("nan")


class Coverage:
    """Watches the promise of `ops.calibrate`: hand it over as `coverage=`, and read `reports`, or `now`.

    Intervals that adapt (ACI and its like) keep their share in the long run under any drift: an alarm says that they do not
    yet, or that what is predicted has changed faster than they follow.

    Args:
        level: that is promised; the same as that of `calibrate`.
        delta: chance of a false alarm over all time, above 0 and below 1.
        recent: latest labels that `CoverageReport.recent` is of, >= 1.
        keep: reports that are remembered for readers, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self, level: float = 0.9, *, delta: float = 0.05, recent: int = 200, keep: int = 1024
    ) -> None:
        self.level: float = level
        self.delta: float = delta
        self._monitor = MissMonitor(1 - level, delta, side="above")
        self._recent: deque[bool] = deque(maxlen=require_count("Coverage(recent)", recent, 1))
        self._news: News[CoverageReport] = News(keep)
        self._labels = self._covered = 0
        self._counts = Counts()

    @property
    def reports(self) -> Flowable[CoverageReport]:
        """The reports that are remembered, then one for each chunk of labels; it ends when its run is drained."""
        return self._news.flow("coverage")

    @property
    def now(self) -> CoverageReport:
        """What is known now."""
        lower, upper = share_interval(
            np.array([self._covered]), np.array([self._labels]), 1 - self.delta
        )
        recent = sum(self._recent) / len(self._recent) if self._recent else float("nan")
        return CoverageReport(
            self.level,
            self._labels,
            self._covered,
            float(lower[0]),
            float(upper[0]),
            recent,
            alarm=bool(self._monitor.alarmed_at([0])[0]),
            counts=self._counts,
        )

    def hear(self, covered: NDArray[np.bool_], counts: Counts) -> None:
        """Labels came.

        Args:
            covered: whether each was within what was issued for it, shape (n,).
            counts: of predictions and labels so far.
        """
        self._labels += len(covered)
        self._covered += int(covered.sum())
        self._recent.extend(covered.tolist())
        self._counts = counts
        self._monitor.update(np.zeros(len(covered), np.intp), ~covered)
        self._news.tell(self.now)

    def snapshot(self) -> dict[str, Any]:
        """The state, as plain values."""
        return {
            "labels": self._labels,
            "covered": self._covered,
            "recent": list(self._recent),
            "monitor": self._monitor.snapshot(),
            "counts": asdict(self._counts),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        self._labels, self._covered = state["labels"], state["covered"]
        self._recent.clear()
        self._recent.extend(state["recent"])
        self._monitor.restore(state["monitor"])
        self._counts = Counts(**state["counts"])
