"""DtACI: adaptive conformal inference that finds its own step."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import (
    Unbounded,
    require_count,
    require_positive,
    require_unbounded,
)
from rxml.uncertain.calibration.keyed import KeyedCalibrator, keys_of
from rxml.uncertain.calibration.table import Table
from rxml.uncertain.calibration.windows import ScoreWindows, ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]

GAMMAS: Final = tuple(0.001 * 2**j for j in range(8))
"""Steps of the experts, as in the authors' script."""


class DtACI(KeyedCalibrator):
    """Experts with a step each move their alpha as `ACI` does; what is issued is by their weighted mean.

    Gibbs, Candes, "Conformal Inference for Online Prediction with Arbitrary Distribution Shifts", JMLR 2024. When a
    label comes, beta is the largest level whose radius would have held it, by the scores known then; the loss of an
    expert is target (beta - alpha) - min(0, beta - alpha), its weight is multiplied by exp(-eta loss), and a share
    `sigma` of all weight is spread evenly. Experts are judged by the alpha that they had when it was issued. Issued
    are the radius, the mean alpha, and each expert's. Weights are always on the simplex.

    Each expert by itself would keep the share of misses for any sequence, as `ACI` does. Of their mean that is not proven:
    the paper has it of an alpha that is drawn by the weights, for `eta` and `sigma` that go to 0. Under drift it holds in
    practice; an opponent who sees each radius and misses it barely gets a share of .2 where .1 was wanted.

    Args:
        level: share of cases that are to be covered, in (0, 1).
        gammas: a step for each expert, each > 0.
        eta: how fast the better ones gain, > 0; 2.72 in the authors' script.
        sigma: share of weight that is spread evenly, in (0, 1]; 0.001 there.
        window: scores that are remembered for a key, >= 1.
        on_unbounded: what is issued where alpha is at or below 0, or scores are too few for it; see `Unbounded`.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    gammas: tuple[float, ...]
    eta: float
    sigma: float
    window: int
    on_unbounded: Unbounded

    def __init__(
        self,
        level: float = 0.9,
        *,
        gammas: Sequence[float] = GAMMAS,
        eta: float = 2.72,
        sigma: float = 0.001,
        window: int = 500,
        on_unbounded: Unbounded = "inf",
        keys: int = 1,
    ) -> None:
        self.gammas = tuple(require_positive("a step of gammas", each) for each in gammas)
        experts = require_count("the number of gammas", len(self.gammas))
        self.eta = require_positive("eta", eta)
        self.sigma = require_positive("sigma", sigma, 1.0)
        self.window = require_count("window", window)
        self.on_unbounded = require_unbounded(on_unbounded)
        self._steps = np.array(self.gammas)
        self._scores = ScoreWindows(keys_of(keys), self.window)
        blank = {"alphas": np.full(experts, 1.0 - level), "weights": np.full(experts, 1 / experts)}
        self._experts = Table(keys, blank)
        super().__init__(level, 2 + experts, {"scores": self._scores, "experts": self._experts})

    def weights(self, slots: Slots) -> Floats:
        """Of the experts of these keys, (n, experts); each row sums to 1."""
        result: Floats = self._experts["weights"][slots]
        return result

    @override
    def _issued(self, slots: Slots) -> Floats:
        alphas = self._experts["alphas"][slots]
        mean = _row_sums(alphas * self._experts["weights"][slots])
        radius = self._scores.radii(slots, mean, self.on_unbounded)
        return np.column_stack([radius, mean, alphas])

    @override
    def _step(self, rows: Rows, scores: Floats, issued: Floats) -> None:
        alphas = issued[:, 2:]
        below = self._scores.below(rows, scores)
        count = self._scores["count"][rows]
        missed = ranks(count[:, None], alphas) <= below[:, None]
        beta = 1.0 - below / (count + 1.0)
        self._weigh(rows, self._losses(beta[:, None] - alphas))
        self._experts["alphas"][rows] += self._steps * (self.target - missed)
        self._scores.put(rows, scores)

    def _losses(self, over: Floats) -> Floats:
        return self.target * over - np.minimum(over, 0.0)

    def _weigh(self, rows: Rows, losses: Floats) -> None:
        least = losses.min(axis=1, keepdims=True)
        with np.errstate(under="ignore"):  # an expert that far off weighs what is spread to it
            weights = self._experts["weights"][rows] * np.exp(self.eta * (least - losses))
        weights /= _row_sums(weights)[:, None]
        even = self.sigma / len(self.gammas)
        self._experts["weights"][rows] = (1.0 - self.sigma) * weights + even


def _row_sums(values: Floats) -> Floats:
    """In the order of columns: numpy's own sum adds in another order for one row than for many."""
    return reduce(add, values.T)
