"""The aggregates over possible worlds, as they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rxml.aggregates.possible.choices import CountBy, CountDistinct, TopK
from rxml.aggregates.possible.collected import MOST
from rxml.aggregates.possible.counts import Count, CountBounds, require_dependence
from rxml.aggregates.possible.fusing import Fuse
from rxml.aggregates.possible.orders import Max, Min, Quantile
from rxml.aggregates.possible.readers import (
    Amounts,
    Chances,
    Drawn,
    InWorlds,
    Names,
    Presence,
    There,
)
from rxml.aggregates.possible.sums import Average, NormalSum, Sum, SumBounds, require_level
from rxml.aggregates.possible.worlds import ByWorld

if TYPE_CHECKING:
    from rxml.aggregates.aggregate import Aggregate, Column
    from rxml.aggregates.possible.counts import Dependence
    from rxml.aggregates.possible.fusing import Fusion
    from rxml.aggregates.possible.readers import Event
    from rxml.aggregates.possible.sums import Method


def count(
    where: Event | None = None,
    *,
    presence: str = "presence",
    dependence: Dependence = "independent",
    level: float = 0.9,
    most: int = MOST,
) -> Aggregate:
    """How many rows there are: the Poisson binomial distribution, as `Alternatives`, and `NAME_error`.

    Args:
        where: counts only rows for which this holds: a column of events, booleans or probabilities, or a function from a
            batch to one, such as `lambda b: b["celsius"] > 30`.
        presence: the column that says how likely a row is there; rows without it are.
        dependence: "independent"; "unknown", which gives an `Interval` that holds the count with the probability
            `level` or more, however the rows hang together; or "worlds", for presence found in worlds, which gives `Worlds`.
        level: within (0, 1); for an unknown dependence.
        most: rows of a group; one more is a BufferOverflowError.

    Raises:
        ValueError: an argument out of its range.
    """
    require_dependence(dependence, "independent", "unknown", "worlds")
    require_level(level)
    if dependence == "worlds":
        there = There(where, presence)
        return ByWorld("count", there, Drawn(there), most=most)
    reader = Presence(where, presence)
    if dependence == "unknown":
        return CountBounds(reader, level, most)
    return Count(reader, most=most)


def sum(  # noqa: A001 - what it is
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Dependence = "independent",
    method: Method = "auto",
    step: float = 1.0,
    level: float = 0.9,
    most: int = MOST,
) -> Aggregate:
    """The distribution of the sum, and `NAME_error`, a bound on how far its probabilities may be off.

    `method="auto"` and "exact" give `Alternatives`: exact for known multiples of `step` where that is feasible; else cut to
    some hundred values on a grid, or by three moments, with the exact mean and variance. "normal" gives a `Normal` of the
    same mean and variance with Berry and Esseen's bound, for which a window keeps four numbers and not its rows.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        dependence: as for `count`; "unknown" gives an `Interval` by Chebyshev's inequality, "worlds" goes with `Worlds`.
        method: see above; for independent rows.
        step: what "exact" values are multiples of, above 0.
        level: as for `count`.
        most: as for `count`; not used by "normal".

    Raises:
        ValueError: an argument out of its range.
    """
    require_dependence(dependence, "independent", "unknown", "worlds")
    require_level(level)
    if method not in {"auto", "exact", "normal"} or not step > 0:
        text = f"method is {method!r} and step {step!r}"
        raise ValueError(f"{text}: give 'auto', 'exact' or 'normal', and a step above 0")
    if dependence == "worlds":
        return _by_world("sum", column, where, presence, most)
    readers = Presence(where, presence), Amounts(column)
    if dependence == "unknown":
        return SumBounds(readers, level, most)
    return NormalSum(*readers) if method == "normal" else Sum(readers, method, step, most)


def _by_world(way: str, column: Column, where: Event | None, presence: str, most: int) -> Aggregate:
    there = There(where, presence)
    return ByWorld(way, there, InWorlds(column), Drawn(there, column), most=most)


def average(
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    most: int = MOST,
) -> Aggregate:
    """The mean of the rows that are there, given that there are some, as a `Normal` of its exact mean and variance.

    Beside it `NAME_error`, how far the mean may be off, and `NAME_exists`, the probability that there is a row.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        most: as for `count`.
    """
    return Average(Presence(where, presence), Amounts(column), most=most)


def max(  # noqa: A001 - what it is
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Literal["independent", "worlds"] = "independent",
    most: int = MOST,
) -> Aggregate:
    """The largest value, as `Alternatives` whose missing probability is that of no row, and `NAME_error`.

    Exact over the values of the rows where these are known. Else cut to some hundred values, at each of which the
    distribution function is exact.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        dependence: "independent" or "worlds"; in worlds without rows it is -inf.
        most: as for `count`.
    """
    require_dependence(dependence, "independent", "worlds")
    if dependence == "worlds":
        return _by_world("max", column, where, presence, most)
    return Max(Presence(where, presence), Amounts(column), most=most)


def min(  # noqa: A001 - what it is
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Literal["independent", "worlds"] = "independent",
    most: int = MOST,
) -> Aggregate:
    """The smallest value; as `max`, and inf in worlds without rows.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        dependence: as for `max`.
        most: as for `count`.
    """
    require_dependence(dependence, "independent", "worlds")
    if dependence == "worlds":
        return _by_world("min", column, where, presence, most)
    return Min(Presence(where, presence), Amounts(column), most=most)


def quantile(
    column: Column,
    q: float,
    *,
    where: Event | None = None,
    presence: str = "presence",
    most: int = MOST,
) -> Aggregate:
    """The quantile of the rows that are there, of the rank ceil(q N) ("inverted_cdf" of numpy); results as of `max`.

    Args:
        column: of values.
        q: within (0, 1].
        where: as for `count`.
        presence: as for `count`.
        most: as for `count`; a window of n rows costs n^3 times the denominator of q.

    Raises:
        ValueError: q is no such fraction.
    """
    return Quantile(Presence(where, presence), Amounts(column), q=q, most=most)


def median(
    column: Column, *, where: Event | None = None, presence: str = "presence", most: int = MOST
) -> Aggregate:
    """The lower median; `quantile` of 1 / 2.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        most: as for `count`.
    """
    return quantile(column, 0.5, where=where, presence=presence, most=most)


def top_k(
    column: Column,
    k: int,
    *,
    id: Column,  # noqa: A002 - what it is
    kept: int | None = None,
    where: Event | None = None,
    presence: str = "presence",
    most: int = MOST,
) -> Aggregate:
    """How likely rows are among the k highest: a list of `{"id": ..., "p": ...}`, the likeliest first, and `NAME_error`.

    Args:
        column: of values.
        k: at least 1.
        id: the column that names rows.
        kept: how many are told, at least 1; 2 k if left out.
        where: as for `count`.
        presence: as for `count`.
        most: as for `count`.
    """
    readers = Presence(where, presence), Amounts(column), Names(id)
    return TopK(*readers, k=k, kept=2 * k if kept is None else kept, most=most)


def count_distinct(
    column: Column, *, where: Event | None = None, presence: str = "presence", most: int = MOST
) -> Aggregate:
    """How many different values there are, as `Alternatives`, and `NAME_error`.

    Args:
        column: of known values: numbers, text or others that can be compared.
        where: as for `count`.
        presence: as for `count`.
        most: as for `count`.
    """
    return CountDistinct(Presence(where, presence), Names(column), most=most)


def count_by(
    key: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    level: float = 0.9,
    most: int = MOST,
) -> Aggregate:
    """How many rows each key has, where keys are uncertain too: a list of `{"key", "mean", "var", "lo", "hi"}`.

    `lo` to `hi` holds the key's count with the probability `level` or more. Keys stand in the order of their first rows.

    Args:
        key: the column: `Categorical`, `Alternatives`, or plain values.
        where: as for `count`.
        presence: as for `count`.
        level: within (0, 1).
        most: as for `count`.

    Raises:
        ValueError: an argument out of its range.
    """
    require_level(level)
    readers = Presence(where, presence), Names(key), Chances(key)
    return CountBy(*readers, level=level, most=most)


def fuse(
    column: Column,
    *,
    method: Fusion = "hksj",
    level: float = 0.9,
    presence: str = "presence",
    most: int = MOST,
) -> Aggregate:
    """One quantity that all rows have measured, as an `Interval`; a row that may be absent counts by its probability.

    Beside it `NAME_mean`, `NAME_var`, `NAME_tau2` (variance between the sensors) and `NAME_k` (how many tell anything).

    Args:
        column: of estimates, `Normal` as a rule; with plain numbers all are facts, which must agree.
        method: "hksj" for sensors that may be biased (DerSimonian and Laird, with the interval of Hartung and Knapp), "ivw"
            for errors that are independent (inverse variance), "intersection" for errors that may depend in any way.
        level: within (0, 1).
        presence: as for `count`.
        most: as for `count`.

    Raises:
        ValueError: an argument out of its range.
    """
    require_level(level)
    if method not in {"hksj", "ivw", "intersection"}:
        raise ValueError(f"method is {method!r}: give 'hksj', 'ivw' or 'intersection'")
    return Fuse(Presence(None, presence), Amounts(column), method, level, most)
