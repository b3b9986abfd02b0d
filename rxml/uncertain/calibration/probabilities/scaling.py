"""Platt and beta scaling, learnt online."""

from __future__ import annotations

from abc import abstractmethod
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_positive
from rxml.uncertain.calibration.keyed import keys_of
from rxml.uncertain.calibration.probabilities.keyed import GIVEN, KeyedProbability, within
from rxml.uncertain.calibration.table import Table
from rxml.uncertain.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]
    Steps: TypeAlias = Literal["newton", "adagrad"]


class Scaling(KeyedProbability):
    """expit(theta . features(p)), where theta follows the gradient of the log loss; it begins as the identity.

    Steps are online Newton (Hazan, Agarwal, Kale, Machine Learning 2007): A += g g', theta -= A^-1 g / gamma, with
    A = prior I at first; or AdaGrad's (Duchi, Hazan, Singer, JMLR 2011): theta -= rate g / sqrt(sum of g^2). Instead
    of a projection each weight is kept within `bound`. Issued are the probability and what the model said.

    Args:
        steps: "newton" or "adagrad".
        gamma: of newton, > 0: the smaller, the longer its steps.
        prior: of newton, > 0: the larger, the slower it begins.
        rate: of adagrad, > 0.
        bound: of the size of weights, >= 1.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    start: ClassVar[tuple[float, ...]]

    steps: Steps
    gamma: float
    prior: float
    rate: float
    bound: float

    def __init__(
        self,
        steps: Steps = "newton",
        *,
        gamma: float = 0.1,
        prior: float = 100.0,
        rate: float = 0.1,
        bound: float = 20.0,
        keys: int = 1,
    ) -> None:
        if steps not in {"newton", "adagrad"}:
            raise ValueError(f'steps is {steps!r}: give "newton" or "adagrad"')
        self.steps = steps
        self.gamma = require_positive("gamma", gamma)
        self.prior = require_positive("prior", prior)
        self.rate = require_positive("rate", rate)
        self.bound = require_positive("bound", bound)
        size = len(self.start)
        scale = np.eye(size) / self.prior if steps == "newton" else np.full(size, 1e-8)
        self._state = Table(keys_of(keys), {"weights": np.array(self.start), "scale": scale})
        super().__init__(2, {"state": self._state})

    @abstractmethod
    def features(self, p: Floats) -> list[Floats]:
        """What is weighed: (n,) each."""

    def weights(self, slots: Slots) -> Floats:
        """Of the features of these keys, (n, features)."""
        result: Floats = self._state["weights"][slots]
        return result

    @override
    def _issued(self, slots: Slots, p: Floats) -> Floats:
        said = self._said(self._state["weights"][slots], self.features(p))
        return np.stack([said, p], axis=1)

    @override
    def _step(self, rows: Rows, issued: Floats, labels: Floats) -> None:
        weights = self._state["weights"][rows]
        features = self.features(issued[:, GIVEN])
        off = self._said(weights, features) - labels
        gradient = np.stack([off * each for each in features], axis=1)
        by = self._newton if self.steps == "newton" else self._adagrad
        moved = weights - by(rows, gradient)
        self._state["weights"][rows] = np.clip(moved, -self.bound, self.bound)

    def _said(self, weights: Floats, features: list[Floats]) -> Floats:
        return expit(_dot(weights.T, features))

    def _newton(self, rows: Rows, gradient: Floats) -> Floats:
        """A^-1 g / gamma, A^-1 being kept (Sherman, Morrison)."""
        inverse = self._state["scale"][rows]
        parts = list(gradient.T)
        turned = np.stack([_dot(row.T, parts) for row in inverse.transpose(1, 0, 2)], axis=1)
        shrink = 1.0 + _dot(turned.T, parts)
        inverse = inverse - turned[:, :, None] * turned[:, None, :] / shrink[:, None, None]
        self._state["scale"][rows] = inverse
        return turned / shrink[:, None] / self.gamma

    def _adagrad(self, rows: Rows, gradient: Floats) -> Floats:
        total = self._state["scale"][rows] + gradient * gradient
        self._state["scale"][rows] = total
        return self.rate * gradient / np.sqrt(total)


class PlattScaling(Scaling):
    """expit(a logit(p) + b): Platt 1999, online (Gupta, Ramdas, "Online Platt Scaling with Calibeating", ICML 2023)."""

    start: ClassVar[tuple[float, ...]] = (1.0, 0.0)

    @override
    def features(self, p: Floats) -> list[Floats]:
        inner = within(p)
        return [np.log(inner) - np.log1p(-inner), np.ones(len(p))]


class BetaScaling(Scaling):
    """expit(a log(p) - b log(1 - p) + c): Kull, Silva Filho, Flach, "Beta Calibration", AISTATS 2017, online."""

    start: ClassVar[tuple[float, ...]] = (1.0, 1.0, 0.0)

    @override
    def features(self, p: Floats) -> list[Floats]:
        inner = within(p)
        return [np.log(inner), -np.log1p(-inner), np.ones(len(p))]


def _dot(left: Floats | list[Floats], right: Floats | list[Floats]) -> Floats:
    """The sum of products, in order: a matrix product adds in another order for one row than for many."""
    return reduce(add, (one * other for one, other in zip(left, right, strict=True)))
