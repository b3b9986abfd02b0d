"""The local level filter row by row in plain numbers: for slots that repeat, faster than arrays of one row each."""

from __future__ import annotations

from math import isinf, isnan, nan
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats
    from rxml.uncertain.pooling.slots import State

MOST: Final = 1e300
"""A variance that is as good as infinite, and is still a number."""

_WORTH: Final = 16  # a round of arrays takes as long as so many rows in plain numbers


class Seen(NamedTuple):
    """Events: their times, values and noises, (n,) each; NaN and an infinite noise where nothing was seen."""

    when: Floats
    values: Floats
    noises: Floats


def repeats(places: NDArray[np.intp]) -> bool:
    """Whether slots repeat so much that rows are taken faster one by one."""
    if len(places) < 2:
        return len(places) == 1
    _, counts = np.unique(places, return_counts=True)
    return bool(_WORTH * counts.max() > len(places))


def followed(
    state: State, codes: NDArray[np.intp], events: Seen, q: float, *, widen: bool
) -> tuple[State, State] | None:
    """What `LocalLevel` makes of events, to the last bit; None if one of them is to be refused.

    Args:
        state: mean, var and time of some slots.
        codes: (n,) which of these each event is of.
        events: n of them.
        q: variance gained in a unit of time.
        widen: whether events that come late have more noise; else they are refused.
    """
    levels = _rows(state["mean"], state["var"], state["time"])
    told: list[Any] = []
    places: list[int] = codes.tolist()
    for at, (when, y, r) in zip(places, _rows(*events), strict=True):
        mean, var, last = levels[at]
        if when < last:
            if not widen:
                return None
            r = min(r + q * (last - when), max(r, MOST))  # noqa: PLW2901 - as of now
            when = last  # noqa: PLW2901
        drift = 0.0 if isnan(last) else min(q * (when - last), MOST)
        row = _corrected(mean, var + drift, y, r)
        if row is None:
            return None
        levels[at] = row[0], row[1], when
        told.append(row)
    return _named(("mean", "var", "time"), levels), _named(_TOLD, told)


_TOLD: Final = ("mean", "var", "prior", "prior_var", "nis")


def _corrected(
    prior: float, var: float, seen: float, r: float
) -> tuple[float, float, float, float, float] | None:
    """Mean and variance after an event, those before it, and NIS."""
    if isinf(r):
        return prior + 0.0, var, prior, var, nan
    apart, total = seen - prior, var + r
    if not (total > 0 or apart == 0):
        return None
    if total == 0 or isinf(total):
        return seen, min(var, r), prior, var, nan
    k = var / total
    mean = seen if k == 1 else prior + k * apart
    return mean, var * (r / total), prior, var, apart * apart / total


def _rows(one: Floats, other: Floats, third: Floats) -> list[tuple[float, float, float]]:
    return list(zip(one.tolist(), other.tolist(), third.tolist(), strict=True))


def _named(names: tuple[str, ...], rows: list[Any]) -> State:
    table = np.array(rows, np.float64).reshape(len(rows), len(names))
    return {name: np.ascontiguousarray(table[:, at]) for at, name in enumerate(names)}
