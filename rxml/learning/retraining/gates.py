"""Gates: which trained models may be published; each says why one may not."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Protocol

from rxml.errors import UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.models.registry import Registry


class Measured(Protocol):
    """What has metrics: a `LearningResult`."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """By name."""
        ...

    @property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """Lower and upper bounds of these."""
        ...


class Gate(Protocol):
    """Says why a model may not be published; "" if it may. Called in a thread: it may read files."""

    def __call__(self, measured: Measured) -> str:
        """Why not."""
        ...


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric must be above, or below, a number for sure: with the bound of its interval that is on the wrong side.

    Args:
        metric: its name.
        above: what its lower bound must be above; None: nothing.
        below: what its upper bound must be below; None: nothing.
        sure: False: a metric without an interval will do, and counts as it is.

    Raises:
        ValueError: neither or both are given, or no number.

    Example:
        >>> from types import SimpleNamespace
        >>> measured = SimpleNamespace(
        ...     metrics={"accuracy": 0.9}, intervals={"accuracy": (0.78, 0.97)}
        ... )
        >>> Threshold("accuracy", above=0.8)(measured)
        'accuracy is 0.9, surely no more than above 0.78, and must be above 0.8'
    """

    metric: str
    above: float | None = None
    below: float | None = None
    sure: bool = True

    def __post_init__(self) -> None:
        given = [each for each in (self.above, self.below) if each is not None]
        if len(given) != 1 or isnan(given[0]):
            raise ValueError(f"Threshold({self.metric!r}) wants above= or below=, a number")

    def __call__(self, measured: Measured) -> str:
        """Why the model may not be published; "" if it may."""
        value = measured.metrics.get(self.metric, nan)
        bounds = measured.intervals.get(self.metric, (nan, nan) if self.sure else (value, value))
        if isnan(value):
            return f"{self.metric} was not measured"
        if isnan(bounds[0]) or isnan(bounds[1]):
            return f"{self.metric} is {value:g}, and how sure that is was not said: give intervals="
        return self._compared(value, *bounds)

    def _compared(self, value: float, lower: float, upper: float) -> str:
        if self.above is not None and not lower > self.above:
            return f"{self.metric} is {value:g}, surely no more than above {lower:g}, and must be above {self.above:g}"
        if self.below is not None and not upper < self.below:
            return f"{self.metric} is {value:g}, surely no more than below {upper:g}, and must be below {self.below:g}"
        return ""


@dataclass(frozen=True, slots=True)
class Incumbent:
    """A metric must be better for sure than what the version of an alias was measured to be.

    Args:
        registry: that has it.
        reference: `price@champion`; while there is no such version, any model may be published.
        metric: its name.
        larger_is_better: of the metric, such as accuracy; False for losses.
        margin: by which it must be better, >= 0.
    """

    registry: Registry
    reference: str
    metric: str
    larger_is_better: bool = False
    margin: float = 0.0

    def __call__(self, measured: Measured) -> str:
        """Why the model may not be published; "" if it may."""
        try:
            known = self.registry.find(self.reference).manifest.metrics
        except UnknownModelError:
            return ""
        if self.metric not in known:
            return f"{self.reference} has no metric {self.metric!r} to compare with"
        if self.larger_is_better:
            return Threshold(self.metric, above=known[self.metric] + self.margin)(measured)
        return Threshold(self.metric, below=known[self.metric] - self.margin)(measured)
