"""Rows: the model's weights, the rows that are asked for, and what must be answered.

The answers are computed here, in plain Python, from the same weights: no server is trusted.
"""

from __future__ import annotations

import math
import random
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FEATURES: Final = 20
NAMES: Final = tuple(f"f{number}" for number in range(FEATURES))
ROW_SECONDS: Final = 0.0005
"""Of processor time, that the costly model takes for a row."""

BACK: Final = 100
"""Bytes in the signal to a server that is to go back to the version before."""

SICK: Final = "two"
"""The name of the model that fails on purpose."""

_WEIGHTS: Final = 11
_ROWS: Final = 13


def weights() -> tuple[list[float], float]:
    """Coefficients and intercept of the logistic regression that everybody serves."""
    made = random.Random(_WEIGHTS)
    return [made.gauss(0.0, 0.5) for _ in range(FEATURES)], 0.1


def rows(count: int) -> list[list[float]]:
    """Rows of 20 numbers, six digits each, always the same."""
    made = random.Random(_ROWS)
    return [[round(made.gauss(0.0, 1.0), 6) for _ in range(FEATURES)] for _ in range(count)]


def shifted(version: int) -> float:
    """The intercept of a version of the model; that of version 1 is the model's."""
    return weights()[1] + 0.01 * (version - 1)


def probability(row: list[float], version: int = 1) -> float:
    """What the model must answer: the probability of class 1."""
    coefficients, _ = weights()
    score = sum(c * x for c, x in zip(coefficients, row, strict=True)) + shifted(version)
    return 1.0 / (1.0 + math.exp(-score))


def regression() -> Any:
    """The model, as scikit-learn has it, without training: the same in each version."""
    import numpy as np  # noqa: PLC0415

    coefficients, intercept = weights()
    model = import_module("sklearn.linear_model").LogisticRegression()
    model.classes_ = np.array([0, 1])
    model.coef_ = np.array([coefficients])
    model.intercept_ = np.array([intercept])
    model.n_features_in_ = FEATURES
    return model


def numpy_model() -> Callable[[Any], Any]:
    """The same model as a function of a matrix, or of one row, in numpy: the least that it takes."""
    import numpy as np  # noqa: PLC0415

    named, intercept = weights()
    coefficients = np.array(named)

    def score(rows: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-(np.asarray(rows) @ coefficients + intercept)))

    return score


class Busy:
    """The same model at half a millisecond of the processor a row, in batches too."""

    def __init__(self) -> None:
        self._model = regression()

    def predict_proba(self, matrix: Any) -> Any:
        """Probabilities, when the time has been spent; it holds the interpreter, as most Python does."""
        end = time.thread_time() + ROW_SECONDS * len(matrix)
        values = self._model.predict_proba(matrix)
        while time.thread_time() < end:
            pass
        return values


def busy() -> Any:
    """A model that is worth protecting."""
    return Busy()
