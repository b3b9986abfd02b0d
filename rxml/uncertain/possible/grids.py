"""Sums of any values, on a grid: characteristic functions multiplied, and inverted by an FFT.

Each value is split between the two grid points next to it so that its mean stays; normal noise becomes the lattice
distribution with the characteristic function exp(s^2 (cos t - 1)), the difference of two Poisson variables (Skellam, 1946),
which has the variance s^2 for any s, however small beside the step. So what is inverted belongs to a distribution on the grid
and does not ring, whatever atoms it has, and its mean and variance are known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.possible.shapes import places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.convolution import Part

_SPREAD: Final = 9.0  # standard deviations that normal noise stays within, but for 1e-18
_RARE: Final = 37.0  # the logarithm of what may be beyond, 1e-16
_TAIL: Final = 20  # steps by which lattice noise of a small variance goes on beyond normal noise
_FINEST: Final = 2.0**-40  # a step is no less than this part of the largest value
_CELLS: Final = 1 << 22  # complex numbers at once
_NOISY: Final = 0.25  # see `_moved`


@np.errstate(under="ignore")
def on_grid(
    p: Floats, v: Floats, s: Floats | None, cells: int, finest: float = 0.0
) -> tuple[list[Part], float, list[float]]:
    """The distributions of the sums of windows, on one grid, as fine as the widest of them lets it be.

    Args:
        p: the probability of each alternative, (G, n, M).
        v: its value, (G, n, M), finite.
        s: its standard deviation, (G, n, M), or None.
        cells: how many grid points, a power of two.
        finest: what the step is no less than.

    Returns:
        the distributions, the step, and for each window the root of the mean square of what its sum was moved by.
    """
    low, high = _ranges(p, v, s)
    widest = float((high - low).max(initial=0.0))
    farthest = float(np.maximum(np.abs(low), np.abs(high)).max(initial=0.0))
    margin = _margin(p.shape[1])
    if 4 * margin > cells:
        text = f"cells is {cells} for {p.shape[1]} rows"
        raise ValueError(f"{text}: give a power of two of at least {4 * margin}, or another method")
    step = max(widest / (cells - 2 * margin), farthest * _FINEST)
    step = max(step, finest) if step > 0 else 1.0
    whole = np.floor(v / step)
    part = v / step - whole
    noise = np.zeros_like(v) if s is None else np.maximum((s / step) ** 2 - part * (1 - part), 0.0)
    starts = (np.floor(low / step) - margin).astype(np.int64).tolist()
    columns = zip(starts, p, whole, part, noise, strict=True)
    parts = [
        (start, _inverted(_transform(chance, full, share, width, cells), start))
        for start, chance, full, share, width in columns
    ]
    return parts, step, (step * _moved(p, part, s)).tolist()


def room(n: int, cells: int) -> bool:
    """A grid of so many cells is enough for so many rows."""
    return 4 * _margin(n) <= cells


def _margin(n: int) -> int:
    """How many steps a sum may be moved beyond its range, but for 1e-16: by Hoeffding's inequality, and some for noise."""
    return min(n, math.ceil(math.sqrt(_RARE * n / 2.0))) + _TAIL


def _inverted(transform: NDArray[np.complex128], start: int) -> Floats:
    """The probabilities from `start` on."""
    half = len(transform) - 1
    turns = (start * places(half + 1)) % (2 * half)
    f = np.maximum(np.fft.irfft(transform * np.exp(turns * (1j * np.pi / half)), 2 * half), 0.0)
    return np.asarray(f / f.sum())


def _ranges(p: Floats, v: Floats, s: Floats | None) -> tuple[Floats, Floats]:
    """Where the sums are but for 1e-16: the hull of what they can be, or less by Bernstein's inequality; (G,) each."""
    noise = np.zeros_like(v) if s is None else s
    rest = np.maximum(1.0 - p.sum(axis=2), 0.0)
    mean = (p * v).sum(axis=2)
    squares = (p * ((v - mean[..., np.newaxis]) ** 2 + noise**2)).sum(axis=2) + rest * mean**2
    largest = np.abs(v) + _SPREAD * noise + np.abs(mean)[..., np.newaxis]
    steady = largest.max(axis=(1, 2), initial=0.0) * (_RARE / 3.0)
    reach = steady + np.sqrt(steady**2 + 2.0 * _RARE * squares.sum(axis=1))
    noisy = _SPREAD * np.sqrt((noise**2).max(axis=2).sum(axis=1))
    absent, centre = np.where(rest > 0, 0.0, np.inf), mean.sum(axis=1)
    least = _hull(np.where(p > 0, v, np.inf).min(axis=2), absent)
    most = -_hull(np.where(p > 0, -v, np.inf).min(axis=2), absent)
    low = np.maximum(least - noisy, centre - reach)
    return low, np.asarray(np.minimum(most + noisy, centre + reach))


def _hull(least: Floats, absent: Floats) -> Floats:
    """The least that rows can add up to, (G,), of which each may be absent where that is 0 and not infinite."""
    return np.asarray(np.minimum(least, absent).sum(axis=1))


def _transform(
    p: Floats, whole: Floats, part: Floats, noise: Floats, cells: int
) -> NDArray[np.complex128]:
    """The characteristic function of the sum of one window, at the frequencies of a real FFT, conjugated as it wants it."""
    frequencies = places(cells // 2 + 1)
    angles = frequencies * (2.0 * np.pi / cells)
    one, damping = np.exp(-1j * angles), np.cos(angles) - 1.0
    rest = np.maximum(1.0 - p.sum(axis=1), 0.0)
    total = np.ones(len(angles), np.complex128)
    at_once = max(1, _CELLS // (len(angles) * p.shape[1]))
    for first in range(0, len(p), at_once):
        rows = slice(first, first + at_once)
        turns = (whole[rows, :, np.newaxis] * frequencies) % cells
        each = np.exp(turns * (-2j * np.pi / cells))
        each *= 1.0 + part[rows, :, np.newaxis] * (one - 1.0)
        each *= np.exp(noise[rows, :, np.newaxis] * damping) * p[rows, :, np.newaxis]
        total *= np.prod(each.sum(axis=1) + rest[rows, np.newaxis], axis=0)
    return total


def _moved(p: Floats, part: Floats, s: Floats | None) -> Floats:
    """The root of the mean square of what sums were moved by, in steps, (G,): rows are moved independently, by 0 in the mean.

    A known value is moved by -part or 1 - part. One with noise is moved by less than half a step in the quadratic mean,
    whatever its variance: found numerically, the most where the noise is much smaller than the step.
    """
    squares = part * (1.0 - part)
    if s is not None:
        squares = np.where(s > 0, _NOISY, squares)
    return np.asarray(np.sqrt((p * squares).sum(axis=(1, 2))))
