"""Extremes, quantiles, choices and fusion of rows, as they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rxml.aggregates.possible.choices import CountBy, CountDistinct, TopK
from rxml.aggregates.possible.collected import MOST
from rxml.aggregates.possible.counts import require_dependence
from rxml.aggregates.possible.drawn import InWorlds, There
from rxml.aggregates.possible.fusing import Fuse
from rxml.aggregates.possible.given import given_of
from rxml.aggregates.possible.orders import Max, Min, Quantile
from rxml.aggregates.possible.readers import Amounts, Chances, Facts, Names, Presence
from rxml.aggregates.possible.sketched import DistinctInWorlds
from rxml.aggregates.possible.sums import require_level
from rxml.aggregates.possible.weighed import weighed
from rxml.aggregates.possible.worlds import by_world

if TYPE_CHECKING:
    from rxml.aggregates.aggregate import Aggregate, Column
    from rxml.aggregates.possible.fusing import Fusion
    from rxml.aggregates.possible.readers import Event


def max(  # noqa: A001 - what it is
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Literal["independent", "worlds"] = "independent",
    given: Event | None = None,
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
        given: as for `count`.
        most: as for `count`.
    """
    require_dependence(dependence, "independent", "worlds")
    if dependence == "worlds":
        return by_world("max", column, There(where, presence), given, most)
    found = Max(*weighed(where, presence, Amounts(column), given), most=most)
    return given_of(found, given, where, presence)


def min(  # noqa: A001 - what it is
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Literal["independent", "worlds"] = "independent",
    given: Event | None = None,
    most: int = MOST,
) -> Aggregate:
    """The smallest value; as `max`, and inf in worlds without rows.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        dependence: as for `max`.
        given: as for `count`.
        most: as for `count`.
    """
    require_dependence(dependence, "independent", "worlds")
    if dependence == "worlds":
        return by_world("min", column, There(where, presence), given, most)
    found = Min(*weighed(where, presence, Amounts(column), given), most=most)
    return given_of(found, given, where, presence)


def quantile(
    column: Column,
    q: float,
    *,
    where: Event | None = None,
    presence: str = "presence",
    given: Event | None = None,
    most: int = MOST,
) -> Aggregate:
    """The quantile of the rows that are there, of the rank ceil(q N) ("inverted_cdf" of numpy); results as of `max`.

    Args:
        column: of values.
        q: within (0, 1].
        where: as for `count`.
        presence: as for `count`.
        given: as for `count`.
        most: as for `count`; a window of n rows costs n^3 times the denominator of q.

    Raises:
        ValueError: q is no such fraction.
    """
    found = Quantile(*weighed(where, presence, Amounts(column), given), q=q, most=most)
    return given_of(found, given, where, presence)


def median(
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    given: Event | None = None,
    most: int = MOST,
) -> Aggregate:
    """The lower median; `quantile` of 1 / 2.

    Args:
        column: of values.
        where: as for `count`.
        presence: as for `count`.
        given: as for `count`.
        most: as for `count`.
    """
    return quantile(column, 0.5, where=where, presence=presence, given=given, most=most)


def top_k(
    column: Column,
    k: int,
    *,
    id: Column,  # noqa: A002 - what it is
    kept: int | None = None,
    where: Event | None = None,
    presence: str = "presence",
    given: Event | None = None,
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
        given: as for `count`.
        most: as for `count`.
    """
    readers = *weighed(where, presence, Amounts(column), given), Facts(id)
    found = TopK(*readers, k=k, kept=2 * k if kept is None else kept, most=most)
    return given_of(found, given, where, presence)


def count_distinct(
    column: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Literal["independent", "worlds"] = "independent",
    precision: int | None = None,
    given: Event | None = None,
    most: int = MOST,
) -> Aggregate:
    """How many different values there are, as `Alternatives`, and `NAME_error`; in worlds, as `Worlds`.

    In worlds, with a `precision`, a window keeps no rows but a HyperLogLog for each world, and tells about how many there are, with a
    standard error of 1.04 / sqrt(2**precision); see `rxml.aggregates.distinct`.

    Args:
        column: of known values: numbers, text or others that can be compared; in worlds, of worlds or numbers.
        where: as for `count`.
        presence: as for `count`.
        dependence: "independent" or "worlds".
        precision: log2 of the bytes that a world of a window takes, from 4 to 18; None for exact counts of rows that are kept.
        given: as for `count`; not with a precision.
        most: as for `count`; not used with a precision.

    Raises:
        ValueError: an argument out of its range, or that does not go with others.
    """
    require_dependence(dependence, "independent", "worlds")
    there = There(where, presence)
    if precision is not None:
        if dependence != "worlds" or given is not None:
            raise ValueError("precision goes with dependence='worlds', and without given")
        return DistinctInWorlds(there, InWorlds(column), precision)
    if dependence == "worlds":
        return by_world("distinct", column, there, given, most)
    found = CountDistinct(Presence(where, presence), Facts(column), most=most)
    return given_of(found, given, where, presence)


def count_by(
    key: Column,
    *,
    where: Event | None = None,
    presence: str = "presence",
    given: Event | None = None,
    level: float = 0.9,
    most: int = MOST,
) -> Aggregate:
    """How many rows each key has, where keys are uncertain too: a list of `{"key", "mean", "var", "lo", "hi"}`.

    `lo` to `hi` holds the key's count with the probability `level` or more. Keys stand in the order of their first rows.

    Args:
        key: the column: `Categorical`, `Alternatives`, or plain values.
        where: as for `count`.
        presence: as for `count`.
        given: as for `count`.
        level: within (0, 1).
        most: as for `count`.

    Raises:
        ValueError: an argument out of its range.
    """
    require_level(level)
    there, chances = weighed(where, presence, Chances(key), given)
    readers = there, Names(key), chances
    return given_of(CountBy(*readers, level=level, most=most), given, where, presence)


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
