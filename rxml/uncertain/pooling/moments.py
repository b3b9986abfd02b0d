"""Estimates pooled as they come, also where members differ by more than their variances say: weighted moments."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.uncertain.pooling.estimates import Pooled, pooled
from rxml.uncertain.pooling.members import require_level
from rxml.uncertain.pooling.natural import agreed, column, facts, precisions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Weighted moments in the stable form of Chan, Golub and LeVeque (1979): also for members that differ by more.

    tau2, Q and I2 are those of DerSimonian and Laird, to the digits of the batch form. As tau2 is known only at the
    end, the mean stays weighted by 1/v, and its variance has tau2 in it: 1/W + tau2 sum w^2 / W^2, which costs little
    and guards against bias (Henmi and Copas 2010); the interval is Student's t of k - 1 degrees of freedom.

    Attributes:
        count: (G,) estimates of finite variance.
        weight: (G,) W = sum of w = 1/v.
        mean: (G,) weighted mean.
        m2: (G,) Q, the weighted squared distances from it.
        pairs: (G,) sum over pairs of w_i w_j.
        squares: (G,) sum of w^2.
        fact: (G,) the value that is certain; NaN where none is.
    """

    count: NDArray[np.int64]
    weight: Floats
    mean: Floats
    m2: Floats
    pairs: Floats
    squares: Floats
    fact: Floats

    @staticmethod
    def identity(groups: int) -> Moments:
        """What nothing has been added to."""
        none = np.zeros(groups)
        count = np.zeros(groups, np.int64)
        return Moments(count, none, none, none, none, none, np.full(groups, np.nan))

    @staticmethod
    def lift(y: ArrayLike, v: ArrayLike, codes: NDArray[np.intp], groups: int) -> Moments:
        """The moments of rows, each of which is an estimate of its group; as in `Natural.lift`."""
        values, variances, known = column(y, v)
        share = precisions(variances)
        none = np.zeros(len(values))
        nothing = np.full(len(values), np.nan)
        with np.errstate(under="ignore"):
            squares = share * share
        rows = Moments(
            known.astype(np.int64),
            share,
            np.where(share > 0, values, 0.0),
            none,
            none,
            squares,
            nothing,
        )
        total = _summed(rows, codes, groups)
        return replace(total, fact=facts(values, variances, codes, groups))

    def combine(self, other: Moments) -> Moments:
        """The moments of both, group by group.

        Raises:
            DistributionError: facts that contradict each other; names the groups as rows.
        """
        weight = self.weight + other.weight
        with np.errstate(under="ignore", over="ignore"):
            share = other.weight / np.where(weight > 0, weight, 1.0)
            apart = np.where(share > 0, other.mean - self.mean, 0.0)
            # where one of the two weighs nothing the mean is the other's, to the last digit
            mean = np.where(self.weight > 0, self.mean + apart * share, other.mean)
            return Moments(
                self.count + other.count,
                weight,
                mean,
                self.m2 + other.m2 + self.weight * share * apart * apart,
                self.pairs + other.pairs + self.weight * other.weight,
                self.squares + other.squares,
                agreed(self.fact, other.fact),
            )

    def lower(self, level: float = 0.95) -> Pooled:
        """The pooled estimate of each group."""
        require_level(level)
        sure = ~np.isnan(self.fact)
        heard = (self.weight > 0) & ~sure
        weight = np.where(heard, self.weight, 1.0)
        with np.errstate(under="ignore", over="ignore"):
            excess = np.where(heard, np.maximum(self.m2 - (self.count - 1), 0.0), 0.0)
            c = np.where(self.pairs > 0, 2.0 * self.pairs / weight, np.inf)
            tau2 = excess / c
            var = 1.0 / weight + tau2 * (self.squares / weight / weight)
        i2 = excess / np.where(excess > 0, self.m2, 1.0)
        mean = np.where(heard, self.mean, np.where(sure, self.fact, np.nan))
        var = np.where(heard, var, np.where(sure, 0.0, np.inf))
        df = np.where(heard & (self.count > 1), self.count - 1.0, np.inf)
        q = np.where(heard, self.m2, 0.0)
        return pooled(mean, var, level, self.count, df=df, q=q, i2=i2, tau2=tau2)


def _summed(rows: Moments, codes: NDArray[np.intp], groups: int) -> Moments:
    """Entries added up by their group in a tree, neighbours first: as many steps as the longest has doublings."""
    order = np.argsort(codes, kind="stable")
    rows, ordered = _at(rows, order), codes[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    rank = np.arange(len(ordered)) - np.repeat(first, np.diff(np.r_[first, len(ordered)]))
    while rank.any():
        odd, even = np.flatnonzero(rank & 1), np.flatnonzero(rank & 1 == 0)
        merged = _at(rows, odd - 1).combine(_at(rows, odd))
        rows = _at(_replaced(rows, odd - 1, merged), even)
        ordered, rank = ordered[even], rank[even] >> 1
    return _replaced(Moments.identity(groups), ordered, rows)


def _at(rows: Moments, index: NDArray[np.intp]) -> Moments:
    return Moments(*(getattr(rows, each.name)[index] for each in fields(rows)))


def _replaced(rows: Moments, index: NDArray[np.intp], by: Moments) -> Moments:
    columns: list[NDArray[Any]] = []
    for each in fields(rows):
        column = getattr(rows, each.name).copy()
        column[index] = getattr(by, each.name)
        columns.append(column)
    return Moments(*columns)
