"""MAPIE: adaptive conformal inference by its TimeSeriesRegressor, in the environment of its own."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np


class Adaptive:
    """Radii about a forecast of zero, so that the scores are all there is: no model takes time.

    `adapt_conformal_inference` moves the level by what the last interval missed, `update` puts the new score in the place of
    the oldest. Its tutorial has the latter first, by which a label is compared with an interval that knows it already.

    Args:
        first: scores that are remembered at first; so many are at any time.
        level: share of cases that are to be covered.
        gamma: step of the level.
    """

    def __init__(self, first: list[float], level: float, gamma: float) -> None:
        # each `update` warns that it does what it is called for here
        warnings.simplefilter("ignore")
        nothing = np.zeros((len(first), 1))
        zero: Any = import_module("sklearn.dummy").DummyRegressor(strategy="constant", constant=0.0)
        self._level = level
        self._gamma = gamma
        self._model: Any = (
            import_module("mapie.regression")
            .TimeSeriesRegressor(
                zero.fit(nothing, np.zeros(len(first))),
                method="aci",
                cv="prefit",
                conformity_score=import_module("mapie.conformity_scores").AbsoluteConformityScore(),
            )
            .fit(nothing, np.array(first))
        )

    def follow(self, scores: list[float]) -> list[float]:
        """The radius that is issued before each of these is known."""
        model, level, here = self._model, self._level, np.zeros((1, 1))
        radii: list[float] = []
        for score in scores:
            label = np.array([score])
            _, bounds = model.predict(here, confidence_level=level, allow_infinite_bounds=True)
            radii.append(float(bounds[0, 1, 0]))
            model.adapt_conformal_inference(here, label, gamma=self._gamma, confidence_level=level)
            model.update(here, label)
        return radii
