"""The smoother of the local level model: what later events tell of earlier levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats


def smooth(means: Floats, variances: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Levels at each event, with all events known (Rauch, Tung and Striebel 1965).

    Args:
        means: (N, T) levels of N series after each of T events, as filtered; NaN before the first.
        variances: (N, T) their variances, from 0 to inf.
        steps: (N, T) variance that the level gained since the event before, >= 0 and finite; the first is not looked at.

    Returns:
        Means and variances, (N, T) each.
    """
    late, late_var = means.copy(), variances.copy()
    for at in range(means.shape[1] - 2, -1, -1):
        late[:, at], late_var[:, at] = _back(
            means[:, at], variances[:, at], steps[:, at + 1], late[:, at + 1], late_var[:, at + 1]
        )
    return late, late_var


def _back(
    mean: Floats, var: Floats, step: Floats, later: Floats, later_var: Floats
) -> tuple[Floats, Floats]:
    total = var + step
    same = (total == 0) | np.isinf(
        var
    )  # the level did not change, or nothing was known: it is the later one
    with np.errstate(under="ignore", over="ignore"):
        gain = np.where(same, 1.0, np.where(same, 1.0, var) / np.where(same, 1.0, total))
        part = np.where(gain > 0, later_var, 0.0) * gain * gain
        smoothed = np.where(same, later, mean + gain * (later - mean))
        # sums of what is positive: P - C^2 (P + step - later) would lose all its digits
        return smoothed, step * gain + part
