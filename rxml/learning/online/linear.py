"""A linear model that learns by recursive least squares, and says how sure it is."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.batch import Batch, Field, Schema
from rxml.errors import SchemaError
from rxml.learning.parts import finite
from rxml.models.columns import Rows
from rxml.uncertain import Normal
from rxml.uncertain.checks import summed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Floats: TypeAlias = NDArray[np.float64]

_WIDEST: Final = 1e8


class RecursiveLeastSquares:
    """Predicts a number as a linear function of its inputs: an `OnlineModel` that gives `value`, a `Normal`.

    The conjugate Bayesian regression with a flat prior of the noise (Murphy, Machine Learning, 2012, section 7.6.3), whose
    mean is ridge regression, learned row by row: k = P x / (1 + x'P x), w += k (y - x'w), P -= k x'P. What is predicted has the
    mean and the variance of Student's t. With `forgetting` P is divided by it first, and the noise's sums are multiplied
    by it: older rows weigh less (Haykin, Adaptive Filter Theory, chapter 10). In directions that are not seen for long P grows
    to 1e8 times its beginning, and no further.

    A row with an input that is not finite (such as the first lags of a key) is predicted as unknown, mean 0 and infinite
    variance, and not learned from; so is what comes before three labels. Put `ops.features(Features(lag=Lags("y", [1, 2])))` before it,
    and it is an autoregression.

    Args:
        inputs: names of features, all float64, or a schema of numbers and vectors. Some dozens in all: memory and work
            are the square of that.
        forgetting: in (0, 1]; 1 forgets nothing.
        ridge: precision of the prior of each weight, in units of the noise's, > 0. A weight of some standard deviations of
            the noise is no surprise for 0.001; more of it draws weights to 0, and counts what it draws as noise.
        intercept: whether there is a constant, too.

    Raises:
        ValueError: a number out of its range.
    """

    inputs: Schema

    def __init__(
        self,
        inputs: Schema | Iterable[str],
        *,
        forgetting: float = 1.0,
        ridge: float = 1e-3,
        intercept: bool = True,
    ) -> None:
        if not 0 < forgetting <= 1:
            raise ValueError(f"RecursiveLeastSquares(forgetting) is in (0, 1]; got {forgetting!r}")
        if not 0 < ridge < np.inf:
            raise ValueError(f"RecursiveLeastSquares(ridge) is finite and > 0; got {ridge!r}")
        named = (Field(name, np.float64) for name in inputs)
        self.inputs = inputs if isinstance(inputs, Schema) else Schema(named)
        self._rows = Rows(self.inputs, np.float64)
        self._settings: dict[str, Any] = {
            "forgetting": forgetting,
            "ridge": ridge,
            "intercept": intercept,
        }
        width = self._rows.width + intercept
        self._weights: Floats = np.zeros(width)
        self._spread: Floats = np.eye(width) / ridge
        self._seen = 0.0
        self._noise = 0.0

    def predict(self, batch: Batch) -> Batch:
        """See `OnlineModel`."""
        rows = self._matrix(batch)
        there = np.asarray(np.isfinite(rows).all(axis=1))
        rows = np.where(there[:, None], rows, 0.0)
        with np.errstate(all="ignore"):
            mean, var = summed(rows * self._weights), self._noise_var() * (1 + self._leverage(rows))
        known = there & np.isfinite(mean) & ~np.isnan(var)
        return Batch({"value": Normal(np.where(known, mean, 0.0), np.where(known, var, np.inf))})

    def learn(self, batch: Batch, labels: Sequence[Any]) -> None:
        """See `OnlineModel`.

        Raises:
            SchemaError: a label is no finite number, or one or an input so large that nothing would be known afterwards;
                nothing is learned.
        """
        targets = finite(labels)
        rows = self._matrix(batch)
        there = np.asarray(np.isfinite(rows).all(axis=1))
        before = self._weights, self._spread, self._seen, self._noise
        with np.errstate(all="ignore"):
            for row, target in zip(rows[there], targets[there].tolist(), strict=True):
                self._step(row, target)
        if not (
            np.isfinite(self._spread).all() and np.isfinite([*self._weights, self._noise]).all()
        ):
            self._weights, self._spread, self._seen, self._noise = before
            raise SchemaError("a label or an input is too large to be learned from")

    def _step(self, row: Floats, target: float) -> None:
        fading: float = self._settings["forgetting"]
        if np.trace(self._spread) * self._settings["ridge"] < _WIDEST * len(row):
            self._spread = self._spread / fading
        along = summed(self._spread * row)
        whole = 1 + float(summed(row * along))
        error = target - float(summed(row * self._weights))
        self._weights = self._weights + along * (error / whole)
        self._spread = self._spread - along[:, None] * (along / whole)
        self._spread = (self._spread + self._spread.T) / 2
        self._seen = fading * self._seen + 1
        self._noise = fading * self._noise + (error * error / whole if isfinite(whole) else inf)

    def _matrix(self, batch: Batch) -> Floats:
        rows = np.array(self._rows.of(batch), np.float64).reshape(len(batch), -1)
        return np.c_[rows, np.ones(len(rows))] if self._settings["intercept"] else rows

    def _leverage(self, rows: Floats) -> Floats:
        return summed(rows * summed(rows[:, None, :] * self._spread))

    def _noise_var(self) -> float:
        """Of Student's t with as many degrees of freedom as rows: there is none with two."""
        return self._noise / (self._seen - 2) if self._seen > 2 else np.inf

    def copied(self) -> RecursiveLeastSquares:
        """See `OnlineModel`."""
        copy = RecursiveLeastSquares(self.inputs, **self._settings)
        copy.restore(self.snapshot())
        return copy

    def snapshot(self) -> Any:
        """See `OnlineModel`."""
        return [self._weights.copy(), self._spread.copy(), self._seen, self._noise]

    def restore(self, state: Any) -> None:
        """See `OnlineModel`.

        Raises:
            ValueError: it is of a model with another number of inputs.
        """
        weights, spread, seen, noise = state
        if np.shape(weights) != self._weights.shape:
            raise ValueError(
                f"the state is of {len(weights)} weights, the model has {len(self._weights)}"
            )
        self._weights, self._spread = np.array(weights), np.array(spread)
        self._seen, self._noise = seen, noise
