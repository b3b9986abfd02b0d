"""Hedge: weights whose loss is near that of the best model of all rows, on any sequence."""

from __future__ import annotations

from math import inf, log
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.weights import ExponentialWeights, SlotWeights
from rxml.uncertain.special import logsumexp

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.pooling.slots import State


class Hedge(ExponentialWeights):
    """Exponential weights for losses from 0 to `scale` (Freund and Schapire 1997).

    With a known horizon T the rate is sqrt(8 ln K / T), and the expected loss at most scale sqrt(T ln K / 2) above
    that of the best model. Without one it is that of 1, 2, 4, ... rows in turn, each from the start (doubling): at
    most sqrt(2) / (sqrt(2) - 1) times as much above.

    Args:
        models: how many there are, >= 1.
        horizon: rows of a slot that will come, >= 1; None if that is not known.
        scale: the greatest loss, > 0.
        keys: slots at first.

    Attributes:
        horizon: as given.
        scale: as given.

    Raises:
        ValueError: a number is out of its bounds.
    """

    def __init__(
        self, models: int, *, horizon: int | None = None, scale: float = 1.0, keys: int = 0
    ) -> None:
        if horizon is not None and horizon < 1:
            raise ValueError(f"Hedge(horizon) wants None or a number >= 1, got {horizon!r}")
        if not 0 < scale < inf:
            raise ValueError(f"Hedge(scale) wants a number > 0 and finite, got {scale!r}")
        super().__init__(models, keys, rows=0)
        self.horizon: int | None = horizon
        self.scale: float = float(scale)

    @override
    def _check(self, losses: Floats, awake: Mask) -> None:
        fine = ~awake | ((losses >= 0) & (losses <= self.scale))
        require(fine.all(axis=1), f"a loss is within [0, {self.scale:g}]", losses)

    @override
    def _learned(self, state: State, losses: Floats, awake: Mask, used: Floats) -> State:
        rows = state["rows"] + 1
        length = np.exp2(np.frexp(rows)[1] - 1) if self.horizon is None else float(self.horizon)
        rate = np.sqrt(8 * log(self.models) / length) / self.scale
        gains = -np.atleast_1d(rate)[:, None] * losses
        logs = self._moved(state["log"], gains, awake, used)
        if self.horizon is None:
            # n rows are over and n + 1 is a power of two: the next ones are as many again, from the start
            again = (rows & (rows + 1)) == 0
            logs = np.where(again[:, None], -log(self.models), logs)
        return {"log": logs, "rows": rows}


class AdaHedge(SlotWeights):
    """Hedge without a horizon or a range: the rate falls with what mixing has lost so far.

    The rate is ln K over the sum of mixability gaps; for losses of a range S the expected loss is at most
    S (sqrt(T ln K) + 16/3 ln K + 2) above that of the best model, and on easy sequences much less (de Rooij, van
    Erven, Gruenwald and Koolen 2014). Weights stay the same when losses are scaled or shifted, so that gradients of
    unknown size can be given as losses.

    Args:
        models: how many there are, >= 1.
        keys: slots at first.

    Raises:
        ValueError: models is below 1, or keys negative.
    """

    def __init__(self, models: int, *, keys: int = 0) -> None:
        fresh = {"losses": np.zeros(max(models, 0)), "gap": 0.0}
        super().__init__(models, fresh, keys)

    @override
    def _check(self, losses: Floats, awake: Mask) -> None:
        # an infinite one would be the range of all losses from then on
        require((~awake | np.isfinite(losses)).all(axis=1), "a loss is finite", losses)

    @override
    def _logs(self, state: State, awake: Mask) -> Floats:
        return self._scaled(state["losses"], state["gap"], awake)[0]

    @override
    def _learned(self, state: State, losses: Floats, awake: Mask, used: Floats) -> State:
        before, gap = state["losses"], state["gap"]
        least = np.where(awake, losses, inf).min(axis=1, keepdims=True)
        losses = np.where(awake, losses - np.where(least < inf, least, 0.0), 0.0)
        after = before + losses
        mixed = self._mix(after, gap, awake) - self._mix(before, gap, awake)
        hedged = (np.exp(used) * losses).sum(axis=1)
        moved = np.where(awake, after, before + mixed[:, None])
        moved -= moved.min(axis=1, keepdims=True)
        return {"losses": moved, "gap": gap + np.maximum(hedged - mixed, 0.0)}

    def _scaled(self, losses: Floats, gap: Floats, awake: Mask) -> tuple[Floats, Floats, Floats]:
        """Log weights, the least loss of those who are awake, and 1 / rate."""
        least = np.where(awake, losses, inf).min(axis=1, keepdims=True)
        above = np.where(awake, losses - np.where(np.isfinite(least), least, 0.0), inf)
        size = gap / log(self.models) if self.models > 1 else np.full(gap.shape, inf)
        unit = np.where(size > 0, size, 1.0)[:, None]
        with np.errstate(under="ignore", over="ignore"):
            logs = np.where(size[:, None] > 0, -above / unit, np.where(above == 0, 0.0, -inf))
        return logs, least[:, 0], size

    def _mix(self, losses: Floats, gap: Floats, awake: Mask) -> Floats:
        """The loss of mixing, -1/rate log sum exp(-rate loss), up to a constant; 0 where no one is awake."""
        logs, least, size = self._scaled(losses, gap, awake)
        some = awake.any(axis=1)
        together = logsumexp(np.where(awake, logs, -inf), axis=1)
        inner = np.where(np.isfinite(size), size, 0.0) * np.where(some, together, 0.0)
        return np.where(some, least - inner, 0.0)
