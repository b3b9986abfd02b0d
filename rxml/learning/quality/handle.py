"""EstimatedQuality: how good predictions are, estimated before labels come and measured when they have."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rxml.eventtime.keyed.plain_keys import from_plain, to_plain
from rxml.flow.check import require_count
from rxml.flow.supervising.news import News
from rxml.uncertain.calibration.labels import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.flowable import Flowable


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The accuracy of the last predictions of a key: what has a label as it came out, the others by their probabilities.

    Attributes:
        key: it; None if nothing is keyed.
        value: the expected accuracy of these predictions.
        lower: of what that will be when all have their labels, at the level of the handle; right where probabilities
            are calibrated.
        upper: as much.
        measured: the share that has labels: 0 is a mere estimate, 1 is known.
        rectified: the accuracy on predictions of this kind, corrected by what labels say of probabilities that are not
            calibrated; NaN with less than two labels. For this it must be by chance who is labelled.
        rectified_lower: of that, by prediction-powered inference (Angelopoulos et al., 2023); 0 without.
        rectified_upper: as much; 1 without.
        counts: what became of all predictions and labels, of any key.
        f1: the expected F1 of these predictions, of an event that of it, of more classes the mean over them; None if the
            handle did not ask for it.
        f1_lower: of what that will be when all have their labels, as `lower`; None as well.
        f1_upper: as much.
    """

    key: Any
    value: float
    lower: float
    upper: float
    measured: float
    rectified: float
    rectified_lower: float
    rectified_upper: float
    counts: Counts = field(default_factory=Counts)
    f1: float | None = None
    f1_lower: float | None = None
    f1_upper: float | None = None


class EstimatedQuality:
    """Watches predictions for `ops.estimate_quality`: hand it over, and read `reports`, `now` or `by_key`.

    Args:
        window: the last predictions of each key that it is about, >= 1; 16 bytes each.
        level: of intervals, above 0 and below 1.
        every: predictions and labels of a key after which there is a report of it, >= 1. One takes about 3
            milliseconds for a window of 1000.
        keep: reports that are remembered for readers, >= 1.
        keys: keys that `by_key` has, those of the latest reports, >= 1.
        f1: whether reports tell F1 too, for which a prediction among k classes takes 8 (k + 1) bytes more.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self,
        window: int = 1000,
        *,
        level: float = 0.95,
        every: int = 100,
        keep: int = 1024,
        keys: int = 10_000,
        f1: bool = False,
    ) -> None:
        if not 0 < level < 1:
            message = f"EstimatedQuality(level) wants a number between 0 and 1, got {level!r}"
            raise ValueError(message)
        self.window: int = require_count("EstimatedQuality(window)", window, 1)
        self.level: float = level
        self.every: int = require_count("EstimatedQuality(every)", every, 1)
        self.f1: bool = f1
        self._most = require_count("EstimatedQuality(keys)", keys, 1)
        self._news: News[QualityReport] = News(keep)
        self._held: OrderedDict[Any, QualityReport] = OrderedDict()

    @property
    def reports(self) -> Flowable[QualityReport]:
        """The reports that are remembered, then one of a key after `every` of its predictions and labels; it ends when
        its run is drained.
        """
        return self._news.flow("quality")

    @property
    def now(self) -> QualityReport | None:
        """The latest report; None before the first."""
        return next(reversed(self._held.values())) if self._held else None

    @property
    def by_key(self) -> dict[Any, QualityReport]:
        """The latest report of each key, the latest of all last."""
        return dict(self._held)

    def hear(self, reports: Sequence[QualityReport]) -> None:
        """There are new reports, of a key each."""
        for report in reports:
            self._held.pop(report.key, None)
            self._held[report.key] = report
            self._news.tell(report)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def snapshot(self) -> list[Any]:
        """The state, as plain values."""
        plain = [asdict(replace(report, key=None)) for report in self._held.values()]
        return [to_plain(list(self._held)), plain]

    def restore(self, state: list[Any]) -> None:
        """Go on from a state that `snapshot` gave."""
        keys, plain = state
        self._held = OrderedDict(
            (key, _report(key, each)) for key, each in zip(from_plain(keys), plain, strict=True)
        )


def _report(key: Any, plain: dict[str, Any]) -> QualityReport:
    settings: dict[str, Any] = {**plain, "key": key, "counts": Counts(**plain["counts"])}
    return QualityReport(**settings)
