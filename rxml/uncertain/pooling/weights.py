"""Weights: what all rules share that learn, from losses as they come, how much each of K models is to be trusted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import log
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from typing_extensions import override

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.members import LARGEST, mask, matched
from rxml.uncertain.pooling.slots import Slots
from rxml.uncertain.special import log_softmax, logsumexp, softmax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats, Mask
    from rxml.uncertain.pooling.slots import State

_FLOOR: Final = (
    -1e200
)  # the log weight below which nothing is told apart: of a model that was all but impossible


class Weights(Protocol):
    """A rule that weighs K models, for each of many slots by itself.

    A model that is late, failed or abstains is asleep: it has no weight, and what it would have lost is taken to be
    what the pool of the others lost, so that sleeping is neither punished nor rewarded (Freund, Schapire, Singer and
    Warmuth 1997). Rows of one slot are taken in order: one by one or in batches is the same, to the last bit.

    Attributes:
        models: how many models there are, K.
    """

    models: int

    def grow(self, keys: int) -> None:
        """Have slots for this many keys; new ones weigh all models alike."""
        ...

    def forget(self, slots: ArrayLike) -> None:
        """Weigh all models alike in these slots, as new ones do: they are given to other keys.

        Raises:
            IndexError: a slot that is not there.
        """
        ...

    def weights(self, slots: ArrayLike, awake: ArrayLike | None = None) -> Floats:
        """The weights with which to pool now.

        Args:
            slots: (n,) keys.
            awake: (n, K) mask of the models that answer; all, if None.

        Returns:
            (n, K) convex weights, 0 for who sleeps; all 0 in a row in which no one is awake.

        Raises:
            IndexError: a slot that is not there.
        """
        ...

    def update(
        self,
        slots: ArrayLike,
        losses: ArrayLike,
        awake: ArrayLike | None = None,
        *,
        used: ArrayLike | None = None,
    ) -> None:
        """Learn from what models lost; nothing is changed if a row is refused.

        Args:
            slots: (n,) keys; they may repeat.
            losses: (n, K), lower is better; NaN is asleep. What the rule says of their range.
            awake: (n, K) mask of the models that had answered; all, if None.
            used: (n, K) weights that were in use when the models answered, where losses come later than other
                losses of the slot; those of now, if None.

        Raises:
            DistributionError: a loss that the rule cannot take; names the rows.
            IndexError: a slot that is not there.
        """
        ...

    def snapshot(self) -> dict[str, Any]:
        """All that was learned, as arrays and numbers."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot of the same rule over as many models.

        Raises:
            ValueError: it is of something else.
        """
        ...


class SlotWeights(ABC):
    """The part of a rule that is about slots, masks and snapshots; see `Weights`.

    Args:
        models: how many there are, >= 1.
        fresh: the state of one slot: name -> array or number.
        keys: slots at first.

    Attributes:
        models: as given.

    Raises:
        ValueError: models is below 1, or keys negative.
    """

    def __init__(self, models: int, fresh: Mapping[str, Any], keys: int) -> None:
        if models < 1:
            raise ValueError(f"models must be >= 1, got {models!r}")
        self.models: int = int(models)
        self._slots = Slots(fresh, keys)

    def grow(self, keys: int) -> None:
        """Have slots for this many keys; new ones weigh all models alike."""
        self._slots.grow(keys)

    def forget(self, slots: ArrayLike) -> None:
        """Weigh all models alike in these slots, as new ones do."""
        self._slots.forget(self._slots.places(slots))

    def weights(self, slots: ArrayLike, awake: ArrayLike | None = None) -> Floats:
        """The weights with which to pool now, (n, K); see `Weights.weights`."""
        places = self._slots.places(slots)
        there = mask(awake, (len(places), self.models))
        return shares(self._logs(self._slots.take(places), there), there)

    def update(
        self,
        slots: ArrayLike,
        losses: ArrayLike,
        awake: ArrayLike | None = None,
        *,
        used: ArrayLike | None = None,
    ) -> None:
        """Learn from what models lost, (n, K); see `Weights.update`."""
        places = self._slots.places(slots)
        shape = (len(places), self.models)
        given = matched("losses", losses, shape)
        there = mask(awake, shape) & ~np.isnan(given)
        self._check(given, there)
        lost = np.where(there, np.clip(given, -LARGEST, LARGEST), 0.0)
        then = None if used is None else matched("used", used, shape)

        def step(state: State, rows: NDArray[np.intp]) -> tuple[State, State]:
            heard = there[rows]
            logs = self._used(state, heard, None if then is None else then[rows])
            after = self._learned(state, lost[rows], heard, logs)
            return {name: _kept(heard, array, state[name]) for name, array in after.items()}, {}

        with np.errstate(under="ignore", over="ignore"):
            self._slots.fold(places, step)

    def snapshot(self) -> dict[str, Any]:
        """All that was learned, as arrays and numbers."""
        return self._slots.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot of the same rule over as many models; ValueError if it is of something else."""
        self._slots.restore(state)

    def _check(self, losses: Floats, awake: Mask) -> None:
        """Refuse losses that the rule cannot take."""
        require((~awake | (losses > -np.inf)).all(axis=1), "a loss is above -inf", losses)

    def _used(self, state: State, awake: Mask, used: Floats | None) -> Floats:
        """The log weights over those who are awake that were in use; those of now where nothing was."""
        now = log_softmax(np.where(awake, self._logs(state, awake), -np.inf))
        if used is None:
            return now
        then = np.where(awake & (used > 0), used, 0.0)
        total = then.sum(axis=1, keepdims=True)
        logs = np.log(np.where(then > 0, then, 1.0)) - np.log(np.where(total > 0, total, 1.0))
        return np.where(total > 0, np.where(then > 0, logs, -np.inf), now)

    @abstractmethod
    def _logs(self, state: State, awake: Mask) -> Floats:
        """Log weights, up to a constant of each row."""

    @abstractmethod
    def _learned(self, state: State, losses: Floats, awake: Mask, used: Floats) -> State:
        """States after one row each; those of rows in which no one is awake are not looked at."""


class ExponentialWeights(SlotWeights):
    """Rules whose state is the log weights themselves, normalised after each row."""

    def __init__(self, models: int, keys: int, **fresh: Any) -> None:
        start = {"log": np.full(max(models, 0), -log(max(models, 1)))}
        super().__init__(models, start | fresh, keys)

    @override
    def _logs(self, state: State, awake: Mask) -> Floats:
        return state["log"]

    @staticmethod
    def _moved(logs: Floats, gains: Floats, awake: Mask, used: Floats) -> Floats:
        """Log weights with gains added to those who were awake, and to the others what the awake ones had together.

        Only differences of gains count: those common to all would take the digits of the weights with them.
        """
        most = np.where(awake, gains, -np.inf).max(axis=1, keepdims=True)
        gains = gains - np.where(most > -np.inf, most, 0.0)
        together = logsumexp(np.where(awake, used + gains, -np.inf), axis=1, keepdims=True)
        together = np.where(together > -np.inf, together, 0.0)  # no one was awake
        return np.maximum(log_softmax(logs + np.where(awake, gains, together)), _FLOOR)


def shares(logs: Floats, awake: Mask) -> Floats:
    """Convex weights of log weights, over those who are awake; all 0 where no one is."""
    held = softmax(np.where(awake, logs, -np.inf))
    return np.where(awake.any(axis=1, keepdims=True), held, 0.0)


def _kept(awake: Mask, after: NDArray[Any], before: NDArray[Any]) -> NDArray[Any]:
    """States after a row; those before, where no one was awake."""
    some = np.reshape(awake.any(axis=1), (-1, 1) if after.ndim == 2 else (-1,))
    return np.where(some, after, before)
