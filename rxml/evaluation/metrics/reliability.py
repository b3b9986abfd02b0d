"""Whether probabilities come true as often as they say: ECE, the parts of the Brier score, Spiegelhalter's z."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.bins import Binned, Bins
from rxml.evaluation.metrics.bounds import required_level, two_sided, wilson
from rxml.evaluation.metrics.cells import Added, Faded, Windowed, cells_kept
from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.labels import Labels
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.metrics.probabilities import judged
from rxml.evaluation.scores.inputs import quiet
from rxml.uncertain.special import ndtr, normal_pdf

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats

_MEAN_SIZE: Final = sqrt(2 / pi)  # of a standard normal


class ECE(Binned):
    """The expected calibration error: the mean over bins of equal mass of |predicted - observed|.

    It is above 0 also for right probabilities, by chance; `debiased` takes about half of that off where they are right, and
    nearly all where they are not.
    The interval allows for what chance can add or take in all bins: it errs to be wide.
    """

    @override
    @quiet
    def value(self, slots: Slots | None = None) -> Floats:
        bins = self.reliability(slots)
        return _known(bins, np.sum(bins.share * np.abs(bins.gap), axis=1))

    @quiet
    def debiased(self, slots: Slots | None = None) -> Floats:
        """Less what normal noise of each bin adds on average to the size of its gap (Kumar, Liang and Ma, 2019); at least 0."""
        bins = self.reliability(slots)
        size, noise = np.abs(bins.gap), np.sqrt(bins.var)
        z = divided(size, noise, np.inf)
        with np.errstate(invalid="ignore"):
            more = 2 * noise * normal_pdf(z) - 2 * size * ndtr(-z)
        error = np.sum(bins.share * (size - more), axis=1)
        return _known(bins, np.maximum(error, 0.0))

    @override
    @quiet
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        bins = self.reliability(slots)
        noise = bins.share * np.sqrt(bins.noise)
        spread = np.sqrt((1 - _MEAN_SIZE**2) * np.sum(noise * noise, axis=1))
        away = _MEAN_SIZE * noise.sum(axis=1) + _one_sided(level) * spread
        value = self.value(slots)
        return _cut(value - away, 0.0), np.where(
            np.isnan(value), 1.0, np.minimum(value + away, 1.0)
        )


class Reliability(Binned):
    """The part of the Brier score that calibration would take off (Murphy, 1973): the mean of (predicted - observed)^2.

    Less what chance adds (Broecker, 2012), at least 0. Brier score = reliability - resolution + uncertainty, but
    for what probabilities differ by within a bin.
    """

    @override
    @quiet
    def value(self, slots: Slots | None = None) -> Floats:
        bins = self.reliability(slots)
        return _known(bins, np.maximum(np.sum(bins.share * (bins.gap**2 - bins.var), axis=1), 0.0))

    @override
    @quiet
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        bins = self.reliability(slots)
        return _around(self.value(slots), _of_squares(bins, bins.gap, level))


class Resolution(Binned):
    """The part of the Brier score that telling rows apart takes off (Murphy, 1973): the mean of (observed - overall)^2.

    Less what chance adds (Broecker, 2012), at least 0. More is better.
    """

    @override
    @quiet
    def value(self, slots: Slots | None = None) -> Floats:
        bins = self.reliability(slots)
        more = np.sum(bins.share * (_apart(bins) ** 2 - bins.var), axis=1) + _overall_var(bins)
        return _known(bins, np.maximum(more, 0.0))

    @override
    @quiet
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        bins = self.reliability(slots)
        return _around(self.value(slots), _of_squares(bins, _apart(bins), level))


class Uncertainty(Binned):
    """The part of the Brier score that is in what is predicted, p (1 - p) of its overall share (Murphy, 1973), without bias."""

    @override
    @quiet
    def value(self, slots: Slots | None = None) -> Floats:
        bins = self.reliability(slots)
        overall = _overall(bins)
        return _known(bins, overall * (1 - overall) + _overall_var(bins))

    @override
    @quiet
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        bins = self.reliability(slots)
        low, high = wilson(_known(bins, _overall(bins)), bins.rows.sum(axis=1), level)
        ends = low * (1 - low), high * (1 - high)
        half = (low <= 0.5) & (high >= 0.5)
        bounds = np.minimum(*ends), np.where(half, 0.25, np.maximum(*ends))
        return _around(self.value(slots), bounds)


class SpiegelhalterZ(Metric[Added | Faded | Windowed]):
    """Spiegelhalter's z (1986): standard normal where probabilities are right, below 0 where they are too bold.

    sum (y - p) (1 - 2 p) / sqrt(sum (1 - 2 p)^2 p (1 - p)). Columns truth and probability, as in `ECE`.

    Args:
        labels: the classes there are, at least two.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: an argument is outside its bounds.
    """

    labels: Labels

    def __init__(
        self,
        labels: Sequence[Hashable] = (False, True),
        *,
        fading: float | None = None,
        window: int | None = None,
    ) -> None:
        super().__init__(("truth", "probability"), cells_kept(memory(fading, window), 1, 2))
        self.labels = Labels(labels)

    @override
    def setting(self) -> list[Any]:
        return [list(self.labels.labels)]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        p, came = judged(self.labels, *columns)
        slope = 1 - 2 * p
        with np.errstate(under="ignore"):
            return np.zeros(len(p), np.intp), (came - p) * slope, slope * slope * p * (1 - p)

    @override
    @quiet
    def value(self, slots: Slots | None = None) -> Floats:
        sums = self.kept.read(self._at(slots))
        # where weights fade, a sum of equal rows has the variance of as many as tell as much
        scale = np.sqrt(sums.scale)
        return divided(sums.cells[:, 0, 1] * scale, np.sqrt(sums.cells[:, 0, 2]), np.nan)

    @override
    @quiet
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        z, away = self.value(slots), two_sided(level)
        unknown = np.isnan(z)
        return np.where(unknown, -np.inf, z - away), np.where(unknown, np.inf, z + away)

    @quiet
    def p_value(self, slots: Slots | None = None) -> Floats:
        """How often right probabilities give a z at least as far from 0."""
        return 2 * ndtr(-np.abs(self.value(slots)))


def _one_sided(level: float) -> float:
    return max(two_sided(max(2 * required_level(level) - 1, 1e-9)), 0.0)


def _around(value: Floats, bounds: Bounds) -> Bounds:
    """Wide enough for a value from which the bias was taken."""
    return np.fmin(bounds[0], value), np.fmax(bounds[1], value)


def _known(bins: Bins, value: Floats) -> Floats:
    return np.where(bins.share.sum(axis=1) > 0, value, np.nan)


def _cut(lower: Floats, least: float) -> Floats:
    return np.where(np.isnan(lower), least, np.maximum(lower, least))


def _overall(bins: Bins) -> Floats:
    overall: Floats = np.clip(np.sum(bins.share * bins.observed, axis=1), 0.0, 1.0)
    return overall


def _overall_var(bins: Bins) -> Floats:
    overall = _overall(bins)
    return divided(overall * (1 - overall), np.maximum(bins.rows.sum(axis=1) - 1, 0.0), 0.0)


def _apart(bins: Bins) -> Floats:
    return np.where(bins.share > 0, bins.observed - _overall(bins)[:, None], 0.0)


def _of_squares(bins: Bins, away: Floats, level: float) -> Bounds:
    """For a mean of squares: its root is off by no more than the root of the mean square of the noise."""
    noise = bins.share * bins.noise
    most = noise.sum(axis=1) + _one_sided(level) * np.sqrt(2 * np.sum(noise * noise, axis=1))
    root, off = _known(bins, np.sqrt(np.sum(bins.share * away * away, axis=1))), np.sqrt(most)
    lower, upper = _cut(root - off, 0.0) ** 2, (root + off) ** 2
    return lower, np.where(np.isnan(upper), 1.0, np.minimum(upper, 1.0))
