"""Coverage: how often what was promised has held, told as labels come, with how sure that is and an alarm."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.evaluation.anytime import share_interval
from rxml.evaluation.anytime.rows import require_share
from rxml.flow.check import require_count
from rxml.flow.supervising.news import News
from rxml.learning.calibrating.alarm import CoverageAlarm
from rxml.learning.calibrating.by_key import CoverageByKey
from rxml.uncertain.calibration.labels import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.flow.flowable import Flowable
    from rxml.learning.calibrating.by_key import KeyCoverage


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """What is known of coverage after some labels.

    Attributes:
        level: that is promised.
        labels: predictions whose labels came.
        covered: of these, how many were within what was promised.
        delta: chance that `interval` ever fails to hold the share.
        recent: the share among the latest labels; NaN before the first.
        alarm: evidence that the promise is not kept: a false alarm comes, ever, with probability delta at most.
        counts: what became of predictions and labels; the missing ones are not covered by what is said here.
    """

    level: float
    labels: int
    covered: int
    delta: float
    recent: float
    alarm: bool
    counts: Counts = field(default_factory=Counts)

    @property
    def share(self) -> float:
        """Covered of labelled; NaN before the first label."""
        return self.covered / self.labels if self.labels else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Within which the share of all such predictions that is covered lies, at all times together, with 1 - delta.

        It is found as it is asked for, in about 10 ms.
        """
        covered, labels = np.array([self.covered]), np.array([self.labels])
        lower, upper = share_interval(covered, labels, 1 - self.delta)
        return float(lower[0]), float(upper[0])


class Coverage:
    """Watches the promise of `ops.calibrate`: hand it over as `coverage=`, and read `reports`, or `now`.

    Intervals that adapt (ACI and its like) keep their share in the long run under any drift: an alarm says that they do not
    yet, or that what is predicted has changed faster than they follow.

    Args:
        level: that is promised; the same as that of `calibrate`.
        delta: chance of a false alarm over all time, above 0 and below 1.
        recent: latest labels that `CoverageReport.recent` is of, >= 1.
        keep: reports that are remembered for readers, >= 1.
        keys: keys of which `worst` knows, those of the latest labels, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self,
        level: float = 0.9,
        *,
        delta: float = 0.05,
        recent: int = 200,
        keep: int = 1024,
        keys: int = 10_000,
    ) -> None:
        self.level: float = level
        self.delta: float = delta
        self._alarm = CoverageAlarm(
            1 - require_share("level", level), require_share("delta", delta)
        )
        self._recent: deque[bool] = deque(maxlen=require_count("Coverage(recent)", recent, 1))
        self._news: News[CoverageReport] = News(keep)
        self._labels = self._covered = 0
        self._counts = Counts()
        self._keys = CoverageByKey(keys, delta)

    @property
    def reports(self) -> Flowable[CoverageReport]:
        """The reports that are remembered, then one for each chunk of labels; it ends when its run is drained."""
        return self._news.flow("coverage")

    @property
    def now(self) -> CoverageReport:
        """What is known now."""
        recent = sum(self._recent) / len(self._recent) if self._recent else float("nan")
        return CoverageReport(
            self.level,
            self._labels,
            self._covered,
            self.delta,
            recent,
            alarm=self._alarm.at > 0,
            counts=self._counts,
        )

    def worst(self, n: int = 10) -> list[KeyCoverage]:
        """The n keys of which it is surest that their promises hold least, each with an interval of its own."""
        return self._keys.worst(n)

    def hear_keys(self, keys: Sequence[Any], covered: Sequence[bool]) -> None:
        """Labels came to predictions of these keys: one line each, and `hear` of all of them."""
        self._keys.hear(keys, covered)

    def hear(self, covered: NDArray[np.bool_], counts: Counts) -> None:
        """Labels came, or nothing but the counts has changed.

        Args:
            covered: whether each was within what was issued for it, shape (n,).
            counts: of predictions and labels so far.
        """
        self._labels += len(covered)
        self._covered += int(covered.sum())
        self._recent.extend(covered.tolist())
        self._counts = counts
        self._alarm.hear(covered.tolist())
        self._news.tell(self.now)

    def snapshot(self) -> dict[str, Any]:
        """The state, as plain values."""
        return {
            "labels": self._labels,
            "covered": self._covered,
            "recent": list(self._recent),
            "alarm": self._alarm.snapshot(),
            "counts": asdict(self._counts),
            "keys": self._keys.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        self._labels, self._covered = state["labels"], state["covered"]
        self._recent.clear()
        self._recent.extend(state["recent"])
        self._alarm.restore(state["alarm"])
        self._counts = Counts(**state["counts"])
        self._keys.restore(state["keys"])
