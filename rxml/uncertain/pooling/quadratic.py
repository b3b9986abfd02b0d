"""The least of a quadratic form over convex weights, for many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats, Mask

_ZERO: Final = 1e-12  # a gain in units of the slopes below this is rounding


def least_on_simplex(a: Floats, b: Floats, awake: Mask) -> Floats:
    """Convex w that make w'Aw/2 - b'w least, by the active set method (Nocedal and Wright, section 16.5).

    Each row goes on its own until nothing is gained, so that its result does not depend on the rows beside it; after
    10 K steps it is taken as it is, which is always convex weights.

    Args:
        a: (n, K, K) symmetric, positive definite.
        b: (n, K).
        awake: (n, K) mask of who can have weight.

    Returns:
        (n, K) convex weights; all 0 in rows in which no one is awake.
    """
    count = awake.sum(axis=1, keepdims=True)
    weights = np.where(awake, 1.0 / np.maximum(count, 1), 0.0)
    free = awake.copy()
    rows = np.flatnonzero(count[:, 0] > 1)
    for _ in range(10 * a.shape[1]):
        if not len(rows):
            break
        weights[rows], free[rows], going = _step(
            a[rows], b[rows], awake[rows], weights[rows], free[rows]
        )
        rows = rows[going]
    return weights


def _step(
    a: Floats, b: Floats, awake: Mask, weights: Floats, free: Mask
) -> tuple[Floats, Mask, Mask]:
    """Weights after a step towards the least among the free ones, who is free then, and which rows go on."""
    wanted, slope = _least_among(a, b, free)
    falling = free & (wanted < weights) & (wanted < 0)
    ratio = np.where(falling, weights / np.where(falling, weights - wanted, 1.0), np.inf)
    part = np.minimum(ratio.min(axis=1, keepdims=True), 1.0)
    moved = np.where(free, weights + part * (wanted - weights), 0.0)
    stopped = falling & (ratio <= part)
    moved = np.maximum(np.where(stopped, 0.0, moved), 0.0)
    moved /= moved.sum(axis=1, keepdims=True)
    whole = ~stopped.any(axis=1)
    # at the least among the free ones: who is held at 0, and would gain most by weight?
    gain = slope[:, None] - ((a * moved[:, None, :]).sum(axis=2) - b)
    gain = np.where(awake & ~free, gain, -np.inf)
    best = gain.argmax(axis=1)
    tolerance = _ZERO * np.maximum(np.abs(b).max(axis=1), np.abs(slope))
    release = whole & (np.take_along_axis(gain, best[:, None], axis=1)[:, 0] > tolerance)
    free = free & ~stopped
    free[np.flatnonzero(release), best[release]] = True
    return moved, free, ~whole | release


def _least_among(a: Floats, b: Floats, free: Mask) -> tuple[Floats, Floats]:
    """The least with sum 1 among the free ones, of any sign; and the slope all of them have there."""
    both = free[:, :, None] & free[:, None, :]
    inner = np.where(both, a, np.eye(a.shape[1]))
    right = np.stack([np.where(free, b, 0.0), np.where(free, 1.0, 0.0)], axis=2)
    solved = np.linalg.solve(inner, right)
    x, z = solved[:, :, 0], solved[:, :, 1]
    slope: Floats = (1.0 - x.sum(axis=1)) / z.sum(axis=1)
    return np.where(free, x + slope[:, None] * z, 0.0), slope
