"""Temperature scaling, learnt online: of a probability, or of those of several classes."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.uncertain.calibration.calibrator import require_count, require_positive
from rxml.uncertain.calibration.keyed import KeyedState, keys_of
from rxml.uncertain.calibration.probabilities.keyed import GIVEN, LEAST, KeyedProbability, within
from rxml.uncertain.calibration.table import Table, checked_numbers, checked_slots, refuse, turns
from rxml.uncertain.special import expit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.calibration.table import Rows, Slots

    Floats: TypeAlias = NDArray[np.float64]

MOST: Final = 3.0
"""Of log T, which is kept within [-MOST, MOST]: temperatures from 1/20 to 20."""
RECENT: Final = 0.01
"""Weight of a label in the mean square of gradients."""


class Temperature(KeyedProbability):
    """expit(logit(p) / T), where log T follows the gradient of the log loss; T is 1 at first.

    Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, online. A gradient is divided
    by the root of the mean square of recent ones (RMSProp), so that one label moves log T by no more than ten times
    the rate. Issued are the probability and what the model said.

    Args:
        rate: the step, > 0.
        keys: slots at first.

    Raises:
        ValueError: a rate out of its range.
    """

    rate: float

    def __init__(self, rate: float = 0.01, *, keys: int = 1) -> None:
        self.rate = require_positive("rate", rate)
        self._state = Table(keys_of(keys), {"log": 0.0, "power": 1.0})
        super().__init__(2, {"state": self._state})

    def temperature(self, slots: Slots) -> Floats:
        """Of these keys, (n,)."""
        result: Floats = np.exp(self._state["log"][slots])
        return result

    @override
    def _issued(self, slots: Slots, p: Floats) -> Floats:
        return np.stack([expit(self._cooled(slots, p)), p], axis=1)

    @override
    def _step(self, rows: Rows, issued: Floats, labels: Floats) -> None:
        cooled = self._cooled(rows, issued[:, GIVEN])
        _descend(self._state, rows, (labels - expit(cooled)) * cooled, self.rate)

    def _cooled(self, rows: Rows, p: Floats) -> Floats:
        inner = within(p)
        cooled: Floats = (np.log(inner) - np.log1p(-inner)) * np.exp(-self._state["log"][rows])
        return cooled


class ClassTemperature(KeyedState):
    """softmax(log(p) / T) for several classes, otherwise as `Temperature`.

    Issued are the probabilities, then those that the model said: (n, 2 classes).

    Args:
        classes: how many, >= 2.
        rate: the step, > 0.
        keys: slots at first.

    Raises:
        ValueError: an argument out of its range.
    """

    classes: int
    rate: float

    def __init__(self, classes: int, rate: float = 0.01, *, keys: int = 1) -> None:
        self.classes = require_count("classes", classes, 2)
        self.rate = require_positive("rate", rate)
        self._state = Table(keys_of(keys), {"log": 0.0, "power": 1.0})
        super().__init__(2 * classes, {"state": self._state})

    def temperature(self, slots: Slots) -> Floats:
        """Of these keys, (n,)."""
        result: Floats = np.exp(self._state["log"][slots])
        return result

    def issue(self, slots: ArrayLike, p: ArrayLike) -> Floats:
        """What is to be said, of shape (n, 2 classes): the probabilities, then `p`. Changes nothing.

        Args:
            slots: (n,) whole numbers below `keys`; they may repeat.
            p: (n, classes) what the model says.

        Raises:
            DistributionError: what is no probability; it names the rows.
        """
        places = checked_slots(slots, self.keys)
        given = checked_numbers("probabilities", p, (len(places), self.classes))
        refuse("probabilities", (given < 0) | (given > 1), "not within [0, 1]")
        with np.errstate(under="ignore"):
            said = _softmax(self._cooled(places, given))
        return np.concatenate([said, given], axis=1)

    def update(self, slots: ArrayLike, issued: ArrayLike, labels: ArrayLike) -> None:
        """Labels have come: learn from them, row by row for each key.

        Args:
            slots: (n,) of the predictions.
            issued: (n, 2 classes) what `issue` gave for them.
            labels: (n,) the classes that came, whole numbers below `classes`.

        Raises:
            DistributionError: labels that are none; nothing is learnt.
        """
        places = checked_slots(slots, self.keys)
        kept = checked_numbers("issued", issued, (len(places), self.width))
        came = checked_numbers("labels", labels, (len(places),))
        known = (came >= 0) & (came < self.classes) & (came == np.floor(came))
        refuse("labels", ~known, f"not among the classes 0 to {self.classes - 1}")
        with np.errstate(under="ignore"):
            for rows, taken in turns(places, self.keys):
                self._step(rows, kept[taken, self.classes :], came[taken])

    def _step(self, rows: Rows, p: Floats, labels: Floats) -> None:
        cooled = self._cooled(rows, p)
        hit = labels[:, None] == np.arange(self.classes)
        uphill = reduce(add, ((hit - _softmax(cooled)) * cooled).T)
        _descend(self._state, rows, uphill, self.rate)

    def _cooled(self, rows: Rows, p: Floats) -> Floats:
        logs = np.log(np.maximum(p, LEAST))
        cooled: Floats = logs * np.exp(-self._state["log"][rows])[:, None]
        return cooled


def _descend(state: Table, rows: Rows, gradient: Floats, rate: float) -> None:
    """A step against the gradient, by its recent size: it is several times as large for many classes as for two."""
    power = state["power"][rows] + RECENT * (gradient * gradient - state["power"][rows])
    moved = state["log"][rows] - rate * gradient / np.sqrt(power)
    state["power"][rows], state["log"][rows] = power, np.clip(moved, -MOST, MOST)


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = raised / reduce(add, raised.T)[:, None]
    return shares
