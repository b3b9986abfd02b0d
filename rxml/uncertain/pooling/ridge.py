"""Online ridge: weights by least squares on the outputs of models, drawn to equal ones."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.members import LARGEST, mask, matched
from rxml.uncertain.pooling.quadratic import least_on_simplex
from rxml.uncertain.pooling.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.pooling.slots import State


_ROUNDED: Final = 2.0**-44
"""Of the trace: a solution is then right to some 2^-8, whichever way a processor adds up."""


class OnlineRidge:
    """Weights that make sum (w f - y)^2 + penalty |w - 1/K|^2 least over the past of a slot, forgetting it slowly.

    For point outputs, where models err in the same direction: weights need be neither positive nor sum to one, unless
    `simplex`. What it learns from is outputs and targets, not losses; a model that is asleep is taken to have said
    what the others said on average. Costs a K x K matrix a slot, and a solution of it for each row of weights.

    Args:
        models: how many there are, >= 1.
        penalty: > 0, in squared units of y: how much evidence it takes to leave equal weights.
        forgetting: above 0, at most 1: how much of the past counts one row later.
        simplex: convex weights only.
        keys: slots at first.

    Attributes:
        models: as given.
        penalty: as given.
        forgetting: as given.
        simplex: as given.

    Raises:
        ValueError: a number is out of its bounds.
    """

    def __init__(
        self,
        models: int,
        *,
        penalty: float = 1.0,
        forgetting: float = 1.0,
        simplex: bool = False,
        keys: int = 0,
    ) -> None:
        if models < 1:
            raise ValueError(f"models must be >= 1, got {models!r}")
        if not 0 < penalty < inf:
            raise ValueError(f"OnlineRidge(penalty) wants a number > 0 and finite, got {penalty!r}")
        if not 0 < forgetting <= 1:
            raise ValueError(
                f"OnlineRidge(forgetting) wants a number above 0, at most 1, got {forgetting!r}"
            )
        self.models: int = int(models)
        self.penalty: float = float(penalty)
        self.forgetting: float = float(forgetting)
        self.simplex: bool = bool(simplex)
        fresh = {"squares": np.zeros((models, models)), "products": np.zeros(models)}
        self._slots = Slots(fresh, keys)

    def grow(self, keys: int) -> None:
        """Have slots for this many keys; new ones weigh all models alike."""
        self._slots.grow(keys)

    def weights(self, slots: ArrayLike, awake: ArrayLike | None = None) -> Floats:
        """The weights with which to pool now, by least squares over those who are awake.

        Args:
            slots: (n,) keys.
            awake: (n, K) mask of the models that answer; all, if None.

        Returns:
            (n, K); 0 for who sleeps.

        Raises:
            IndexError: a slot that is not there.
        """
        places = self._slots.places(slots)
        there = mask(awake, (len(places), self.models))
        state = self._slots.take(places)
        count = np.maximum(there.sum(axis=1, keepdims=True), 1)
        penalty = self._penalty(state["squares"])
        full = state["squares"] + penalty[:, None, None] * np.eye(self.models)
        right = state["products"] + penalty[:, None] / count
        if self.simplex:
            return least_on_simplex(full, right, there)
        both = there[:, :, None] & there[:, None, :]
        inner = np.where(both, full, np.eye(self.models))
        return np.linalg.solve(inner, np.where(there, right, 0.0)[:, :, None])[:, :, 0]

    def _penalty(self, squares: Floats) -> Floats:
        """That of each row, (n,); not so small beside the squares that rounding would decide."""
        trace = np.trace(squares, axis1=1, axis2=2)
        return np.asarray(np.maximum(self.penalty, _ROUNDED * self.models * trace))

    def update(
        self, slots: ArrayLike, outputs: ArrayLike, y: ArrayLike, awake: ArrayLike | None = None
    ) -> None:
        """Learn from what models said and what came; nothing is changed if a row is refused.

        Args:
            slots: (n,) keys; they may repeat.
            outputs: (n, K); NaN is asleep. Sizes up to 1e150.
            y: (n,) what came.
            awake: (n, K) mask of the models that had answered; all, if None.

        Raises:
            DistributionError: an output or a target that is too large or no number; names the rows.
            IndexError: a slot that is not there.
        """
        places = self._slots.places(slots)
        shape = (len(places), self.models)
        given, target = matched("outputs", outputs, shape), matched("y", y, shape[:1])
        there = mask(awake, shape) & ~np.isnan(given)
        require(
            (~there | (np.abs(given) <= LARGEST)).all(axis=1),
            f"an output is within +-{LARGEST:g}",
            given,
        )
        require(np.abs(target) <= LARGEST, f"a target is within +-{LARGEST:g}", target)
        f = _filled(given, there)

        def step(state: State, rows: NDArray[np.intp]) -> tuple[State, State]:
            x, goal = f[rows], target[rows]
            some = np.reshape(there[rows].any(axis=1), (-1, 1))
            squares = self.forgetting * state["squares"] + x[:, :, None] * x[:, None, :]
            products = self.forgetting * state["products"] + x * goal[:, None]
            return {
                "squares": np.where(some[:, :, None], squares, state["squares"]),
                "products": np.where(some, products, state["products"]),
            }, {}

        with np.errstate(under="ignore"):
            self._slots.fold(places, step)

    def snapshot(self) -> dict[str, Any]:
        """All that was learned, as arrays and numbers."""
        return self._slots.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot of as many models.

        Raises:
            ValueError: it is of something else.
        """
        self._slots.restore(state)


def _filled(outputs: Floats, there: Mask) -> Floats:
    """Outputs, and the mean of the others for who sleeps."""
    count = np.maximum(there.sum(axis=1, keepdims=True), 1)
    mean = (np.where(there, outputs, 0.0) / count).sum(axis=1, keepdims=True)
    return np.where(there, outputs, mean)
