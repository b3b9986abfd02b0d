"""What a model that learns has to beat: the last label, and the mean of labels."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch import Batch, Schema
from rxml.batch.column import sealed
from rxml.learning.evaluating.columns import column
from rxml.learning.parts import finite

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOTHING = Schema([])


class LastValue:
    """Predicts the last label: whatever was last, class or number. An `OnlineModel` without inputs; gives `value`.

    Args:
        first: the prediction before the first label: None, or as NaN for numbers.
    """

    inputs: Schema

    def __init__(self, first: Any = None) -> None:
        self.inputs = _NOTHING
        self._last: Any = first

    def predict(self, batch: Batch) -> Batch:
        """See `OnlineModel`."""
        return Batch({"value": sealed(column([self._last] * len(batch)))})

    def learn(self, batch: Batch, labels: Sequence[Any]) -> None:
        """See `OnlineModel`."""
        del batch
        self._last = labels[-1]

    def copied(self) -> LastValue:
        """See `OnlineModel`."""
        return LastValue(self._last)

    def snapshot(self) -> Any:
        """See `OnlineModel`."""
        return [self._last]

    def restore(self, state: Any) -> None:
        """See `OnlineModel`."""
        (self._last,) = state


class RunningMean:
    """Predicts the mean of labels, or with `fading` their exponentially weighted mean. An `OnlineModel` without inputs.

    m <- m + (y - m) / n, with n <- fading n + 1. Gives `value`.

    Args:
        first: the prediction before the first label; NaN leaves it out of evaluations.
        fading: by what weights are multiplied when a label comes, in (0, 1]; 1 forgets nothing.

    Raises:
        ValueError: fading is outside.
    """

    inputs: Schema

    def __init__(self, first: float = float("nan"), *, fading: float = 1.0) -> None:
        if not 0 < fading <= 1:
            raise ValueError(f"RunningMean(fading) is in (0, 1]; got {fading!r}")
        self.inputs = _NOTHING
        self._mean = float(first)
        self._fading = fading
        self._weight = 0.0

    def predict(self, batch: Batch) -> Batch:
        """See `OnlineModel`."""
        return Batch({"value": np.full(len(batch), self._mean)})

    def learn(self, batch: Batch, labels: Sequence[Any]) -> None:
        """See `OnlineModel`.

        Raises:
            SchemaError: a label is no finite number; nothing is learned.
        """
        del batch
        for label in finite(labels).tolist():
            self._weight = self._fading * self._weight + 1.0
            mean = self._mean if self._weight > 1 else 0.0
            share = 1.0 / self._weight
            moved = mean + (label - mean) / self._weight
            self._mean = moved if isfinite(moved) else (1.0 - share) * mean + share * label

    def copied(self) -> RunningMean:
        """See `OnlineModel`."""
        copy = RunningMean(fading=self._fading)
        copy.restore(self.snapshot())
        return copy

    def snapshot(self) -> Any:
        """See `OnlineModel`."""
        return [self._mean, self._weight]

    def restore(self, state: Any) -> None:
        """See `OnlineModel`."""
        self._mean, self._weight = state
