"""Probabilities of one event, or one choice, pooled to one; and how their entropy splits."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.distributions import Split
from rxml.uncertain.pooling.members import mask, numbers, raw, simplex
from rxml.uncertain.special import expit, log_softmax, logit, logsumexp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rxml.uncertain.checks import Floats, Mask

CLIP: Final = 1e-6
"""The least probability that counts in a logarithmic pool: any that is 0 would be a veto."""


def linear_pool_probability(
    p: ArrayLike, weights: ArrayLike | None = None, awake: ArrayLike | None = None
) -> Floats:
    """Probabilities of an event, averaged: sum w_i p_i.

    Args:
        p: (N, K) from 0 to 1; NaN is absent.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        (N,) probabilities; NaN where no one is awake.

    Raises:
        DistributionError: a probability outside [0, 1], or a negative weight; names the rows.
    """
    values, there = _probabilities(p, awake)
    trust = simplex(weights, there)
    with np.errstate(under="ignore"):
        pool = (trust * values).sum(axis=1)
    return np.where(trust.sum(axis=1) > 0, np.minimum(pool, 1.0), np.nan)


def log_pool_probability(
    p: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
    *,
    extremise: float = 1.0,
    clip: float = CLIP,
) -> Floats:
    """Probabilities of an event by members that share what they know: logit p = a sum w_i logit p_i, convex w.

    Args:
        p: (N, K) from 0 to 1; NaN is absent.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.
        extremise: a > 0; above 1 where members know different things, each of them being too cautious for all
            (Satopaa et al. 2014).
        clip: the least probability, and the least of its complement, that a member can have: below 1/2; 0 for none,
            so that any 0 or 1 decides.

    Returns:
        (N,) probabilities; NaN where no one is awake.

    Raises:
        DistributionError: a probability outside [0, 1], a negative weight, or a 0 and a 1 without clipping; names
            the rows.
        ValueError: extremise or clip are out of their bounds.
    """
    if not 0 < extremise < np.inf:
        raise ValueError(f"extremise must be > 0 and finite, got {extremise!r}")
    values, there = _probabilities(p, awake)
    trust = simplex(weights, there)
    odds = _log_odds(values, trust, clip)
    return np.where(trust.sum(axis=1) > 0, expit(extremise * odds), np.nan)


def product_probability(
    p: ArrayLike,
    prior: float = 0.5,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
    *,
    clip: float = CLIP,
) -> Floats:
    """Probabilities of an event by members with independent evidence: logit = prior + sum w_i (logit p_i - prior).

    Args:
        p: (N, K) from 0 to 1; NaN is absent.
        prior: the probability that all members started from, between 0 and 1.
        weights: (K,) or (N, K), >= 0, as they are; 1 is full and independent evidence.
        awake: (N, K) mask of those who count; all, if None.
        clip: as in `log_pool_probability`.

    Returns:
        (N,) probabilities; the prior where no one is awake.

    Raises:
        DistributionError: a probability outside [0, 1], a negative weight, or a 0 and a 1 without clipping; names
            the rows.
        ValueError: prior or clip are out of their bounds.
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must be between 0 and 1, got {prior!r}")
    values, there = _probabilities(p, awake)
    power = raw(weights, there)
    start = float(logit(prior))
    return expit(_log_odds(values, power, clip) + start * (1.0 - power.sum(axis=1)))


def linear_pool_categorical(
    logp: ArrayLike, weights: ArrayLike | None = None, awake: ArrayLike | None = None
) -> Floats:
    """Distributions over M choices, averaged: log sum w_i p_i.

    Args:
        logp: (N, K, M) log probabilities; a member with a NaN is absent, -inf is a probability of 0.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        (N, M) log probabilities; NaN where no one is awake.

    Raises:
        DistributionError: probabilities that do not sum to 1 within 1e-9, or a negative weight; names the rows.
    """
    values, there = _categorical(logp, awake)
    trust = simplex(weights, there)
    log_weights = np.where(trust > 0, np.log(np.where(trust > 0, trust, 1.0)), -np.inf)
    pool = logsumexp(log_weights[:, :, None] + values, axis=1)
    return np.where(trust.sum(axis=1)[:, None] > 0, pool, np.nan)


def log_pool_categorical(
    logp: ArrayLike,
    weights: ArrayLike | None = None,
    awake: ArrayLike | None = None,
    *,
    independent: bool = False,
    clip: float = CLIP,
) -> Floats:
    """Distributions over M choices, pooled as the softmax of sum w_i log p_i.

    Args:
        logp: (N, K, M) log probabilities; a member with a NaN is absent, -inf is a probability of 0.
        weights: (K,) or (N, K), >= 0. None: equal.
        awake: (N, K) mask of those who count; all, if None.
        independent: take weights as they are (1 each, if None), for evidence that members found independently, from
            a prior by which all choices are alike; else they are made convex.
        clip: the least probability a choice can have for a member: 0 for none, so that any 0 is a veto.

    Returns:
        (N, M) log probabilities; NaN where no one is awake.

    Raises:
        DistributionError: probabilities that do not sum to 1 within 1e-9, a negative weight, or choices that are all
            vetoed; names the rows.
        ValueError: clip is not from 0 to below 1/2.
    """
    _require_clip(clip)
    values, there = _categorical(logp, awake)
    trust = raw(weights, there) if independent else simplex(weights, there)
    least = log(clip) if clip else -np.inf
    heard = np.where(trust[:, :, None] > 0, np.maximum(values, least), 0.0)
    with np.errstate(under="ignore"):
        total = (trust[:, :, None] * heard).sum(axis=1)
    require((total > -np.inf).any(axis=1), "some choice must be left", total)
    return np.where(trust.sum(axis=1)[:, None] > 0, log_softmax(total, axis=1), np.nan)


def entropy_split(
    logp: ArrayLike, weights: ArrayLike | None = None, awake: ArrayLike | None = None
) -> Split:
    """The entropy of pooled distributions over M choices: H(mean p) = mean H(p_i) + mutual information, in nats.

    The mutual information (BALD; Houlsby et al. 2011) is what members differ by: where it is high, asking a better
    model pays; where the entropy within is high, it does not.

    Args:
        logp: (N, K, M) log probabilities; a member with a NaN is absent. For an event: the logs of 1 - p and p.
        weights: (K,) or (N, K), >= 0; made convex over those who are awake. None: equal.
        awake: (N, K) mask of those who count; all, if None.

    Returns:
        The split; all NaN where no one is awake.

    Raises:
        DistributionError: probabilities that do not sum to 1 within 1e-9, or a negative weight; names the rows.
    """
    values, there = _categorical(logp, awake)
    trust = simplex(weights, there)
    pool = linear_pool_categorical(values, trust, there)
    none = np.where(trust.sum(axis=1) > 0, 0.0, np.nan)
    with np.errstate(under="ignore"):
        within = (trust * _entropy(values)).sum(axis=1)
        away = _divergence(values, np.where(np.isnan(pool), 0.0, pool)[:, None, :])
        # of what is not negative: a difference of entropies would lose the digits of a small one
        between = (trust * away).sum(axis=1)
    return Split(within + between + none, within + none, between + none)


def _entropy(logp: Floats) -> Floats:
    entropy: Floats = -(np.exp(logp) * np.where(np.isneginf(logp), 0.0, logp)).sum(axis=-1)
    return entropy


def _divergence(logp: Floats, pool: Floats) -> Floats:
    """Kullback-Leibler, of terms p log(p/m) - p + m that are not negative."""
    some = ~np.isneginf(logp)
    ratio = np.where(some, np.where(some, logp, 0.0) - np.where(some, pool, 0.0), 0.0)
    p, m = np.exp(logp), np.exp(pool)
    away: Floats = np.maximum(p * ratio - p + m, 0.0).sum(axis=-1)
    return away


def _probabilities(p: ArrayLike, awake: ArrayLike | None) -> tuple[Floats, Mask]:
    values = numbers("p", p, 2)
    there = mask(awake, values.shape) & ~np.isnan(values)
    fine = ~there | ((values >= 0) & (values <= 1))
    require(fine.all(axis=1), "a probability is within [0, 1]", values)
    return np.where(there, values, 0.5), there


def _categorical(logp: ArrayLike, awake: ArrayLike | None) -> tuple[Floats, Mask]:
    """Log probabilities and who is awake; who sleeps has all choices alike."""
    values = numbers("logp", logp, 3)
    there = mask(awake, values.shape[:2]) & ~np.isnan(values).any(axis=2)
    alike = -log(max(values.shape[2], 1))
    values = np.where(there[:, :, None], values, alike)
    whole = np.abs(logsumexp(values, axis=2)) <= 1e-9
    require((whole | ~there).all(axis=1), "probabilities of a member add up to 1", values)
    return values, there


def _log_odds(p: Floats, weights: Floats, clip: float) -> Floats:
    _require_clip(clip)
    odds = np.where(weights > 0, logit(np.clip(p, clip, 1.0 - clip)), 0.0)
    decided = np.isinf(odds)
    both = (decided & (odds > 0)).any(axis=1) & (decided & (odds < 0)).any(axis=1)
    require(~both, "an event must not be both certain and impossible", p)
    with np.errstate(under="ignore"):
        total: Floats = (weights * odds).sum(axis=1)
    return total


def _require_clip(clip: float) -> None:
    if not 0 <= clip < 0.5:
        raise ValueError(f"clip must be from 0 to below 1/2, got {clip!r}")
