"""DDM: the share of errors of a model that learns should not rise."""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from rxml.errors import DistributionError
from rxml.evaluation.drift.detector import DriftDetector, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DDM(DriftDetector):
    """The drift detection method of Gama, Medas, Castillo, Rodrigues (SBIA 2004), as in River.

    The share of errors p with its deviation s = sqrt(p (1 - p) / n) is compared with the pair for which p + s was
    least: a warning when p + s > p_min + `warning_threshold` s_min, a change beyond `drift_threshold` s_min. As it looks
    at each number, there are false alarms: one in about 1,600 where 5 % are errors, in 6,000 where 20 % are.

    Args:
        warm_start: errors and hits before a change can be seen, >= 1.
        warning_threshold: deviations for a warning, > 0.
        drift_threshold: deviations for a change, > 0.

    Attributes:
        warning_detected: whether the last number lies in the zone of warning, short of a change.

    Raises:
        ValueError: an argument out of its range.
    """

    _plain: ClassVar[tuple[str, ...]] = ("warning_detected", "n", "p", "_p_min", "_s_min", "_least")

    warm_start: int
    warning_threshold: float
    drift_threshold: float
    warning_detected: bool
    n: int
    p: float
    _p_min: float
    _s_min: float
    _least: float

    def __init__(
        self, warm_start: int = 30, warning_threshold: float = 2.0, drift_threshold: float = 3.0
    ) -> None:
        require("warm_start", warm_start, good=warm_start >= 1, wanted="at least 1")
        for name, value in (
            ("warning_threshold", warning_threshold),
            ("drift_threshold", drift_threshold),
        ):
            require(name, value, good=0.0 < value < inf, wanted="more than 0")
        self.warm_start = warm_start
        self.warning_threshold = warning_threshold
        self.drift_threshold = drift_threshold
        super().__init__()

    @override
    def _begin(self) -> None:
        self.warning_detected = False
        self.n = 0
        self.p = 0.0
        self._p_min = self._s_min = 0.0
        self._least = inf

    @override
    def update(self, x: float) -> bool:
        """Take 1 for an error, 0 for none; whether it showed a change.

        Raises:
            DistributionError: it is neither; it is not taken in.
        """
        if x not in {0, 1}:
            raise DistributionError(f"DDM wants 1 for an error and 0 for none, got {x!r}")
        return super().update(x)

    @override
    def _takes(self, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = (numbers == 0) | (numbers == 1)
        return known

    @override
    def _take(self, x: float) -> bool:
        self.n += 1
        self.p += (1.0 / self.n) * (x - self.p)
        # rounding may leave p a little above 1
        s = sqrt(max(self.p * (1.0 - self.p) / self.n, 0.0))
        return self.n > self.warm_start and self._is_far(s)

    def _is_far(self, s: float) -> bool:
        now = self.p + s
        if now <= self._least:
            self._p_min, self._s_min, self._least = self.p, s, now
        drift = now > self._p_min + self.drift_threshold * self._s_min
        warning = now > self._p_min + self.warning_threshold * self._s_min
        self.warning_detected = warning and not drift
        return drift
