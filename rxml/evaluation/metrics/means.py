"""Means of scores, with Student's interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.bounds import student
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.metrics.moments import Kept, Moments, Windowed, moments_kept
from rxml.uncertain.checks import require

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats


class Mean(Metric[Kept | Windowed]):
    """The mean of a score, as of those in `rxml.evaluation.scores`.

    Infinite scores make it infinite; where weights fade that stays so, and a window forgets it.

    Args:
        score: of columns without missing rows, all (n,), gives (n,).
        needs: the columns, in the order of its arguments.
        name: what it is called in snapshots, so that one of another score is not taken for it.
        bounds: what its mean can be.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: `fading` or `window` is outside its bounds, or both are given.
    """

    name: str
    bounds: tuple[float, float]

    def __init__(
        self,
        score: Callable[..., Floats],
        needs: Sequence[str],
        *,
        name: str,
        bounds: tuple[float, float] = (-np.inf, np.inf),
        fading: float | None = None,
        window: int | None = None,
    ) -> None:
        super().__init__(tuple(needs), moments_kept(memory(fading, window)))
        self._score = score
        self.name = name
        self.bounds = bounds

    @override
    def setting(self) -> list[Any]:
        return [self.name]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        return (np.asarray(self._score(*columns), np.float64),)

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        return self.moments(slots).mean

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        lower, upper = student(self.moments(slots), level)
        return np.maximum(lower, self.bounds[0]), np.minimum(upper, self.bounds[1])

    def moments(self, slots: Slots | None = None) -> Moments:
        """Weight, mean and variance of the score."""
        return self.kept.read(self._at(slots))


class RootMean(Mean):
    """The square root of the mean of a score that is at least 0: of squared errors, the RMSE."""

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        (score,) = super()._rows(*columns)
        require(~(score < 0), f"{self.name} is the root of scores >= 0", score)
        return (score,)

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        return np.sqrt(super().value(slots))

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        lower, upper = super().interval(level, slots)
        return np.sqrt(np.maximum(lower, 0.0)), np.sqrt(upper)
