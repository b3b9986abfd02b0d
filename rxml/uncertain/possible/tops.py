"""TOP-K: how likely each row is among the k rows of the highest values, and what rank it is expected to have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rxml.uncertain.possible.contests import contest
from rxml.uncertain.possible.shapes import windowed
from rxml.uncertain.special import ndtr

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.rows import UncertainRows


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """How likely each row is among the first k.

    Attributes:
        p: shape of the windows + (n,).
        error: an estimate of how far any of them may be off for the sake of the integration, shape of the windows;
            0 where none was needed.
    """

    p: Floats
    error: Floats


def top_k(rows: UncertainRows, k: int) -> Membership:
    """How likely each row is there and among the k of the highest values; k = 1 tells which is the largest.

    Of equal values that of the earlier row is higher. Known values: the recurrence over the rows in falling order,
    P(there) P(fewer than k of those before), O(nk) and a sort. Normal values: the integral of a row's density times
    the probability that fewer than k others are above, by Gauss's rule on panels that are halved where need be: O(n^2 k), some
    dozen times, which is for some hundred rows.

    Args:
        rows: of one window or of many; known values may be infinite.
        k: at least 1.

    Raises:
        ValueError: k is less than 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}: give a number of rows of at least 1")
    p, v = windowed(rows.p, 2), windowed(rows.v, 2)
    s = np.zeros_like(v) if rows.s is None else windowed(rows.s, 2)
    chances, error = np.empty(p.shape[:2]), np.zeros(len(p))
    simple = ~s.any(axis=(1, 2)) & (p.shape[2] == 1)
    if np.any(simple):
        chances[simple] = _in_order(p[simple, :, 0], v[simple, :, 0], k)
    for window in np.flatnonzero(~simple).tolist():
        chances[window], error[window] = contest(p[window], v[window], s[window], k)
    return Membership(chances.reshape(rows.p.shape[:-1]), error.reshape(rows.shape))


@np.errstate(under="ignore")
def _in_order(p: Floats, v: Floats, k: int) -> Floats:
    order = np.argsort(-v, axis=1, kind="stable")
    ordered = np.ascontiguousarray(np.take_along_axis(p, order, axis=1).T)
    f = np.zeros((min(k, len(ordered) or 1), len(p)))  # how many are before, if fewer than k
    f[0] = 1.0
    chances = np.empty_like(ordered)
    for there, chance in zip(ordered, chances, strict=True):
        np.multiply(there, np.minimum(f.sum(axis=0), 1.0), out=chance)
        moved = f[:-1] * there
        f *= 1.0 - there
        f[1:] += moved
    out = np.empty_like(p)
    np.put_along_axis(out, order, np.ascontiguousarray(chances.T), axis=1)
    return out


@np.errstate(under="ignore")
def expected_rank(rows: UncertainRows) -> Floats:
    """How many rows are expected to be above each one, shape of the windows + (n,); a row that is absent comes after all.

    E[#(there and higher); there] + E[#(others there); absent], so the smallest is the best. Of the ways to rank
    uncertain rows only this one gives exactly k, contains the top k - 1, ranks each once and keeps the order when values improve (Cormode,
    Li, Yi, "Semantics of ranking queries for probabilistic data and expected ranks", ICDE 2009).
    Known values: O(n log n); normal ones: O(n^2).

    Args:
        rows: of one window or of many; values that are uncertain must be finite.
    """
    n, p, v = rows.p.shape[-2], windowed(rows.p, 2), windowed(rows.v, 2)
    noise = [None] * len(p) if rows.s is None else list(windowed(rows.s, 2))
    ranks = [_ranked(*window) for window in zip(p, v, noise, strict=True)]
    return np.array(ranks).reshape(*rows.shape, n)


def _ranked(p: Floats, v: Floats, s: Floats | None) -> Floats:
    there = np.minimum(p.sum(axis=1), 1.0)
    noisy = s is not None and bool(np.any(s))
    higher = _higher_normal(p, v, s) if s is not None and noisy else _higher_known(p, v)
    others = there.sum() - there
    return np.asarray((p * higher).sum(axis=1) + (1.0 - there) * np.maximum(others, 0.0))


def _higher_known(p: Floats, v: Floats) -> Floats:
    """How many other rows are expected above each alternative, (n, M)."""
    flat = v.reshape(-1)
    order = np.argsort(flat, kind="stable")
    behind = np.append(np.cumsum(p.reshape(-1)[order][::-1])[::-1], 0.0)
    total = behind[np.searchsorted(flat[order], flat, side="right")].reshape(v.shape)
    if v.shape[1] == 1:
        return np.asarray(total)
    own = (p[:, np.newaxis] * (v[:, np.newaxis] > v[:, :, np.newaxis])).sum(axis=2)
    return np.asarray(np.maximum(total - own, 0.0))


def _higher_normal(p: Floats, v: Floats, s: Floats) -> Floats:
    out = np.empty_like(v)
    for i, row in enumerate(v):
        scale = np.hypot(s[..., np.newaxis], s[i])
        sure, others = scale == 0, v[..., np.newaxis]
        with np.errstate(invalid="ignore", over="ignore"):  # infinite values are known
            chance = ndtr((others - row) / np.where(sure, 1.0, scale))
        chance = np.where(sure, others > row, chance)
        each = (p[..., np.newaxis] * chance).sum(axis=1)
        each[i] = 0.0
        out[i] = each.sum(axis=0)
    return out
