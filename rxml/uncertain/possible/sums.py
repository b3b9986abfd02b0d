"""SUM over rows that may not be there and whose values are uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.possible.convolution import LEAF, block_sums, merged, stacked
from rxml.uncertain.possible.grids import on_grid, room
from rxml.uncertain.possible.pmf import Pmf
from rxml.uncertain.possible.shapes import windowed
from rxml.uncertain.possible.skewed import Skewed, bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.possible.convolution import Part
    from rxml.uncertain.possible.rows import UncertainRows

Method: TypeAlias = Literal["auto", "exact", "grid", "skewed"]

STEPS: Final = 100_000_000
"""The cost, in additions, up to which `auto` takes the exact way: a few tenths of a second."""
WIDEST: Final = 1 << 24
"""The values of a sum up to which `auto` takes the exact way: an eighth of a gigabyte for a window."""
_MOST: Final = 1 << 26  # for who asks for it
GRID_STEPS: Final = 5_000_000
"""The same for the grid, in rows times grid points; a tenth of a second."""
_FINEST: Final = 2.0**-1000  # a step of a grid is no less
_GOOD: Final = (
    0.01  # the error of three moments that `auto` takes rather than a grid of many windows
)
_ON_LATTICE: Final = 1e-9  # of a step, or of a value that is less
_ROUNDED: Final = 2.0**-50  # of a value: what it and dividing it by the step may be off
_ODD: Final = 2.0**53  # whole numbers beyond are not told from their neighbours


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of a sum.

    Attributes:
        mean: shape of the windows.
        var: the same, at least 0.
        skew: the third standardised moment, the same; 0 where there is no variance.
    """

    mean: Floats
    var: Floats
    skew: Floats


def sum_moments(rows: UncertainRows) -> Moments:
    """Mean, variance and skewness of the sum, exact, in O(n): sum p v, sum (p (s^2 + v^2) - p^2 v^2), and the third.

    Where nothing is uncertain about who is there, the mean is what `numpy.sum` gives for the rows that are.

    Args:
        rows: of one window or of many; values must be finite.

    Raises:
        DistributionError: a value is infinite.
    """
    return _moments(rows)[0]


@np.errstate(under="ignore", over="ignore")
def _moments(rows: UncertainRows) -> tuple[Moments, Floats, Floats]:
    """And the standard deviation, and a bound on the sum of the third absolute central moments in its cubes."""
    _require_finite(rows)
    unit, scaled = rows.scaled()
    mean, square, third, absolute = central_moments(scaled)
    var = square.sum(axis=-1)
    scale = np.where(var > 0, var, 1.0)
    skew = np.where(var > 0, third.sum(axis=-1) / scale, 0.0) / np.sqrt(scale)
    lyapunov = np.where(var > 0, absolute.sum(axis=-1) / scale, 0.0) / np.sqrt(scale)
    total = over_certain(rows, np.sum, np.asarray(mean.sum(axis=-1) * unit))
    moments = Moments(total, np.asarray(var * unit * unit), np.asarray(skew))
    # the variance itself may be too large, or too small, for a number
    return moments, np.asarray(np.sqrt(var) * unit), np.asarray(lyapunov)


def central_moments(rows: UncertainRows) -> tuple[Floats, Floats, Floats, Floats]:
    """Of what each row adds: the mean, the second and the third central moment, and a bound on the third absolute one."""
    mean = (rows.p * rows.v).sum(axis=-1)
    away = rows.v - mean[..., np.newaxis]
    noise = np.zeros_like(rows.v) if rows.s is None else rows.s**2
    rest = 1.0 - rows.presence
    square = (rows.p * (away**2 + noise)).sum(axis=-1) + rest * mean**2
    third = (rows.p * (away**3 + 3.0 * away * noise)).sum(axis=-1) - rest * mean**3
    fourth = (rows.p * (away**4 + 6.0 * away**2 * noise + 3.0 * noise**2)).sum(axis=-1)
    absolute = np.sqrt(square) * np.sqrt(fourth + rest * mean**4)  # Cauchy and Schwarz
    return mean, square, third, absolute


def over_certain(
    rows: UncertainRows, plain: Callable[[Floats], np.floating], otherwise: Floats
) -> Floats:
    """The same with what a numpy function makes of the values that are there, in windows where that is certain.

    Args:
        rows: of the windows.
        plain: the function, of an array (m,), m at least 0.
        otherwise: for the other windows, of the shape of the windows.
    """
    shape, cells = rows.shape, rows.p.shape[-2] * rows.p.shape[-1]
    out = np.array(otherwise).reshape(-1)
    p, v = (each.reshape(out.size, cells) for each in (rows.p, rows.v))
    for window in np.flatnonzero(rows.certain.reshape(-1)).tolist():
        out[window] = plain(v[window][p[window] == 1])
    return out.reshape(shape)


def total(
    rows: UncertainRows, *, method: Method = "auto", step: float = 1.0, cells: int = 4096
) -> Pmf | Skewed:
    """The distribution of the sum.

    Args:
        rows: of one window or of many; values must be finite.
        method: `exact` for values that are known multiples of `step`: by recurrence over the rows and by convolution,
            tails with their relative accuracy; `grid` for any: their characteristic functions on a grid, inverted by an
            FFT, `shift` tells how far values were moved, and `bound` what that may do to probabilities; `skewed`: by three
            moments, `error` tells a bound on the probabilities. `auto` is exact if it can be, costs at most `STEPS` and has at most `WIDEST` values; else by
            moments, if their `error` is at most 0.01 or the grid would cost more than `GRID_STEPS`; else on the grid.
        step: the lattice of `exact`, above 0.
        cells: grid points of `grid`, a power of two; 4,096 are enough for 50,000 rows.

    Raises:
        DistributionError: a value is infinite.
        ValueError: `exact` for other values, or for sums of more than 2^26; or no such method, step or number of cells.
    """
    _require_finite(rows)
    if not step > 0 or cells < 16 or cells & (cells - 1):
        text = f"step is {step:g} and cells {cells}"
        raise ValueError(f"{text}: give a step above 0 and a power of two of at least 16")
    ways: dict[str, Callable[[UncertainRows, float, int], Pmf | Skewed]] = {
        "exact": _exact,
        "grid": _grid,
        "skewed": _skewed,
    }
    chosen = _cheapest(rows, step, cells) if method == "auto" else method
    if chosen not in ways:
        raise ValueError(f"no method is called {method!r}: give auto, {', '.join(ways)}")
    return ways[chosen](rows, step, cells)


def _cheapest(rows: UncertainRows, step: float, cells: int) -> Method:
    if rows.s is None or not np.any(rows.s):
        whole = rows.v / step
        width = _width(whole)
        if on_lattice(whole) and width <= WIDEST and width * whole.size <= STEPS:
            return "exact"
    if _grid_can(rows, cells) and not np.all(_skewed(rows, step, cells).error <= _GOOD):
        return "grid"
    return "skewed"


def _grid_can(rows: UncertainRows, cells: int) -> bool:
    return rows.v.size * cells <= GRID_STEPS and room(rows.v.shape[-2], cells)


def on_lattice(whole: Floats) -> bool:
    """All are whole numbers, small enough to be told from their neighbours."""
    near = bool(np.all(np.abs(whole) < _ODD))
    whole_ones = np.rint(whole)
    size = np.abs(whole_ones)
    slack = np.maximum(_ON_LATTICE * np.minimum(size, 1.0), _ROUNDED * size)
    return near and bool(np.all(np.abs(whole - whole_ones) <= slack))


def _width(whole: Floats) -> float:
    """How many values the sum of a window can have at most."""
    with np.errstate(over="ignore"):
        return float(np.abs(whole).max(axis=-1, initial=0).sum(axis=-1).max(initial=0))


def _exact(rows: UncertainRows, step: float, _cells: int) -> Pmf:
    whole = rows.v / step
    if not on_lattice(whole) or (rows.s is not None and np.any(rows.s)):
        raise ValueError(f"values are no known multiples of the step {step:g}: take another method")
    if _width(whole) > _MOST:
        text = f"a sum can have {_width(whole):g} values, of steps of {step:g}"
        raise ValueError(f"{text}: take another method, or a step with at most {_MOST}")
    values = windowed(np.rint(whole).astype(np.int64), 2)
    starts, f = lattice_sums(values, rows.p.reshape(values.shape))
    shape = rows.shape
    shaped = f.reshape(*shape, f.shape[1])
    return Pmf(starts.reshape(shape), shaped, np.zeros(shape), step, np.zeros(shape))


def lattice_sums(values: NDArray[np.int64], p: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Sums of independent rows that each are one of M whole numbers, or absent: starts (G,), probabilities (G, S).

    Args:
        values: (G, n, M).
        p: the probability of each, (G, n, M); a row adds up to at most 1.
    """
    groups, n, alternatives = values.shape
    blocks = max(1, -(-n // LEAF))
    wide = ((0, 0), (0, blocks * LEAF - n), (0, 0)) if blocks > 1 else ((0, 0), (0, 0), (0, 0))
    branches, weights = _branches(np.pad(values, wide), np.pad(p, wide))
    low, length = branches.min(axis=2, initial=0), branches.shape[1] // blocks
    leaves = block_sums(
        (branches - low[..., np.newaxis]).reshape(groups * blocks, length, alternatives + 1),
        weights.reshape(groups * blocks, length, alternatives + 1),
    )
    starts = low.reshape(groups * blocks, length).sum(axis=1).tolist()
    parts: list[Part] = list(zip(starts, leaves, strict=True))
    return stacked([merged(parts[at : at + blocks]) for at in range(0, len(parts), blocks)])


def _branches(values: NDArray[np.int64], p: Floats) -> tuple[NDArray[np.int64], Floats]:
    """What a row may add, and how likely: nothing where it is absent, else one of its values."""
    absent = 1.0 - p[..., 0] if p.shape[-1] == 1 else np.maximum(1.0 - p.sum(axis=-1), 0.0)
    weights = np.concatenate([absent[..., np.newaxis], p], axis=-1)
    return np.concatenate([np.zeros_like(values[..., :1]), values], axis=-1), weights


@np.errstate(under="ignore")
def _grid(rows: UncertainRows, _step: float, cells: int) -> Pmf:
    units, _ = rows.scaled()
    unit = float(units.max(initial=0.0)) or 1.0  # one for all, so that squares are numbers
    s = None if rows.s is None else windowed(rows.s, 2) / unit
    v = windowed(rows.v, 2) / unit
    parts, step, moved = on_grid(windowed(rows.p, 2), v, s, cells, _FINEST / unit)
    starts, f = stacked(parts)
    shape, step = rows.shape, step * unit
    shift = unit * np.array(moved).reshape(shape)
    return Pmf(starts.reshape(shape), f.reshape(*shape, f.shape[1]), np.zeros(shape), step, shift)


def _skewed(rows: UncertainRows, _step: float, _cells: int) -> Skewed:
    moments, spread, lyapunov = _moments(rows)
    error = bound(moments.skew.reshape(-1), lyapunov.reshape(-1)).reshape(rows.shape)
    error = np.where(spread > 0, error, 0.0)
    return Skewed(moments.mean, spread, moments.skew, error)


def _require_finite(rows: UncertainRows) -> None:
    fine: Mask = np.isfinite(rows.v)
    if not np.all(fine):
        raise DistributionError("a sum is of finite values: got an infinite one")
