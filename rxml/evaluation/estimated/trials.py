"""Rows that are each right with a probability of their own: how many are, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.keeping import Keeper
from rxml.evaluation.metrics.ring import Ring
from rxml.evaluation.metrics.rows import Slots, folded, numbered
from rxml.uncertain.possible.counts import count
from rxml.uncertain.possible.skewed import Skewed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.memory import Memory
    from rxml.uncertain.checks import Floats, Mask


@dataclass(frozen=True, slots=True)
class Hits:
    """Of each slot: how many of its rows are right, a Poisson binomial.

    Args:
        weight: the sum of the weights of its rows, (k,): their number, where nothing fades.
        mean: the weight of those that are right, (k,).
        spread: the standard deviation of that, (k,).
        skew: its third standardised moment, (k,).
        rows: the probabilities of the rows themselves, (k, n), for slots that have not more of them; weights are 1.
        there: which of them there are, (k, n); of a slot that has more none.
    """

    weight: Floats
    mean: Floats
    spread: Floats
    skew: Floats
    rows: Floats
    there: Mask

    @property
    def share(self) -> Floats:
        """How many are right of all, (k,)."""
        return np.minimum(divided(self.mean, self.weight, np.nan), 1.0)

    def interval(self, level: float) -> Bounds:
        """Within which that is, with at least the level; from single rows exactly, from their moments nearly."""
        exact = self.there.any(axis=1)
        lower, upper = self._by_moments(level)
        if exact.any():
            found = count(self.rows[exact], mask=self.there[exact]).interval(level)
            lower[exact], upper[exact] = found
        low, high = (divided(bound, self.weight, np.nan) for bound in (lower, upper))
        unknown = np.isnan(low)
        return (
            np.where(unknown, 0.0, np.clip(low, 0.0, 1.0)),
            np.where(unknown, 1.0, np.clip(high, 0.0, 1.0)),
        )

    def _by_moments(self, level: float) -> Bounds:
        normal = Skewed(self.mean, self.spread, self.skew, np.zeros_like(self.mean))
        lower, upper = normal.interval(level)
        return lower.copy(), upper.copy()


class Kept(Keeper):
    """Three moments of the sum, and the first rows themselves while there are no more.

    Args:
        memory: without a window.
        exact: of how many rows the distribution is exact, where nothing fades.
    """

    def __init__(self, memory: Memory, exact: int) -> None:
        arrays: dict[str, NDArray[Any]] = {
            name: np.zeros(1) for name in ("weight", "mean", "var", "third")
        }
        super().__init__(
            memory, {**arrays, "seen": np.zeros(1, np.int64), "first": np.zeros((1, exact))}
        )

    @override
    def take(self, slots: Slots, *columns: NDArray[Any]) -> None:
        (p,) = columns
        seen, first = self.arrays["seen"], self.arrays["first"]
        at = seen[slots] + numbered(slots)
        early = at < first.shape[1]
        first[slots[early], at[early]] = p[early]
        np.add.at(seen, slots, 1)
        with np.errstate(under="ignore"):
            var = p * (1 - p)
            state = [self.arrays[name] for name in ("weight", "mean", "var", "third")]
            folded(self._step, state, slots, p, var, var * (1 - 2 * p))

    def _step(self, *numbers: Any) -> tuple[Any, ...]:
        weight, mean, var, third, p, its_var, its_third = numbers
        a = self.memory.fading
        return (
            a * weight + 1.0,
            a * mean + p,
            a * a * var + its_var,
            a * a * a * third + its_third,
        )

    def read(self, slots: Slots) -> Hits:
        """What is known of the slots."""
        weight, mean, var, third, seen, first = (each[slots] for each in self.arrays.values())
        few = (seen <= first.shape[1]) & (self.memory.fading == 1)
        there = np.less(np.arange(int(first.shape[1])), np.where(few, seen, 0)[:, None])
        return _hits(weight, mean, (var, third), first, there)

    @override
    def _merge(self, other: Keeper, at: Slots) -> None:
        seen, first = self.arrays["seen"], self.arrays["first"]
        for nth in range(first.shape[1]):
            place = seen[at] + nth
            fits = (nth < other.arrays["seen"]) & (place < first.shape[1])
            first[at[fits], place[fits]] = other.arrays["first"][fits, nth]
        for name in set(self.arrays) - {"first"}:
            self.arrays[name][at] += other.arrays[name]


class Windowed(Ring):
    """The probabilities of the last rows."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, 1)

    def read(self, slots: Slots) -> Hits:
        """What is known of the slots."""
        rows, there = self.held(slots)
        p = rows[:, :, 0]
        with np.errstate(under="ignore"):
            var = p * (1 - p)
            moments = var.sum(axis=1), (var * (1 - 2 * p)).sum(axis=1)
        return _hits(there.sum(axis=1).astype(np.float64), p.sum(axis=1), moments, p, there)


def _hits(
    weight: Floats, mean: Floats, more: tuple[Floats, Floats], p: Floats, there: Mask
) -> Hits:
    var, third = more
    spread = np.sqrt(var)
    with np.errstate(under="ignore", over="ignore"):
        skew = divided(third, spread**3, 0.0)
    return Hits(weight, mean, spread, skew, p, there)
