"""Which rows of one window are among the k highest, where values are normal or have alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.possible.quadrature import legendre
from rxml.uncertain.possible.rows import UncertainRows
from rxml.uncertain.special import normal_pdf

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.checks import Floats, Mask

_NODES: Final = 12  # in a panel
_REACH: Final = 10.0  # standard deviations: beyond is less than 1e-22
_CLOSE: Final = 1e-14  # the halves of a panel agree with it
_LEAST: Final = 2.0**-45  # of the whole span: what ends are told apart by
_DEPTH: Final = 40  # halvings
_CELLS: Final = 1 << 21  # numbers at once


@np.errstate(under="ignore")
def contest(p: Floats, v: Floats, s: Floats, k: int) -> tuple[Floats, float]:
    """How likely each row is among the k highest, (n,), and an estimate of the error.

    Args:
        p: the probability of each alternative, (n, M).
        v: its value, (n, M).
        s: its standard deviation, (n, M); 0 for a value that is known.
        k: at least 1.
    """
    rows = UncertainRows(p, v, s)
    known = (p > 0) & (s == 0)
    chances = _atoms(rows, known, k)
    noisy = (p > 0) & (s > 0)
    if not np.any(noisy):
        return chances, 0.0
    ends = _ends(v, s, p > 0, noisy)
    dense, error = _adaptive(lambda x: _densities(rows, s, noisy, x, k), ends, len(p))
    return np.minimum(chances + dense, 1.0), error


def _ends(v: Floats, s: Floats, there: Mask, noisy: Mask) -> Floats:
    """Of the first panels: where distributions begin, have their middle and end; within the least spread one is enough."""
    wide = np.unique(np.concatenate([(v + side * s)[noisy] for side in (-_REACH, 0.0, _REACH)]))
    span = wide[-1] - wide[0]
    cells = np.floor((wide - wide[0]) / max(float(s[noisy].min()), span * _LEAST))
    _, first = np.unique(cells, return_index=True)
    jumps = v[there & ~noisy]
    inside = jumps[(jumps > wide[0]) & (jumps < wide[-1])]
    return np.unique(np.concatenate([wide[first], wide[-1:], inside]))


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


def _densities(rows: UncertainRows, s: Floats, noisy: Mask, x: Floats, k: int) -> Floats:
    """The density of each row being there with a value x and among the k highest, (T, n)."""
    n = len(s)
    k = min(k, n)
    scale = np.where(noisy, s, 1.0)
    out = np.empty((len(x), n))
    at_once = max(1, _CELLS // (n * k))
    for start in range(0, len(x), at_once):
        part = x[start : start + at_once]
        z = (part[:, np.newaxis, np.newaxis] - rows.v) / scale
        own = np.where(noisy, rows.p * normal_pdf(z) / scale, 0.0).sum(axis=2)
        out[start : start + at_once] = own * _without_each(rows.above(part), k)
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
    density: Callable[[Floats], Floats], ends: Floats, columns: int
) -> tuple[Floats, float]:
    """The integral over all panels, halved until halves agree with the whole, and the sum of what they differed by."""
    low, high = ends[:-1], ends[1:]
    whole = _panel_integrals(density, low, high, columns)
    total, error = np.zeros(columns), 0.0
    for depth in range(_DEPTH):
        middle = (low + high) / 2
        sides = ((low, middle), (middle, high))
        halves = [_panel_integrals(density, *side, columns) for side in sides]
        apart = np.abs(halves[0] + halves[1] - whole).max(axis=1, initial=0.0)
        done = (apart <= _CLOSE) | (depth == _DEPTH - 1)
        total += (halves[0] + halves[1])[done].sum(axis=0)
        error += float(apart[done].sum())
        left = ~done
        if not np.any(left):
            break
        low, high = (
            np.concatenate([low[left], middle[left]]),
            np.concatenate([middle[left], high[left]]),
        )
        whole = np.concatenate([half[left] for half in halves])
    return total, error


def _panel_integrals(
    density: Callable[[Floats], Floats], low: Floats, high: Floats, columns: int
) -> Floats:
    """The integral over each panel, (P, columns)."""
    t, w = legendre(_NODES)
    out, at_once = np.empty((len(low), columns)), max(1, _CELLS // (_NODES * columns))
    for start in range(0, len(low), at_once):
        cut = slice(start, start + at_once)
        width = (high - low)[cut, np.newaxis]
        values = density((low[cut, np.newaxis] + width * t).reshape(-1))
        weighted = values.reshape(len(width), _NODES, columns) * (width * w)[..., np.newaxis]
        out[cut] = weighted.sum(axis=1)
    return out
