"""How many rows there are, and what they come to, as it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.aggregates.possible.collected import MOST
from rxml.aggregates.possible.counts import (
    Count,
    CountBounds,
    require_dependence,
    require_known,
)
from rxml.aggregates.possible.drawn import There
from rxml.aggregates.possible.given import given_of
from rxml.aggregates.possible.readers import Amounts, Presence
from rxml.aggregates.possible.sums import Average, NormalSum, Sum, SumBounds, require_level
from rxml.aggregates.possible.weighed import weighed
from rxml.aggregates.possible.worlds import by_world

if TYPE_CHECKING:
    from rxml.aggregates.aggregate import Aggregate, Column
    from rxml.aggregates.possible.counts import Dependence
    from rxml.aggregates.possible.readers import Event
    from rxml.aggregates.possible.sums import Method


def count(
    where: Event | None = None,
    *,
    presence: str = "presence",
    dependence: Dependence = "independent",
    given: Event | None = None,
    level: float = 0.9,
    early: bool = False,
    most: int = MOST,
) -> Aggregate:
    """How many rows there are: the Poisson binomial distribution, as `Alternatives`, and `NAME_error`.

    Args:
        where: counts only rows for which this holds: a column of events, booleans or probabilities, or a function from a
            batch to one, such as `lambda b: b["celsius"] > 30`. Where it looks at the values that are aggregated, these
            are weighed with it, or refused: see "Values that say where they count" in docs/uncertainty.md.
        presence: the column that says how likely a row is there; rows without it are.
        dependence: "independent"; "unknown", which gives an `Interval` that holds the count with the probability
            `level` or more, however the rows hang together; or "worlds", for presence found in worlds, which gives `Worlds`.
        given: an event, as `where`, that is known to hold of every row that is there: the result is over the worlds in which
            it does, and `NAME_given` is the probability of them. See "Given an event" in docs/uncertainty.md.
        level: within (0, 1); for an unknown dependence.
        early: counts in what windows tell before they end, with `emit=early(period)`, what may still come: how many rows
            of a window are outstanding follows from how far behind the newest event time elements have come so far, and
            from the rate of those that are there. So the answer is wide at first, and narrows until the window is complete.
        most: rows of a group; one more is a BufferOverflowError.

    Raises:
        ValueError: an argument out of its range.
    """
    require_dependence(dependence, "independent", "unknown", "worlds")
    require_known(given, dependence)
    require_level(level)
    _require_early(early, dependence == "independent", given, "dependence='independent'")
    if dependence == "worlds":
        return by_world("count", None, There(where, presence), given, most)
    reader = Presence(where, presence)
    if dependence == "unknown":
        return CountBounds(reader, level, most)
    return given_of(Count(reader, most=most, early=early), given, where, presence)


def sum(  # noqa: A001, PLR0913 - what it is; named options
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Dependence = "independent",
    given: Event | None = None,
    method: Method = "auto",
    step: float = 1.0,
    level: float = 0.9,
    early: bool = False,
    most: int = MOST,
) -> Aggregate:
    """The distribution of the sum, and `NAME_error`, how far its probabilities may be off: 0 for an exact one.

    `method="auto"` and "exact" give `Alternatives`: exact for known multiples of `step` where that is feasible; else cut to
    some hundred values on a grid, with the likeliest one for an error, or by three moments, with a bound on the error, and with
    the exact mean and variance. "normal" gives a `Normal` of the
    same mean and variance with Berry and Esseen's bound, for which a window keeps four numbers and not its rows.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        dependence: as for `count`; "unknown" gives an `Interval` by Chebyshev's inequality, "worlds" goes with `Worlds`.
        given: as for `count`.
        method: see above; for independent rows.
        step: what "exact" values are multiples of, above 0.
        level: as for `count`.
        early: as for `count`; with method="normal".
        most: as for `count`; not used by "normal".

    Raises:
        ValueError: an argument out of its range.
    """
    require_dependence(dependence, "independent", "unknown", "worlds")
    require_known(given, dependence)
    require_level(level)
    if method not in {"auto", "exact", "normal"} or not step > 0:
        text = f"method is {method!r} and step {step!r}"
        raise ValueError(f"{text}: give 'auto', 'exact' or 'normal', and a step above 0")
    fits = method == "normal" and dependence == "independent"
    _require_early(early, fits, given, "method='normal'")
    if dependence == "worlds":
        return by_world("sum", column, There(where, presence), given, most)
    readers = weighed(where, presence, Amounts(column), given)
    if dependence == "unknown":
        return SumBounds(readers, level, most)
    normal = method == "normal"
    found = NormalSum(*readers, early=early) if normal else Sum(readers, method, step, most)
    return given_of(found, given, where, presence)


def _require_early(early: bool, fits: bool, given: Event | None, wanted: str) -> None:  # noqa: FBT001
    if early and not fits:
        raise ValueError(f"early=True goes with {wanted}")
    if early and given is not None:
        raise ValueError("early=True does not go with given: nothing is known of rows to come")


def average(
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    given: Event | None = None,
    most: int = MOST,
) -> Aggregate:
    """The mean of the rows that are there, given that there are some, as a `Normal` of its exact mean and variance.

    Beside it `NAME_error`, how far the mean may be off, and `NAME_exists`, the probability that there is a row.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        given: as for `count`.
        most: as for `count`.
    """
    found = Average(*weighed(where, presence, Amounts(column), given), most=most)
    return given_of(found, given, where, presence)
