"""Model averaging: the posterior of models by the likelihood they gave to what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from rxml.uncertain.pooling.weights import ExponentialWeights

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.pooling.slots import State


class ModelAveraging(ExponentialWeights):
    """Bayesian model averaging, with forgetting: log w <- forgetting log w + log p (Raftery et al. 2010).

    Without forgetting the log loss of the linear pool is at most ln K above that of the best model, on any sequence;
    but then the weights end up on one model, and stay there when another is better.

    Args:
        models: how many there are, >= 1.
        forgetting: above 0, at most 1: how much of the past counts one row later. 0.99 remembers about 100 rows.
        keys: slots at first.

    Attributes:
        forgetting: as given.

    Raises:
        ValueError: a number is out of its bounds.
    """

    def __init__(self, models: int, *, forgetting: float = 0.99, keys: int = 0) -> None:
        if not 0 < forgetting <= 1:
            raise ValueError(
                f"ModelAveraging(forgetting) wants a number above 0, at most 1, got {forgetting!r}"
            )
        super().__init__(models, keys)
        self.forgetting: float = float(forgetting)

    @override
    def _learned(self, state: State, losses: Floats, awake: Mask, used: Floats) -> State:
        """Losses are log losses: -log p of what came."""
        return {"log": self._moved(self.forgetting * state["log"], -losses, awake, used)}
