"""Estimates of one quantity, each with its variance, pooled to one: by precision, and where they differ by more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rxml.uncertain.pooling.members import (
    estimates,
    ratios,
    require_agreement,
    require_choice,
    require_level,
)
from rxml.uncertain.special import ndtri, stdtrit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats

Rule: TypeAlias = Literal["hksj", "modified", "normal"]


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """One estimate a row.

    Attributes:
        mean: (N,); NaN where nobody is awake.
        var: (N,) its variance; 0 for a fact, inf where nothing is known.
        lo: (N,) lower end of the interval.
        hi: (N,) upper end.
        level: of the interval.
        tau2: (N,) variance between the members, beyond what their own variances explain.
        q: (N,) Cochran's Q: squared distances from the mean by precision, chi2 with k - 1 degrees of freedom if
            the members differ by no more than their variances say.
        i2: (N,) share of the members' variation that is between them, from 0 to 1.
        k: (N,) members that tell anything: awake, with a finite variance.
    """

    mean: Floats
    var: Floats
    lo: Floats
    hi: Floats
    level: float
    tau2: Floats
    q: Floats
    i2: Floats
    k: NDArray[np.int64]


def inverse_variance(
    y: ArrayLike, v: ArrayLike, awake: ArrayLike | None = None, *, level: float = 0.95
) -> Pooled:
    """Independent estimates of one and the same quantity, weighted by 1/v.

    Right only where the members differ by nothing but their own errors: where each has a bias of its own as well,
    the interval is much too narrow (`random_effects`), as it is if their errors are shared (`correlated`,
    `covariance_intersection`). `tau2` is 0 by assumption; `q` and `i2` tell whether it holds.

    Args:
        y: (N, K) estimates of N rows by K members; NaN is absent. Sizes up to 1e150.
        v: (N, K), or what broadcasts to it: variances, in squared units of y. A 0 is a fact, and the answer of its
            row; inf tells nothing.
        awake: (N, K) mask of those who count; all, if None.
        level: of the interval, which is normal.

    Raises:
        DistributionError: a negative variance, or facts that contradict each other; names the rows.
        ValueError: level is not between 0 and 1.
    """
    require_level(level)
    values, variances, there = estimates(y, v, awake)
    require_agreement(values, variances)
    mean, var = weighed(values, variances, there.astype(np.float64))
    q, i2, _ = between(values, variances)
    return pooled(mean, var, level, counted(variances), q=q, i2=i2)


def random_effects(
    y: ArrayLike,
    v: ArrayLike,
    awake: ArrayLike | None = None,
    *,
    level: float = 0.95,
    rule: Rule = "hksj",
) -> Pooled:
    """Estimates by members that each have a bias of their own, of unknown variance tau2, beside their errors.

    tau2 is estimated by moments (DerSimonian and Laird 1986), the mean weighted by 1/(v + tau2), and the interval
    made with Student's t of k - 1 degrees of freedom and the variance of the weighted residuals (Hartung and Knapp
    2001, Sidik and Jonkman 2002). For nominal 95 % and 8 members it holds about 95 % for any tau, where plain
    inverse variance falls below 75 %. With one member there is nothing to compare: the interval is normal, of its
    own variance. A fact is the answer of its row, and tau2 there is 0. Where two variances of a row are further apart than
    1e-300 to 1, tau2 is made of numbers too small to have all their digits: it may then depend on the order of members.

    Args:
        y: (N, K) estimates of N rows by K members; NaN is absent. Sizes up to 1e150.
        v: (N, K), or what broadcasts to it: variances, in squared units of y; 0 is a fact, inf tells nothing.
        awake: (N, K) mask of those who count; all, if None.
        level: of the interval.
        rule: "hksj"; "modified" never lets it be made with less variance than 1/sum(1/(v + tau2)), as members can
            agree by chance, or by rounding, to the last digit (Roever, Knapp, Friede 2015: holds more than nominal);
            "normal" is the plain interval of DerSimonian and Laird, too narrow for few members.

    Returns:
        The pooled estimate. `var` is that of "modified" for "hksj" too: an agreement by chance makes no fact.

    Raises:
        DistributionError: a negative variance, or facts that contradict each other; names the rows.
        ValueError: level is not between 0 and 1, or there is no such rule.
    """
    require_level(level)
    require_choice("rule", rule, ("hksj", "modified", "normal"))
    values, variances, there = estimates(y, v, awake)
    require_agreement(values, variances)
    q, i2, tau2 = between(values, variances)
    wide = variances + tau2[:, None]
    mean, model = weighed(values, wide, there.astype(np.float64))
    k = counted(variances)
    spread = np.where(k > 1, residual(values, wide, mean, k), model)
    used = {"hksj": spread, "modified": np.maximum(spread, model), "normal": model}[rule]
    df = np.where((k > 1) & (rule != "normal"), k - 1.0, np.inf)
    var = model if rule == "normal" else np.maximum(spread, model)
    return pooled(mean, var, level, k, se2=used, df=df, q=q, i2=i2, tau2=tau2)


def weighed(y: Floats, v: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean by precision and variance, each (N,): precision sum w/v, mean sum(w y/v) over it.

    Args:
        y: (N, K) without NaN.
        v: (N, K) from 0 to inf.
        weights: (N, K), finite and >= 0. Who has 0 is not looked at; where all have, mean and variance are NaN and inf.
    """
    share, least = ratios(np.where(weights > 0, v, np.inf))
    _, power = np.frexp(weights.max(axis=1, initial=0.0, keepdims=True))
    with np.errstate(under="ignore", over="ignore"):
        informed = share * np.ldexp(weights, -power)  # so that no sum is too large for a number
        total = informed.sum(axis=1)
        safe = np.where(total > 0, total, 1.0)
        mean = (y * (informed / safe[:, None])).sum(axis=1)
        var = np.ldexp(least[:, 0] / safe, -power[:, 0])
        none = total == 0
        return np.where(none, np.nan, mean), np.where(none, np.inf, var)


def between(y: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Q, I2 and the moment estimate of tau2 of rows, each (N,); all 0 where there is a fact or less than two members.

    Both sums are of pairs, so that nothing is taken away from anything: Q = sum_{i<j} w_i w_j (y_i - y_j)^2 / W, in
    the recurrence of West (1979), and C = 2 sum_{i<j} w_i w_j / W.
    """
    known = np.isfinite(v)
    share, least = ratios(v)
    share = np.where(known & (least > 0), share, 0.0)
    some = np.where(known, y, 0.0)
    first = np.take_along_axis(some, known.argmax(axis=1)[:, None], axis=1) if y.shape[1] else 0.0
    squares, pairs, total = _squares_and_pairs(np.where(known, some - first, 0.0), share)
    unit = np.where((least > 0) & (least < np.inf), least, 1.0)[:, 0]
    with np.errstate(under="ignore", over="ignore"):
        excess = np.maximum(squares - (known.sum(axis=1) - 1) * unit, 0.0)
        excess = np.where(total > 0, excess, 0.0)
        i2 = excess / np.where(excess > 0, squares, 1.0)
        tau2 = excess / np.where(pairs > 0, pairs, np.inf)
        return squares / unit, i2, tau2


def _squares_and_pairs(apart: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    with np.errstate(under="ignore", over="ignore"):
        total = np.cumsum(share, axis=1)
        safe = np.where(total > 0, total, 1.0)
        means = np.cumsum(share * apart, axis=1) / safe
        moved = apart[:, 1:] - means[:, :-1]
        squares = share[:, 1:] * (total[:, :-1] / safe[:, 1:]) * moved * moved
        pairs = 2.0 * (share[:, 1:] * total[:, :-1]).sum(axis=1)
        whole = share.sum(axis=1)
        return squares.sum(axis=1), pairs / np.where(whole > 0, whole, 1.0), whole


def residual(y: Floats, v: Floats, mean: Floats, k: NDArray[np.int64]) -> Floats:
    """The variance of the mean as its weighted residuals have it: sum w (y - mean)^2 / ((k - 1) sum w)."""
    share, _ = ratios(v)
    share = np.where(np.isfinite(v), share, 0.0)
    apart = np.where(share > 0, y - mean[:, None], 0.0)
    total = share.sum(axis=1)
    with np.errstate(under="ignore", over="ignore"):
        squares = (share * apart * apart).sum(axis=1)
        var: Floats = squares / (np.maximum(k - 1, 1) * np.where(total > 0, total, 1.0))
    return var


def counted(v: Floats) -> NDArray[np.int64]:
    """How many members of a row tell anything."""
    count: NDArray[np.int64] = np.isfinite(v).sum(axis=1, dtype=np.int64)
    return count


def pooled(
    mean: Floats,
    var: Floats,
    level: float,
    k: NDArray[np.int64],
    *,
    se2: Floats | None = None,
    df: Floats | None = None,
    **rest: Floats,
) -> Pooled:
    """The result with its interval: Student's t where degrees of freedom are given and finite, else normal.

    Args:
        mean: (N,).
        var: (N,) that is told.
        level: of the interval.
        k: (N,) members.
        se2: (N,) squared standard error the interval is made with; that of `var` if None.
        df: (N,) degrees of freedom >= 1, inf for a normal interval.
        **rest: q, i2 and tau2; 0 where not given.
    """
    half = _quantile(level, df) * np.sqrt(var if se2 is None else se2)
    lo = np.where(np.isinf(half), -np.inf, mean - half)
    hi = np.where(np.isinf(half), np.inf, mean + half)
    none = {name: np.zeros(len(mean)) for name in ("tau2", "q", "i2")}
    return Pooled(mean, var, lo, hi, float(level), k=k, **(none | rest))


def _quantile(level: float, df: Floats | None) -> Floats:
    upper = (1 + level) / 2
    normal = ndtri(upper)
    if df is None:
        return normal
    student = np.full(len(df), float(normal))
    few = np.isfinite(df)
    student[few] = stdtrit(df[few], np.full(int(few.sum()), upper))
    return student
