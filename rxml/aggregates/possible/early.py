"""Early answers: what a window that is not complete has come to, and what may still come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.aggregates.possible.results import Known, alternatives, rows_of
from rxml.uncertain import Alternatives, Normal
from rxml.uncertain.special import gammaln

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.rows import UncertainRows

_MOST: Final = 1 << 14
"""Rows that may still come, of which a count tells; the probability of more is part of its error."""
_REACH: Final = 40.0
_LEAST: Final = 1e-9
_PRIOR: Final = 0.5
"""Of the rate of a Poisson process, by Jeffreys: as if half an event had been seen in no time."""


@runtime_checkable
class Foretelling(Protocol):
    """An aggregate that tells early what its windows may come to."""

    early: bool
    seen: Seen

    def foretold(self, columns: Sequence[Any], seen: Floats, share: Floats) -> list[Any]:
        """The columns of windows that are not complete, with what may still come.

        Args:
            columns: of what has come, as `lowered` gives them.
            seen: as `Seen` gives it.
            share: how much of each window has come, within [0, 1].
        """
        ...


class Seen(Aggregate):
    """What rows have come: how many, and the sums of presence, of what they add and of its square. State: (4,)."""

    @override
    def identity(self, groups: int) -> State:
        return (np.zeros((groups, 4)),)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        ones = np.broadcast_to([[[1.0, 1.0, 0.0]]], (len(times), 1, 3))
        rows = rows_of(values[0][:, np.newaxis], [*values, ones][1][:, np.newaxis])
        (state,) = self.identity(groups)
        np.add.at(state, codes, _moments(rows))
        return (state,)

    @override
    def combine(self, left: State, right: State) -> State:
        return (left[0] + right[0],)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return state[0].copy()


def _moments(rows: UncertainRows) -> Floats:
    """1, presence, and mean and mean square of what the row adds, (n, 4), of windows of one row each."""
    noise = np.zeros_like(rows.v) if rows.s is None else rows.s**2
    with np.errstate(under="ignore"):
        mean = (rows.p * rows.v).sum(axis=(1, 2))
        square = (rows.p * (rows.v**2 + noise)).sum(axis=(1, 2))
    return np.stack([np.ones(len(mean)), rows.presence[:, 0], mean, square], axis=-1)


def more_rows(seen: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of how many rows are still to come: negative binomial, as the rate is known by those that came.

    With n events in the share c of a Poisson process whose rate has Jeffreys' prior, it is Gamma(n + 1/2) / c, and what
    comes in the rest has the mean r (1 - c) / c and the variance r (1 - c) / c^2, r = n + 1/2.

    Args:
        seen: how many have come, (n,).
        share: c.
    """
    c = np.maximum(share, _LEAST)
    mean = (seen + _PRIOR) * (1.0 - c) / c
    return mean, mean / c


def foretold_count(columns: Sequence[Any], seen: Floats, share: Floats) -> list[Any]:
    """The distribution of a count, with the rows that are still to come."""
    column: Alternatives = columns[0]
    errors: Floats = columns[1]
    results = [
        _count(Known(values, p, float(error)), row, float(c))
        for values, p, error, row, c in zip(
            column.values, column.p, errors, seen, share, strict=True
        )
    ]
    return alternatives(results)


def _count(come: Known, seen: Floats, share: float) -> Known:
    size = int(np.flatnonzero(come.p)[-1]) + 1
    n, present = float(seen[0]), float(seen[1])
    if share >= 1.0 or present == 0.0:
        return Known(come.values[:size], come.p[:size], come.error)
    more, lost = _negative_binomial(n + _PRIOR, max(share, _LEAST), present / n)
    with np.errstate(under="ignore"):
        p = np.convolve(come.p[:size], more)
    return Known(come.values[0] + np.arange(len(p)), p, min(1.0, come.error + lost))


def _negative_binomial(r: float, share: float, present: float) -> tuple[Floats, float]:
    """How many of the rows still to come are there, each with the mean presence, (S,); and what is left out."""
    odds = share / (share + (1.0 - share) * present)
    mean = r * (1.0 - odds) / odds
    size = min(_MOST, int(mean + _REACH * (mean / odds) ** 0.5) + 32)
    k = np.arange(size)
    logs = gammaln(k + r) - gammaln(r) - gammaln(k + 1.0) + r * np.log(odds)
    with np.errstate(under="ignore"):
        p = np.exp(logs + k * np.log1p(-odds))
    total = float(p.sum())
    lost = max(0.0, 1.0 - total)
    return p / total, lost if lost > _LEAST else 0.0


def foretold_sum(columns: Sequence[Any], seen: Floats, share: Floats) -> list[Any]:
    """The normal distribution of a sum, with what is still to come: so many rows, each as those that came are on average."""
    come: Normal = columns[0]
    n = np.maximum(seen[:, 0], 1.0)
    mean, square = seen[:, 2] / n, seen[:, 3] / n
    spread = np.maximum(square - mean**2, 0.0)
    number, var = more_rows(seen[:, 0], share)
    noise = number * square + (var - number) * mean**2 + number**2 * spread / n
    return [Normal(come.mean() + number * mean, come.var() + noise), columns[1]]
