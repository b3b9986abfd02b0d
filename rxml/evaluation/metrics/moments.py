"""The weight, mean and variance of a number, over slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.keeping import Keeper
from rxml.evaluation.metrics.ring import Ring
from rxml.evaluation.metrics.rows import Slots, folded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.evaluation.metrics.memory import Memory
    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True)
class Moments:
    """Of each slot; all (k,).

    Args:
        weight: the sum of the weights of its rows: their number, where nothing fades.
        rows: how many equal rows would tell as much: (sum of w)^2 / sum of w^2 (Kish, 1965).
        mean: weighted; NaN without rows.
        var: unbiased, of a single row; NaN with no more than one.
    """

    weight: Floats
    rows: Floats
    mean: Floats
    var: Floats


class Kept(Keeper):
    """By the recurrence of Welford (1962), which with weights that fade is that of West (1979)."""

    def __init__(self, memory: Memory) -> None:
        names = ("weight", "squares", "mean", "spread", "beyond")
        super().__init__(memory, {name: np.zeros(1) for name in names})

    @override
    def take(self, slots: Slots, *columns: NDArray[Any]) -> None:
        (x,) = columns
        finite = np.isfinite(x)
        names = ("weight", "squares", "mean", "spread")
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            # what is infinite stays so, also where weights fade: it would make NaN of what comes after it
            np.add.at(self.arrays["beyond"], slots[~finite], x[~finite])
            x = np.where(finite, x, 0.0)
            folded(self._step, [self.arrays[name] for name in names], slots, x)

    def _step(self, weight: Any, squares: Any, mean: Any, spread: Any, x: Any) -> tuple[Any, ...]:
        fading = self.memory.fading
        weight = fading * weight + 1.0
        away = x - mean
        mean = mean + away / weight
        return (
            weight,
            fading * fading * squares + 1.0,
            mean,
            fading * spread + away * (x - mean),
        )

    def read(self, slots: Slots) -> Moments:
        """What is known of the slots."""
        weight, squares, mean, spread, beyond = (each[slots] for each in self.arrays.values())
        mean = np.where(weight > 0, np.where(beyond == 0, mean, beyond), np.nan)
        return _moments(weight, squares, mean, np.where(beyond == 0, spread, np.nan))

    @override
    def _merge(self, other: Keeper, at: Slots) -> None:
        """As Chan, Golub and LeVeque (1979) have it."""
        weight, squares, mean, spread, beyond = (each[at] for each in self.arrays.values())
        its, their_squares, their, their_spread, their_beyond = other.arrays.values()
        total = weight + its
        share = divided(its, total, 0.0)
        apart = their - mean
        new = (
            total,
            squares + their_squares,
            mean + apart * share,
            spread + their_spread + apart * apart * weight * share,
            beyond + their_beyond,
        )
        for name, values in zip(self.arrays, new, strict=True):
            self.arrays[name][at] = values


class Windowed(Ring):
    """Of the last rows, in two passes."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, 1)

    def read(self, slots: Slots) -> Moments:
        """What is known of the slots."""
        rows, there = self.held(slots)
        x = rows[:, :, 0]
        count = there.sum(axis=1).astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            mean = np.sum(x, axis=1) / np.where(count > 0, count, np.nan)
            away = np.where(there, x - mean[:, None], 0.0)
            return _moments(count, count, mean, np.sum(away * away, axis=1))


def moments_kept(memory: Memory) -> Kept | Windowed:
    """A keeper of moments that remembers so."""
    return Windowed(memory) if memory.window else Kept(memory)


def _moments(weight: Floats, squares: Floats, mean: Floats, spread: Floats) -> Moments:
    rows = divided(weight * weight, squares, 0.0)
    free = weight - divided(squares, weight, 0.0)
    # of weights that fade, what is free of a single row is a rounding error and not 0
    nothing = np.full_like(weight, np.nan)
    var = np.divide(spread, free, out=nothing, where=rows > 1 + 1e-9)
    return Moments(weight, rows, mean, var)
