"""Routing: which arm an element goes to first."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from rxml.errors import PipelineError
from rxml.resilience.balance import PowerOfTwo
from rxml.resilience.window import WindowedCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random


class Routing:
    """Draws an arm: the less busy of two (`PowerOfTwo`), or by weights.

    Args:
        names: of the arms.
        weights: by name; None: by load.
        random: draws.

    Raises:
        PipelineError: weights of arms that are not there.
        ValueError: a weight is negative or not finite, or all are 0.
    """

    __slots__ = ("_counts", "_names", "_random", "_weights", "load")

    def __init__(
        self, names: Sequence[str], weights: Mapping[str, float] | None, random: Random
    ) -> None:
        self._names = names
        self._weights = None if weights is None else _checked(names, weights)
        self._random = random
        self._counts = WindowedCounts(10.0, 10, len(names))
        self.load: PowerOfTwo[str] = PowerOfTwo()

    def draw(self, names: Sequence[str]) -> str:
        """One of these, of which there is at least one; of those without a weight only where none has any."""
        weights = self._weights
        if weights is None:
            return self.load.choose(names, self._random)
        given = [weights[name] for name in names]
        if not any(given):
            return self.load.choose(names, self._random)
        return self._random.choices(names, given)[0]

    def first(self, name: str, now: float) -> None:
        """The arm is the first choice for an element."""
        self._counts.add(now, *(int(each == name) for each in self._names))

    def shares(self, now: float) -> dict[str, float]:
        """Of the first choices of the last ten seconds, by arm."""
        counts = self._counts.totals(now)
        whole = sum(counts) or 1
        return {name: count / whole for name, count in zip(self._names, counts, strict=True)}


def _checked(names: Sequence[str], weights: Mapping[str, float]) -> dict[str, float]:
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise PipelineError(
            f"ModelSupervisor(weights=) names {', '.join(unknown)}: the arms are {', '.join(names)}"
        )
    for name, weight in weights.items():
        if not (weight >= 0 and isfinite(weight)):
            raise ValueError(f"ModelSupervisor(weights=) wants weights >= 0 and finite, got {weight!r} for {name}")  # fmt: skip
    if not any(weights.values()):
        raise ValueError("ModelSupervisor(weights=) wants at least one weight > 0")
    return {name: float(weights.get(name, 0.0)) for name in names}
