"""DriftDetector: what all detectors of drift do."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from rxml.errors import DistributionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Bools: TypeAlias = NDArray[np.bool_]


class DriftDetector:
    """Takes numbers one by one; after the one at which a change is seen, `drift_detected` is true.

    The number after it begins anew, as with River.

    Attributes:
        drift_detected: whether the last number showed a change.
        n_detections: changes that were seen so far.
    """

    _plain: ClassVar[tuple[str, ...]] = ()
    """Attributes that are the state, besides those that every detector has: numbers and booleans."""

    drift_detected: bool
    n_detections: int

    def __init__(self) -> None:
        self.drift_detected = False
        self.n_detections = 0
        self._begin()

    def update(self, x: float) -> bool:
        """Take a number; whether it showed a change, which is `drift_detected` from now on.

        Raises:
            DistributionError: it is not finite; it is not taken in.
        """
        value = float(x)
        if not isfinite(value):
            raise DistributionError(f"{type(self).__name__} wants a finite number, got {value!r}")
        if self.drift_detected:
            self._begin()
        self.drift_detected = self._take(value)
        self.n_detections += self.drift_detected
        return self.drift_detected

    def update_many(self, values: ArrayLike) -> Bools:
        """Take numbers (n,) in order; which of them showed a change (n,).

        Raises:
            DistributionError: some are none that it takes; none is taken in.
        """
        numbers = np.asarray(values, np.float64)
        bad = np.flatnonzero(~self._takes(numbers))
        if len(bad):
            text = f"it cannot take what is in row(s) {bad[:5].tolist()}"
            raise DistributionError(f"{type(self).__name__}: {text}, as {float(numbers[bad[0]])!r}")
        return np.array([self.update(each) for each in numbers.tolist()], np.bool_)

    def _takes(self, numbers: NDArray[np.float64]) -> Bools:
        """Which of these `update` would not refuse."""
        return np.isfinite(numbers)

    def reset(self) -> None:
        """Forget all numbers; what was detected stays counted."""
        self.drift_detected = False
        self._begin()

    def snapshot(self) -> dict[str, Any]:
        """The state, as numbers, strings and lists of them."""
        return {name: getattr(self, name) for name in self._names()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` of a detector with the same arguments gave.

        Raises:
            ValueError: it is none.
        """
        missing = [name for name in self._names() if name not in state]
        if missing:
            raise ValueError(f"the state has no {missing}; it has: {sorted(map(str, state))}")
        for name in self._names():
            setattr(self, name, state[name])

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        return ("drift_detected", "n_detections", *cls._plain)

    def _begin(self) -> None:
        """Forget all numbers."""
        raise NotImplementedError

    def _take(self, x: float) -> bool:
        """Take a number; whether it shows a change."""
        raise NotImplementedError


def require(name: str, value: float, *, good: bool, wanted: str) -> None:
    """Refuse an argument that is not good.

    Raises:
        ValueError: it is not.
    """
    if not good:
        raise ValueError(f"{name} is {value!r}: give {wanted}")
