"""EXISTS, AND, OR, conditions and HAVING: probabilities of events, with what is known of their dependence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.checks import floats, require, require_sum
from rxml.uncertain.possible.counts import at_least
from rxml.uncertain.possible.rows import presence
from rxml.uncertain.special import logsumexp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask

Dependence: TypeAlias = Literal["independent", "unknown"]

_ROUNDING: Final = 2.0**-50
"""Of each alternative: what dividing, taking logarithms and adding up may leave of 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Probabilities that are known up to bounds; those are one where nothing is left open.

    Attributes:
        low: what they are at least.
        high: what they are at most.
    """

    low: Floats
    high: Floats


def none_of(p: Floats) -> Floats:
    """The logarithm of the probability that no row is there, added up over the last axis; -inf where one is certain."""
    with np.errstate(divide="ignore", under="ignore"):
        return np.asarray(np.log1p(-p).sum(axis=-1))


def exists(
    p: ArrayLike, *, mask: ArrayLike | None = None, dependence: Dependence = "independent"
) -> Bounds:
    """P(some row is there): 1 - prod (1 - p), right also for tiny p.

    Args:
        p: presence, (n,) or (G, n).
        mask: which cells are rows; None for all.
        dependence: `unknown` for rows that may share what they stem from: Frechet's bounds, max p and min(1, sum p).

    Raises:
        DistributionError: probabilities outside [0, 1]; the message names the rows, or the windows.
        ValueError: no such dependence.
    """
    there = presence(p, mask)
    if _independent(dependence):
        return _exactly(-np.expm1(none_of(there)))
    high = np.minimum(there.sum(axis=-1), 1.0)
    return Bounds(np.asarray(there.max(axis=-1, initial=0.0)), np.asarray(high))


def all_there(
    p: ArrayLike, *, mask: ArrayLike | None = None, dependence: Dependence = "independent"
) -> Bounds:
    """P(every row is there): prod p; 1 where there are no rows.

    Args:
        p: presence, (n,) or (G, n).
        mask: which cells are rows; None for all.
        dependence: `unknown` for Frechet's bounds, max(0, 1 - sum (1 - p)) and min p.

    Raises:
        DistributionError: probabilities outside [0, 1]; the message names the rows, or the windows.
        ValueError: no such dependence.
    """
    there = presence(p, mask)
    if mask is not None:
        there = np.where(np.asarray(mask), there, 1.0)
    if _independent(dependence):
        with np.errstate(under="ignore"):
            return _exactly(np.asarray(np.prod(there, axis=-1)))
    low = np.maximum(1.0 - (1.0 - there).sum(axis=-1), 0.0)
    return Bounds(np.asarray(low), np.asarray(there.min(axis=-1, initial=1.0)))


def both(a: ArrayLike, b: ArrayLike, *, dependence: Dependence = "independent") -> Bounds:
    """P(A and B), pair by pair; of the rows of a JOIN too, whose sides are independent.

    Args:
        a: probabilities, of any shape.
        b: the same, broadcast against a.
        dependence: `unknown` for Frechet's bounds, max(0, a + b - 1) and min(a, b).

    Raises:
        DistributionError: probabilities outside [0, 1].
        ValueError: no such dependence.
    """
    a, b = _probabilities(a), _probabilities(b)
    if _independent(dependence):
        with np.errstate(under="ignore"):
            return _exactly(a * b)
    return Bounds(np.maximum(a - (1.0 - b), 0.0), np.minimum(a, b))


def either(a: ArrayLike, b: ArrayLike, *, dependence: Dependence = "independent") -> Bounds:
    """P(A or B), pair by pair.

    Args:
        a: probabilities, of any shape.
        b: the same, broadcast against a.
        dependence: `unknown` for Frechet's bounds, max(a, b) and min(1, a + b).

    Raises:
        DistributionError: probabilities outside [0, 1].
        ValueError: no such dependence.
    """
    a, b = _probabilities(a), _probabilities(b)
    if _independent(dependence):
        with np.errstate(under="ignore"):
            return _exactly(a + b * (1.0 - a))
    return Bounds(np.maximum(a, b), np.minimum(a + b, 1.0))


def having(p: ArrayLike, k: int, threshold: ArrayLike, *, mask: ArrayLike | None = None) -> Mask:
    """HAVING P(COUNT >= k) > threshold, window by window.

    Args:
        p: presence of independent rows, (n,) or (G, n).
        k: at least 0.
        threshold: within [0, 1].
        mask: which cells are rows; None for all.

    Raises:
        DistributionError: probabilities outside [0, 1].
        ValueError: k is negative.
    """
    return np.asarray(at_least(p, k, mask=mask) > _probabilities(threshold))


def given_cells(p: ArrayLike, likelihood: ArrayLike) -> tuple[Floats, Floats]:
    """Rows given an event, by Bayes' rule: of each, exactly one of several cells is the case.

    Args:
        p: the probability of each cell, (n, C); a row adds up to 1.
        likelihood: how likely a row agrees with the event in each of them, within [0, 1], (n, C).

    Returns:
        the probabilities given the event, (n, C), NaN in a row that cannot agree with it, and the probability that each
        row agrees, (n,), exactly 1 where nothing speaks against it, and with all its digits where it is tiny.
    """
    cells, likely = floats("presence", p), floats("likelihood", likelihood)
    with np.errstate(under="ignore"):
        joint = cells * likely
        against, together = in_order(cells * (1.0 - likely)), in_order(joint)
        agrees = np.minimum(np.where(against < 0.5, 1.0 - against, together), 1.0)
        return joint / np.where(agrees > 0, agrees, np.nan)[:, np.newaxis], agrees


def given_blocks(
    p: ArrayLike, allowed: ArrayLike, *, absent: ArrayLike = True
) -> tuple[Floats, Floats]:
    """Rows given an event that says of each which of its alternatives may be: renormalised inside each row's block.

    Args:
        p: the probability of each alternative, (n, M); a row adds up to at most 1, what is missing is "absent".
        allowed: bool, (n, M): which alternatives agree with the event; or how likely each does, within [0, 1].
        absent: bool, (n,) or one for all: whether the row's absence agrees with it.

    Returns:
        the probabilities given the event, (n, M), NaN in a row that cannot agree with it, and the probability that each row
        agrees, (n,); that of the event is their product.

    Raises:
        DistributionError: probabilities that are none, or rows that add up to more than 1.
    """
    blocks = floats("presence", p)
    if blocks.ndim != 2:
        raise DistributionError(f"alternatives have shape {blocks.shape}: want (n, M)")
    presence(blocks)
    require_sum(blocks, below=True)
    missing = np.broadcast_to(np.asarray(absent, np.float64), len(blocks))
    likely = np.broadcast_to(_probabilities(allowed), blocks.shape)
    after, agrees = given_cells(
        np.column_stack([blocks, left_over(blocks)]), np.column_stack([likely, missing])
    )
    return after[:, :-1], agrees


def left_over(p: Floats) -> Floats:
    """The probability that none of a row's alternatives (n, M) is the case, (n,); 0 where it is no more than rounding.

    What is left of 1 by adding up tenths would else be the only world in which an event that cannot be is so.
    """
    rest = 1.0 - in_order(p)
    return np.where(rest > _ROUNDING * (p > 0).sum(axis=-1), rest, 0.0)


def in_order(p: Floats) -> Floats:
    """The sum over the last axis from its first to its last: zeros anywhere among them change no bit."""
    return np.asarray(np.add.accumulate(np.insert(p, 0, 0.0, axis=-1), axis=-1)[..., -1])


def given_worlds(event: ArrayLike, logw: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Worlds given an event: those in which it does not happen have no weight any more.

    Args:
        event: bool, (W,) or (W, N): in which worlds it happens.
        logw: the logarithms of the weights of the worlds before, (W,), which need not be normalised; None for equal ones.

    Returns:
        the logarithms of the weights given the event, of the shape of `event`, NaN where it happens in no world, and
        its probability, () or (N,).
    """
    happens = np.asarray(event, np.bool_)
    before = np.zeros(len(happens)) if logw is None else floats("logw", logw)
    before = before.reshape(-1, *[1] * (happens.ndim - 1))
    kept = np.where(happens, before, -np.inf)
    total = logsumexp(kept, axis=0)
    possible = total > -np.inf
    after = np.where(possible, kept - np.where(possible, total, 0.0), np.nan)
    with np.errstate(under="ignore"):
        return after, np.exp(total - logsumexp(before, axis=0))


def _independent(dependence: Dependence) -> bool:
    if dependence not in {"independent", "unknown"}:
        raise ValueError(f"dependence is {dependence!r}: give 'independent' or 'unknown'")
    return dependence == "independent"


def _probabilities(given: ArrayLike) -> Floats:
    p = floats("probabilities", given)
    fine = (p >= 0) & (p <= 1)
    require(fine if fine.ndim < 2 else fine.all(axis=-1), "a probability is within [0, 1]", p)
    return p


def _exactly(p: Floats) -> Bounds:
    return Bounds(p, p)
