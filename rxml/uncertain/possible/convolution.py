"""Sums of independent whole numbers: by recurrence over the rows, and block by block with convolutions.

All of it adds and multiplies numbers that are not negative, so that every probability that a float can hold keeps its
relative accuracy, also in the tails; FFTs and divisions (deconvolution) do not. Probabilities below 1e-323 become 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.uncertain.checks import Floats, Mask
from rxml.uncertain.possible.shapes import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Part: TypeAlias = tuple[int, Floats]
"""Where a distribution starts, and its probabilities from there on."""

LEAF: Final = 64
"""So many rows are taken one by one; more are split into blocks of so many."""
_ONE_LEAF: Final = 160  # up to here a single block costs less than many and their convolutions


def bernoulli_sums(p: Floats) -> tuple[NDArray[np.int64], Floats]:
    """How many of independent rows are there: starts (G,) and probabilities (G, S).

    What one window comes to does not depend on the others, to the last bit.
    Divide and conquer: each block of rows by the recurrence f(k) <- f(k) (1 - p) + f(k - 1) p of all blocks at once,
    then blocks by convolution; ends that have become 0 are cut off, which bounds the width by about 76 standard
    deviations. (Biscarri, Zhao, Brunner, "A simple and fast method for computing the Poisson binomial distribution
    function", CSDA 122, 2018, with direct convolutions instead of FFTs, which would lose the tails.)

    Args:
        p: presence, (G, n), within [0, 1].
    """
    few = _few(p)
    short = recurrence(p[few, :_ONE_LEAF])
    if np.all(few):
        return np.zeros(len(p), np.int64), short
    parts: list[Part] = [(0, f) for f in short]
    parts += _by_blocks(p[~few])
    order: list[int] = np.argsort(np.argsort(~few, kind="stable")).tolist()
    return stacked([parts[at] for at in order])


def _few(p: Floats) -> Mask:
    """Which windows have few rows, (G,), those at the end that cannot be there left out: as if they stood alone."""
    many: Mask = np.any(p[:, _ONE_LEAF:] > 0, axis=1)
    return ~many


def _leaves(p: Floats) -> Floats:
    """The rows in blocks, the last one filled with rows that cannot be there: (G, blocks, LEAF)."""
    groups, n = p.shape
    blocks = -(-n // LEAF)
    filled = np.zeros((groups, blocks * LEAF))
    filled[:, :n] = p
    return filled.reshape(groups, blocks, LEAF)


def _by_blocks(p: Floats) -> list[Part]:
    blocks = _leaves(p)
    leaves = recurrence(blocks.reshape(-1, LEAF))
    with np.errstate(under="ignore"):  # 1 - p is rounded, and alike in equal rows: it would add up
        leaves /= leaves.sum(axis=1, keepdims=True)
    windows = leaves.reshape(*blocks.shape[:2], LEAF + 1)
    return [merged([(0, leaf) for leaf in window]) for window in windows]


@np.errstate(under="ignore")
def recurrence(p: Floats) -> Floats:
    """The probabilities of 0 ... n rows, (G, n + 1), row by row: O(n^2), many windows at once.

    Args:
        p: presence, (G, n), within [0, 1].
    """
    groups, n = p.shape
    rows = np.ascontiguousarray(p.T)
    f = np.zeros((n + 1, groups))  # windows last: numpy's inner loop runs over them
    f[0] = 1.0
    moved = np.empty((n, groups))
    for i, there in enumerate(rows):
        known = f[: i + 1]
        np.multiply(known, there, out=moved[: i + 1])
        known *= 1.0 - there
        f[1 : i + 2] += moved[: i + 1]
    return np.ascontiguousarray(f.T)


def fewer_than(p: Floats, k: int) -> Floats:
    """The probabilities of 0 ... k - 1 rows, and last of k or more, (G, k + 1): the recurrence with an end, O(nk).

    Args:
        p: presence, (G, n), within [0, 1].
        k: at least 0.
    """
    few = _few(p)
    if np.all(few) or k > LEAF:
        return _ended(p, k)
    out = np.empty((len(p), k + 1))
    out[few] = _ended(p[few, :_ONE_LEAF], k)
    out[~few] = _ended_by_blocks(p[~few], k)
    return out


def _ended_by_blocks(p: Floats, k: int) -> Floats:
    blocks = _leaves(p)
    f = _ended(blocks.reshape(-1, LEAF), k).reshape(*blocks.shape[:2], k + 1)
    while f.shape[1] > 1:
        pairs = f.shape[1] // 2
        both = ended_convolution(f[:, : 2 * pairs : 2], f[:, 1 : 2 * pairs : 2])
        f = np.concatenate([both, f[:, 2 * pairs :]], axis=1)
    return f[:, 0]


@np.errstate(under="ignore")
def _ended(p: Floats, k: int) -> Floats:
    f = np.zeros((k + 1, len(p)))
    f[0] = 1.0
    for there in np.ascontiguousarray(p.T):
        moved = f[:-1] * there
        f[:-1] *= 1.0 - there
        f[1:] += moved
    return np.ascontiguousarray(f.T)


@np.errstate(under="ignore")
def ended_convolution(left: Floats, right: Floats) -> Floats:
    """The sum of two independent counts, whose last probability is that of so many or more; all terms are positive.

    Args:
        left: (..., k + 1).
        right: the same shape.
    """
    k = left.shape[-1] - 1
    out = np.zeros_like(left)
    for j in range(k):
        out[..., j:-1] += left[..., j, np.newaxis] * right[..., : k - j]
    reached = np.cumsum(right[..., ::-1], axis=-1)[..., ::-1]  # so many or more
    out[..., -1] = left[..., -1] + (left[..., :-1] * reached[..., :0:-1]).sum(axis=-1)
    return out


@np.errstate(under="ignore")
def block_sums(shifts: NDArray[np.int64], weights: Floats) -> Floats:
    """Sums of independent rows that each are one of B whole numbers: (G, S), S - 1 the largest possible sum.

    Args:
        shifts: (G, n, B), at least 0.
        weights: (G, n, B), the probability of each; a row adds up to 1.
    """
    groups, n, branches = shifts.shape
    most = int(shifts.max(axis=2, initial=0).sum(axis=1).max(initial=0))
    ahead = int(shifts.max(initial=0))
    f = np.zeros((groups, ahead + most + 1))  # zeros in front of a window: what is shifted in
    f[:, ahead] = 1.0
    cells = places(groups)[:, np.newaxis] * f.shape[1] + places(most + 1) + ahead
    for row in range(n):
        flat, new = f.reshape(-1), np.zeros((groups, most + 1))
        for branch in range(branches):
            source = cells - shifts[:, row, branch, np.newaxis]
            new += flat[source] * weights[:, row, branch, np.newaxis]
        f[:, ahead:] = new
    return f[:, ahead:]


def merged(parts: Sequence[Part]) -> Part:
    """The distribution of the sum of independent parts, pair by pair.

    Args:
        parts: at least one.
    """
    level = [trimmed(start, f) for start, f in parts]
    while len(level) > 1:
        odd = level[len(level) & ~1 :]
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [convolved(left, right) for left, right in pairs] + odd
    return level[0]


@np.errstate(under="ignore")
def convolved(left: Part, right: Part) -> Part:
    """The distribution of the sum of two independent parts, without zeros at its ends."""
    return trimmed(left[0] + right[0], np.convolve(left[1], right[1]))


def trimmed(start: int, f: Floats) -> Part:
    """The same without zeros at its ends."""
    there = np.flatnonzero(f)
    return start + int(there[0]), f[there[0] : there[-1] + 1]


def stacked(parts: Sequence[Part]) -> tuple[NDArray[np.int64], Floats]:
    """Parts of different windows beside one another: starts (G,) and probabilities (G, S), zeros behind the short ones."""
    start = np.array([each for each, _ in parts], np.int64)
    p = np.zeros((len(parts), max((len(f) for _, f in parts), default=1)))
    for row, (_, f) in zip(p, parts, strict=True):
        row[: len(f)] = f
    return start, p
