"""Retraining: what becomes of models that are trained while elements pass, told on the side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rxml.flow.supervising.news import News

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.learning.facade import LearningResult, Progress, Training
    from rxml.models.registry import Version

Decision: TypeAlias = Literal["trained", "published", "rejected", "failed", "skipped"]
"""There is a model, and nobody to publish it to; it was published; the gate, or the registry, refuses it; there is none;
nothing was begun, since a training was under way."""


@dataclass(frozen=True, slots=True)
class RetrainingReport:
    """What a training came to.

    Attributes:
        decision: about its model.
        reason: why it is not published, or the alias does not show it; "" if all is well.
        seen: elements that had passed when it was asked for.
        result: of the training; None if it was not begun.
        version: that was published.
    """

    decision: Decision
    reason: str
    seen: int
    result: LearningResult | None = None
    version: Version | None = None


class Retraining:
    """Watches `ops.retrain`: hand it over as `retraining=`, and read `reports` and `progress`.

    Args:
        keep: reports that are remembered for readers, >= 1, and as many of progress.

    Raises:
        ValueError: keep below 1.
    """

    def __init__(self, *, keep: int = 1024) -> None:
        self._news: News[RetrainingReport] = News(keep)
        self._progress: News[Progress] = News(keep)
        self._under_way: set[Training] = set()

    @property
    def reports(self) -> Flowable[RetrainingReport]:
        """The reports that are remembered, then those that are told; it ends when its run is drained."""
        return self._news.flow("retraining")

    @property
    def progress(self) -> Flowable[Progress]:
        """The progress that is remembered, then what is told, of whichever training; it ends when its run is drained."""
        return self._progress.flow("progress")

    @property
    def now(self) -> RetrainingReport | None:
        """The latest report; None before the first."""
        recent = self._news.recent()
        return recent[-1] if recent else None

    def recent(self) -> tuple[RetrainingReport, ...]:
        """The reports that are remembered, the oldest first."""
        return self._news.recent()

    def cancel(self) -> None:
        """Have the training that is under way killed; its report says so, and elements pass on."""
        for training in self._under_way:
            training.cancel()

    def began(self, training: Training) -> None:
        """A training is under way."""
        self._under_way.add(training)

    def further(self, progress: Progress) -> None:
        """It is further on."""
        self._progress.tell(progress)

    def ended(self, training: Training) -> None:
        """It is not under way any more."""
        self._under_way.discard(training)

    def tell(self, report: RetrainingReport) -> None:
        """There is a report."""
        self._news.tell(report)
