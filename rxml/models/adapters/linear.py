"""Linear models of scikit-learn, computed with numpy at once.

scikit-learn spends about 70 us on looking at its arguments for each call, many times what a linear model computes. What is
computed is the same, in the order of one dot product a row, which does not depend on the other rows. BLAS's product of
matrices, which scikit-learn uses, does: there the last bits of a row change with the number of rows. The two differ by
no more than rounding: `|z - z'| <= 2 k eps sum|x w|` for k features, eps = 2**-52 (Higham, Accuracy and Stability of
Numerical Algorithms, 3.1), before the logistic function.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

import numpy as np

from rxml.batch.column import is_array
from rxml.batch.extras import extra_module

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Squash: TypeAlias = Literal["", "logistic", "softmax", "shares"]

_REGRESSORS: Final = frozenset(
    {
        "BayesianRidge",
        "ElasticNet",
        "ElasticNetCV",
        "HuberRegressor",
        "Lasso",
        "LassoCV",
        "LinearRegression",
        "Ridge",
        "RidgeCV",
        "SGDRegressor",
    }
)
_LOGISTIC: Final = frozenset({"LogisticRegression", "LogisticRegressionCV"})
_MARGINS: Final = frozenset({"RidgeClassifier", "SGDClassifier"})


@dataclass(frozen=True, slots=True)
class Scaling:
    """What a StandardScaler does: take away the mean, divide by the scale; either may be left out. Shapes (k,)."""

    mean: Floats | None
    scale: Floats | None

    def of(self, rows: Floats) -> Floats:
        """The rows, scaled; in the operations of scikit-learn, so with the same bits."""
        if self.mean is not None:
            rows = rows - self.mean
        return rows if self.scale is None else np.true_divide(rows, self.scale)


@dataclass(frozen=True, slots=True)
class Linear:
    """Weighted sums of features, and what becomes of them.

    Attributes:
        scalings: of the features, before they are weighed.
        weights: shape (k,) for one sum a row, (c, k) for c of them.
        bias: added to each sum; shape () or (c,).
        squash: what makes probabilities of the sums; "" if nothing does.
        expit: scipy's logistic function, whose result for one number does not depend on the others.
    """

    scalings: tuple[Scaling, ...]
    weights: Floats
    bias: Floats
    squash: Squash
    expit: Callable[[Floats], Floats]

    def sums(self, rows: Floats) -> Floats:
        """Shape (n,) or (n, c) for rows of shape (n, k)."""
        for scaling in self.scalings:
            rows = scaling.of(rows)
        wide = rows if self.weights.ndim == 1 else rows[:, None]
        sums = cast("Floats", np.vecdot(wide, self.weights))
        sums += self.bias
        return sums

    def slopes(self) -> Floats | None:
        """Of one sum by each feature, shape (k,); None if there are several, or they become something else."""
        if self.weights.ndim > 1 or self.squash:
            return None
        found = self.weights
        for scaling in reversed(self.scalings):
            found = found if scaling.scale is None else found / scaling.scale
        return found

    def positive(self, sums: Floats) -> Floats:
        """The probability of the second of two classes, shape (n,); NaN where the sum is no number."""
        share = self.expit(sums)
        flat = sums if sums.ndim == 1 else sums.reshape(-1)
        if not isfinite(flat.dot(flat)):  # one pass; what merely is very large is looked at again
            share[~np.isfinite(sums)] = np.nan
        return share

    def probabilities(self, sums: Floats) -> Floats:
        """Of each class, shape (n, c); NaN where a sum is no number."""
        if sums.ndim == 1:
            positive = self.positive(sums)
            return np.stack([1 - positive, positive], axis=1)
        if self.squash == "shares":
            return _shares(self.positive(sums))
        return _softmax(sums)

    def chosen(self, sums: Floats) -> NDArray[np.intp]:
        """The number of the class that each row is most like, shape (n,)."""
        if sums.ndim == 1:
            return np.greater(sums, 0).astype(np.intp)
        return cast("NDArray[np.intp]", sums.argmax(axis=1))


def _softmax(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        shares: Floats = np.exp(sums - sums.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _shares(shares: Floats) -> Floats:
    totals = shares.sum(axis=1, keepdims=True)
    nothing = totals[:, 0] == 0
    shares[nothing] = 1
    totals[nothing] = shares.shape[1]
    shares /= totals
    return shares


def linear_of(estimator: Any) -> Linear | None:
    """What it computes, if it is a fitted linear model or a pipeline of StandardScalers and one; else None.

    A subclass may compute something else, so only scikit-learn's own classes are taken.
    """
    pipeline = _named(estimator, frozenset({"Pipeline"}))
    steps: list[Any] = [step for _, step in estimator.steps] if pipeline else [estimator]
    *scalers, last = steps
    if not all(_named(each, frozenset({"StandardScaler"})) for each in scalers):
        return None
    squash = _squash(last)
    weights, bias = getattr(last, "coef_", None), getattr(last, "intercept_", 0.0)
    if squash is None or not is_array(weights) or weights.dtype != np.float64:
        return None
    expit: Callable[[Floats], Floats] = extra_module("scipy.special", "sklearn").expit
    return Linear(_scalings(scalers), *_shaped(last, weights, bias), squash, expit)


def _scalings(scalers: Sequence[Any]) -> tuple[Scaling, ...]:
    return tuple(
        Scaling(each.mean_ if each.with_mean else None, each.scale_ if each.with_std else None)
        for each in scalers
    )


def _shaped(last: Any, weights: Floats, bias: Any) -> tuple[Floats, Floats]:
    biases = np.asarray(bias, np.float64)
    one = len(weights) == 1 if hasattr(last, "classes_") else weights.ndim == 1
    if one:
        return np.ascontiguousarray(weights.reshape(-1)), biases.reshape(())
    return np.ascontiguousarray(weights), biases


def _named(estimator: Any, names: frozenset[str]) -> bool:
    kind = cast("type[object]", type(estimator))
    return kind.__name__ in names and kind.__module__.startswith("sklearn.")


def _squash(last: Any) -> Squash | None:
    if _named(last, _REGRESSORS):
        return ""
    several = len(getattr(last, "classes_", ())) > 2
    if _named(last, _LOGISTIC):
        return "softmax" if several else "logistic"
    if not _named(last, _MARGINS) or getattr(last, "loss", "") == "modified_huber":
        return None
    if getattr(last, "loss", "") == "log_loss":
        return "shares" if several else "logistic"
    return ""
