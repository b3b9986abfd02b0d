"""By moments: the mean and the variance of what a model says, from points about the means of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.models.propagating.outcomes import Outcome, total
from rxml.models.propagating.points import STEP
from rxml.uncertain import Normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.models.propagating.points import Points
    from rxml.models.propagating.said import Said
    from rxml.uncertain.checks import Floats

_OUTER: Final = 1 / 6  # weight of the two outer points of the three-point Gauss-Hermite rule


class ByMoments:
    """Normals of the mean and variance that the points tell: the law of total variance.

    One input is taken after the other, so that one which is certain changes no bit of what the others make.

    Args:
        points: that were asked for.
        slopes: of a linear model, by input; None of another.
        curved: the second differences count (unscented); False: the slopes alone (delta).
    """

    def __init__(self, points: Points, slopes: Mapping[str, float] | None, *, curved: bool) -> None:
        self._points = points
        self._slopes = slopes
        self._curved = curved

    def outcome(self, said: Said, noise: float) -> Outcome:
        """What is to be said of an output.

        Args:
            said: at the points.
            noise: the residual variance.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            mean, parts = self._moments(said.mean)
            model = self._expected(said.model)
            residual = self._expected(said.residual) + noise
            var = total([*parts.values(), model, residual], np.zeros(len(mean)))
        wrong = ~np.isfinite(mean) | np.isnan(var)
        column = Normal.adopt(mean=np.where(wrong, np.nan, mean), var=np.where(wrong, np.nan, var))
        return Outcome(column, parts, model, residual)

    def _moments(self, y: Floats) -> tuple[Floats, dict[str, Floats]]:
        mean: Floats = y[0]
        parts: dict[str, Floats] = {}
        for k, (name, var) in enumerate(self._points.var.items()):
            if self._slopes is not None:
                parts[name] = _weighed(self._slopes[name], var)
                continue
            shift, part = self._along(y[0], y[1 + 2 * k], y[2 + 2 * k])
            mean = np.where(shift == 0, mean, mean + shift)
            parts[name] = np.where(np.isinf(var), np.inf, part)
        return mean, parts

    def _along(self, at: Floats, above: Floats, below: Floats) -> tuple[Floats, Floats]:
        """What one input adds to the mean and to the variance."""
        if not self._curved:
            return np.zeros_like(at), np.square((above - below) / (2 * STEP))
        up, down = above - at, below - at
        shift = _OUTER * (up + down)
        part = _OUTER * (np.square(up) + np.square(down)) - np.square(shift)
        return shift, np.maximum(part, 0.0)

    def _expected(self, var: Floats | None) -> Floats:
        """Of a variance that the model tells at the points."""
        if var is None:
            return np.zeros(self._points.rows)
        mean = var[0] if self._slopes is not None else self._moments(var)[0]
        return np.maximum(mean, 0.0)


def _weighed(slope: float, var: Floats) -> Floats:
    return np.square(slope) * var if slope else np.zeros_like(var)  # nothing of infinity is nothing
