"""Which rows of one window are among the k highest, where values are normal or have alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rxml.uncertain.possible.quadrature import legendre
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.possible.shapes import places
from rxml.uncertain.special import ndtr, normal_pdf

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats, Mask

_NODES: Final = 12  # in a panel
_REACH: Final = 10.0  # standard deviations: beyond is less than 1e-22
_CLOSE: Final = 1e-14  # the halves of a panel agree with it
_LEAST: Final = 2.0**-45  # of the whole span: what floats tell apart with some digits
_DEPTH: Final = 40  # halvings
_CELLS: Final = 1 << 21  # numbers at once


class Panels(NamedTuple):
    """Pieces of the line that are integrated over, each told from a value near it: spreads may be too small for a float there.

    Attributes:
        origin: (P,).
        low: where it begins, from the origin, (P,).
        high: where it ends, likewise.
    """

    origin: Floats
    low: Floats
    high: Floats

    def at(self, some: Mask | slice) -> Panels:
        """Some of them."""
        return Panels(self.origin[some], self.low[some], self.high[some])

    def halves(self) -> tuple[Panels, Panels]:
        """Each cut in its middle."""
        middle = (self.low + self.high) / 2
        return Panels(self.origin, self.low, middle), Panels(self.origin, middle, self.high)


@np.errstate(under="ignore")
def contest(p: Floats, v: Floats, s: Floats, k: int) -> tuple[Floats, float]:
    """How likely each row is among the k highest, (n,), and an estimate of the error.

    Args:
        p: the probability of each alternative, (n, M).
        v: its value, (n, M).
        s: its standard deviation, (n, M); 0 for a value that is known.
        k: at least 1.
    """
    rows, k = UncertainRows(p, v, s), min(k, max(len(p), 1))
    known = (p > 0) & (s == 0)
    chances = _atoms(rows, known, k)
    noisy = (p > 0) & (s > 0)
    if not np.any(noisy):
        return chances, 0.0
    panels = _panels(*_ends(v, s, p > 0, noisy))
    dense, error = _adaptive(lambda c, x: _densities(rows, noisy, c, x, k), panels, len(p))
    return np.minimum(chances + dense, 1.0), error


def _ends(v: Floats, s: Floats, there: Mask, noisy: Mask) -> tuple[Floats, Floats]:
    """Of the first panels, as values and distances from them: where distributions begin, have their middle and end."""
    base, spread = np.tile(v[noisy], 3), np.repeat([-_REACH, 0.0, _REACH], np.count_nonzero(noisy))
    away = spread * np.tile(s[noisy], 3)
    jumps = v[there & ~noisy]
    ends = base + away
    inside = jumps[(jumps > ends.min()) & (jumps < ends.max())]
    fewest = _apart(ends, float(s[noisy].min()))
    base, away = np.append(base[fewest], inside), np.append(away[fewest], np.zeros(len(inside)))
    _, order = np.unique(np.stack([base + away, away, base]), axis=1, return_index=True)
    return base[order], away[order]


def _apart(ends: Floats, least: float) -> NDArray[np.intp]:
    """The first end within each least spread, which is enough, and the last of all; all, if floats do not tell them apart."""
    low, high = ends.min(), ends.max()
    if least <= _LEAST * (high - low):
        return places(len(ends))
    order = np.argsort(ends, kind="stable")
    _, first = np.unique(np.floor((ends[order] - low) / least), return_index=True)
    kept: NDArray[np.intp] = order[np.union1d(first, [len(order) - 1])]
    return kept


def _panels(base: Floats, away: Floats) -> Panels:
    """Between neighbouring ends: from each of the two to the middle."""
    apart = np.diff(base)
    middle = (away[:-1] + apart + away[1:]) / 2
    left = Panels(base[:-1], away[:-1], middle)
    right = Panels(base[1:], middle - apart, away[1:])
    return Panels(*(np.concatenate(pair) for pair in zip(left, right, strict=True)))


def _atoms(rows: UncertainRows, known: Mask, k: int) -> Floats:
    """What known alternatives add: each is met, and fewer than k others are above it, or equal and earlier."""
    chances = np.zeros(len(known))
    tied = np.where(known, rows.p, 0.0)
    for i, m in np.argwhere(known).tolist():
        x = rows.v[i, m]
        above = rows.above(np.asarray(x))
        above[:i] += (tied[:i] * (rows.v[:i] == x)).sum(axis=1)
        others = np.delete(above, i)
        chances[i] += rows.p[i, m] * float(_fewer(np.minimum(others, 1.0)[np.newaxis], k)[0])
    return chances


def _fewer(q: Floats, k: int) -> Floats:
    """P(fewer than k of the rows), over the last axis of (T, n)."""
    f = _first(k, len(q))
    for each in q.T:
        f = _more(f, each)
    return np.asarray(np.minimum(f.sum(axis=0), 1.0))


def _first(k: int, nodes: int) -> Floats:
    f = np.zeros((k, nodes))
    f[0] = 1.0
    return f


def _more(f: Floats, q: Floats) -> Floats:
    """Counts below k with one more row."""
    new = f * (1.0 - q)
    new[1:] += f[:-1] * q
    return new


def _densities(rows: UncertainRows, noisy: Mask, origin: Floats, x: Floats, k: int) -> Floats:
    """The density of each row being there with a value origin + x and among the k highest, (T, n)."""
    scale = np.where(noisy, 1.0 if rows.s is None else rows.s, 1.0)
    out = np.empty((len(x), len(noisy)))
    at_once = max(1, _CELLS // (noisy.size * k))
    for start in range(0, len(x), at_once):
        cut = slice(start, start + at_once)
        away = (rows.v - origin[cut, np.newaxis, np.newaxis]) - x[cut, np.newaxis, np.newaxis]
        z = away / scale
        own = np.where(noisy, rows.p * normal_pdf(z) / scale, 0.0).sum(axis=2)
        above = (rows.p * np.where(noisy, ndtr(z), away > 0)).sum(axis=2)
        out[cut] = own * _without_each(np.minimum(above, 1.0), k)
    return out


def _without_each(q: Floats, k: int) -> Floats:
    """P(fewer than k of the others) for each row, (T, n): those before it and those behind, never by taking one out."""
    nodes, n = q.shape
    before = [_first(k, nodes)]
    for each in q.T[:-1]:
        before.append(_more(before[-1], each))
    behind, out = _first(k, nodes), np.empty_like(q)
    for i in range(n - 1, -1, -1):
        room = np.cumsum(behind, axis=0)[::-1]  # of those behind, at most k - 1 - a
        out[:, i] = (before[i] * room).sum(axis=0)
        behind = _more(behind, q[:, i])
    return out


def _adaptive(
    density: Callable[[Floats, Floats], Floats], panels: Panels, columns: int
) -> tuple[Floats, float]:
    """The integral over all panels, halved until halves agree with the whole, and the sum of what they differed by."""
    whole = _panel_integrals(density, panels, columns)
    total, error = np.zeros(columns), 0.0
    for depth in range(_DEPTH):
        halves = panels.halves()
        parts = [_panel_integrals(density, half, columns) for half in halves]
        apart = np.abs(parts[0] + parts[1] - whole).max(axis=1, initial=0.0)
        done = (apart <= _CLOSE) | (depth == _DEPTH - 1)
        total += (parts[0] + parts[1])[done].sum(axis=0)
        error += float(apart[done].sum())
        left = ~done
        if not np.any(left):
            break
        pairs = zip(halves[0].at(left), halves[1].at(left), strict=True)
        panels = Panels(*(np.concatenate(pair) for pair in pairs))
        whole = np.concatenate([part[left] for part in parts])
    return total, error


def _panel_integrals(
    density: Callable[[Floats, Floats], Floats], panels: Panels, columns: int
) -> Floats:
    """The integral over each panel, (P, columns)."""
    t, w = legendre(_NODES)
    size = len(panels.low)
    out, at_once = np.empty((size, columns)), max(1, _CELLS // (_NODES * columns))
    for start in range(0, size, at_once):
        some = panels.at(slice(start, start + at_once))
        width = (some.high - some.low)[:, np.newaxis]
        x = (some.low[:, np.newaxis] + width * t).reshape(-1)
        values = density(np.repeat(some.origin, _NODES), x).reshape(len(width), _NODES, columns)
        out[start : start + at_once] = (values * (width * w)[..., np.newaxis]).sum(axis=1)
    return out
