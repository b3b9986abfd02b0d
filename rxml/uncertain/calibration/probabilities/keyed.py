"""KeyedProbability: what calibrators of probabilities share: checks, rows taken in turns, growth, snapshots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, TypeAlias, final

import numpy as np

from rxml.uncertain.calibration.keyed import KeyedState
from rxml.uncertain.calibration.table import checked_numbers, checked_slots, refuse, turns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]

CALIBRATED: Final = 0
"""The column of what is issued that holds the calibrated probability."""
GIVEN: Final = -1
"""The column that holds the probability as the model said it."""
LEAST: Final = 1e-12
"""Where logarithms are taken, probabilities are brought within [LEAST, 1 - LEAST]."""


class KeyedProbability(KeyedState, ABC):
    """Probabilities of an event, mapped to what they have meant so far, for many keys at once.

    As of `Calibrator`: each key has a slot, a prediction keeps the row that was issued for it until its label comes,
    and rows together mean the same as one by one, to the last bit.
    """

    @final
    def issue(self, slots: ArrayLike, p: ArrayLike) -> Floats:
        """What is to be said, of shape (n, width): column 0 is the probability, the last one `p`. Changes nothing.

        Args:
            slots: (n,) whole numbers below `keys`; they may repeat.
            p: (n,) what the model says, in [0, 1].

        Raises:
            DistributionError: what is no probability; it names the rows.
        """
        places = checked_slots(slots, self.keys)
        given = checked_numbers("probabilities", p, (len(places),))
        refuse("probabilities", (given < 0) | (given > 1), "not within [0, 1]")
        with np.errstate(under="ignore"):
            return self._issued(places, given)

    @final
    def update(self, slots: ArrayLike, issued: ArrayLike, labels: ArrayLike) -> None:
        """Labels have come: learn from them, row by row for each key.

        Args:
            slots: (n,) of the predictions.
            issued: (n, width) what `issue` gave for them.
            labels: (n,) 1 or True where the event happened, else 0 or False.

        Raises:
            DistributionError: labels that are neither; nothing is learnt.
        """
        places = checked_slots(slots, self.keys)
        kept = checked_numbers("issued", issued, (len(places), self.width))
        happened = checked_numbers("labels", labels, (len(places),))
        refuse("labels", (happened != 0) & (happened != 1), "neither 0 nor 1")
        with np.errstate(under="ignore"):
            self._learn(places, kept, happened)

    @abstractmethod
    def _issued(self, slots: Slots, p: Floats) -> Floats:
        """As `issue`, of what is checked."""

    @abstractmethod
    def _step(self, rows: Rows, issued: Floats, labels: Floats) -> None:
        """Learn from one label for each of these keys."""

    def _learn(self, slots: Slots, issued: Floats, labels: Floats) -> None:
        for rows, taken in turns(slots, self.keys):
            self._step(rows, issued[taken], labels[taken])


def within(p: Floats) -> Floats:
    """Probabilities whose logarithm, and that of their opposite, is finite; the array is a new one."""
    return np.clip(p, LEAST, 1.0 - LEAST)
