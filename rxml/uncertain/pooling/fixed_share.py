"""Fixed share: weights that follow the model that is best now, and find the next one fast."""

from __future__ import annotations

from math import inf, log, log1p
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.uncertain.pooling.weights import ExponentialWeights

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.pooling.slots import State


class FixedShare(ExponentialWeights):
    """Exponential weights, of which all models share a part alike after each row (Herbster and Warmuth 1998).

    The rule to begin with: it loses little to the best model of each regime, where rules without sharing need as
    long to leave a model as they have trusted it. Losses can have any range.

    Args:
        models: how many there are, >= 1.
        rate: > 0: 1 for log losses, about 1 over the range of other losses.
        share: from 0 to below 1: how often the best model changes, as changes a row; 0 never.
        keys: slots at first.

    Attributes:
        rate: as given.
        share: as given.

    Raises:
        ValueError: a number is out of its bounds.
    """

    def __init__(
        self, models: int, *, rate: float = 1.0, share: float = 0.001, keys: int = 0
    ) -> None:
        if not 0 < rate < inf:
            raise ValueError(f"FixedShare(rate) wants a number > 0 and finite, got {rate!r}")
        if not 0 <= share < 1:
            raise ValueError(f"FixedShare(share) wants a number from 0 to below 1, got {share!r}")
        super().__init__(models, keys)
        self.rate: float = float(rate)
        self.share: float = float(share)

    @override
    def _learned(self, state: State, losses: Floats, awake: Mask, used: Floats) -> State:
        logs = self._moved(state["log"], -self.rate * losses, awake, used)
        if self.share:
            logs = np.logaddexp(logs + log1p(-self.share), log(self.share / self.models))
        return {"log": logs}
