"""Estimates pooled as they come: monoids over groups, in the natural form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.estimates import Pooled, pooled
from rxml.uncertain.pooling.members import estimates, require_level
from rxml.uncertain.possible.shapes import added

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats, Mask

_LEAST: Final = 1e-150  # a smaller variance has a precision that overflows when it is squared


@dataclass(frozen=True, slots=True, eq=False)
class Natural:
    """The natural form of pooling by inverse variance: two sums, which merge and slide in O(1).

    Right for estimates of one and the same quantity with errors of their own, as `inverse_variance` is.

    Attributes:
        precision: (G,) sum of 1/v of each group.
        sum: (G,) sum of y/v.
        count: (G,) estimates of finite variance.
        fact: (G,) the value that is certain; NaN where none is.
    """

    precision: Floats
    sum: Floats
    count: NDArray[np.int64]
    fact: Floats

    @staticmethod
    def identity(groups: int) -> Natural:
        """What nothing has been added to."""
        nothing = np.zeros(groups)
        return Natural(nothing, nothing, np.zeros(groups, np.int64), np.full(groups, np.nan))

    @staticmethod
    def lift(y: ArrayLike, v: ArrayLike, codes: NDArray[np.intp], groups: int) -> Natural:
        """The sums of rows, each of which is an estimate of its group.

        Args:
            y: (N,) estimates; NaN is absent. Sizes up to 1e150.
            v: (N,) variances: 0 for a fact, else from 1e-150 to inf.
            codes: (N,) groups of the rows, from 0 to groups - 1.
            groups: how many there are.

        Raises:
            DistributionError: a variance out of its range, or facts that contradict each other; names the rows.
        """
        values, variances, known = column(y, v)
        share = precisions(variances)
        with np.errstate(under="ignore"):
            sums = added(codes, share * values, groups)
        return Natural(
            added(codes, share, groups),
            sums,
            np.bincount(codes[known], minlength=groups).astype(np.int64),
            facts(values, variances, codes, groups),
        )

    def combine(self, other: Natural) -> Natural:
        """The sums of both, group by group.

        Raises:
            DistributionError: facts that contradict each other; names the groups as rows.
        """
        return Natural(
            self.precision + other.precision,
            self.sum + other.sum,
            self.count + other.count,
            agreed(self.fact, other.fact),
        )

    def lower(self, level: float = 0.95) -> Pooled:
        """The pooled estimate of each group; its `q`, `i2` and `tau2` are 0: see `Moments` for them."""
        require_level(level)
        safe = np.where(self.precision > 0, self.precision, 1.0)
        with np.errstate(under="ignore"):
            mean = np.where(self.precision > 0, self.sum / safe, np.nan)
        var = np.where(self.precision > 0, 1.0 / safe, np.inf)
        sure = ~np.isnan(self.fact)
        mean, var = np.where(sure, self.fact, mean), np.where(sure, 0.0, var)
        return pooled(mean, var, level, self.count)


def column(y: ArrayLike, v: ArrayLike) -> tuple[Floats, Floats, Mask]:
    """Values, variances and who tells anything, each (N,).

    Raises:
        DistributionError: a variance out of its range; names the rows.
    """
    whole = np.asarray(y, np.float64).reshape(-1, 1)
    values, variances, _ = estimates(whole, np.asarray(v, np.float64).reshape(-1, 1), None)
    values, variances = values[:, 0], variances[:, 0]
    fine = (variances == 0) | (variances >= _LEAST)
    require(fine, f"a variance is 0 or >= {_LEAST:g}", variances)
    return values, variances, np.isfinite(variances)


def precisions(v: Floats) -> Floats:
    """1/v; 0 for facts, which are told apart."""
    with np.errstate(under="ignore"):
        return np.where(v > 0, 1.0 / np.where(v > 0, v, 1.0), 0.0)


def facts(y: Floats, v: Floats, codes: NDArray[np.intp], groups: int) -> Floats:
    """The facts of groups, NaN where there is none.

    Raises:
        DistributionError: facts that contradict each other; names the rows.
    """
    fact = np.full(groups, np.nan)
    sure = np.flatnonzero(v == 0)
    fact[codes[sure[::-1]]] = y[sure[::-1]]  # the first of each group stays
    contrary = (v == 0) & (y != fact[codes])
    require(~contrary, "facts, which have variance 0, must not contradict each other", y)
    return fact


def agreed(one: Floats, other: Floats) -> Floats:
    """The facts of both, NaN where there is none.

    Raises:
        DistributionError: facts that contradict each other; names the groups as rows.
    """
    contrary = ~np.isnan(one) & ~np.isnan(other) & (one != other)
    require(~contrary, "facts, which have variance 0, must not contradict each other", one)
    return np.where(np.isnan(one), other, one)
