"""Accuracy before any label has come, from probabilities that are calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.estimated.trials import Kept, Windowed
from rxml.evaluation.metrics.bounds import required_level
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.scores.inputs import probabilities

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats


def confidence(prob: ArrayLike, threshold: float = 0.5) -> Floats:
    """The probability that what is predicted is right.

    Args:
        prob: of the positive class, (n,), which is predicted from the threshold on; or of K classes, (n, K), of
            which the likeliest is predicted.
        threshold: in [0, 1].

    Raises:
        DistributionError: a probability is outside [0, 1].
    """
    p = probabilities("probability", prob)
    if p.ndim == 2:
        return np.asarray(p.max(axis=1, initial=0.0))
    return np.where(p >= threshold, p, 1 - p)


def required_threshold(threshold: float) -> float:
    """From what probability on a row is predicted to be positive.

    Raises:
        ValueError: it is outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold wants a number in [0, 1], got {threshold!r}")
    return threshold


class EstimatedAccuracy(Metric[Kept | Windowed]):
    """The accuracy of predictions that have no label yet: the mean of the probability of what is predicted.

    Known as confidence-based performance estimation (CBPE, of NannyML). It is right where the probabilities are
    calibrated, and says nothing of whether they are. The column is probability: (n,) of the positive class, or
    (n, K). The interval is for the accuracy of these very rows, whose hits are a Poisson binomial: exact for a
    window, and for all rows up to `exact`; beyond, and where weights fade, from three moments.

    Args:
        threshold: from what probability on the positive class is predicted, in [0, 1].
        exact: of how many rows single probabilities are kept, at least 1. Memory: 8 bytes each, for every slot.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: an argument is outside its bounds.

    Examples:
        >>> estimated = EstimatedAccuracy()
        >>> estimated.update([0.9, 0.2, 0.7])
        >>> estimated.value().round(3).tolist()
        [0.8]
    """

    threshold: float

    def __init__(
        self,
        threshold: float = 0.5,
        *,
        exact: int = 64,
        fading: float | None = None,
        window: int | None = None,
    ) -> None:
        if exact < 1:
            raise ValueError(f"exact wants a number of rows, at least 1, got {exact!r}")
        remembers = memory(fading, window)
        kept = Windowed(remembers) if remembers.window else Kept(remembers, exact)
        super().__init__(("probability",), kept)
        self.threshold = required_threshold(threshold)

    @override
    def setting(self) -> list[Any]:
        return [self.threshold]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        return (confidence(columns[0], self.threshold),)

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        return self.kept.read(self._at(slots)).share

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        return self.kept.read(self._at(slots)).interval(required_level(level))
