"""How many rows there are, whether there is any, and whether there are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, require_whole
from rxml.aggregates.possible.collected import MOST, Collected
from rxml.aggregates.possible.early import Seen, foretold_count
from rxml.aggregates.possible.given import given_of
from rxml.aggregates.possible.logs import SumOfLogs
from rxml.aggregates.possible.readers import Presence
from rxml.aggregates.possible.results import alternatives, known, of_pmf, sure
from rxml.aggregates.possible.unknown import at_least_bounds, count_interval
from rxml.uncertain import Bernoulli, Interval
from rxml.uncertain.possible.counts import count as counted
from rxml.uncertain.possible.monoids import CountMonoid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.aggregates.possible.readers import Event
    from rxml.uncertain.checks import Floats

Dependence: TypeAlias = Literal["independent", "unknown", "worlds"]


def require_dependence(given: str, *admitted: str) -> None:
    """Refuse a dependence that an aggregate does not know.

    Raises:
        ValueError: it is none of those.
    """
    if given not in admitted:
        raise ValueError(f"dependence is {given!r}: give one of {', '.join(map(repr, admitted))}")


def require_known(given: Event | None, dependence: str) -> None:
    """Refuse that something is given of rows of which nothing is known.

    Raises:
        ValueError: it is.
    """
    if given is not None and dependence == "unknown":
        raise ValueError("given goes with dependence='independent', or 'worlds' where there is one")


class Count(Collected):
    """The distribution of how many rows are there."""

    beside: tuple[str, ...] = ("error",)

    early: bool

    def __init__(self, reader: Presence, *, most: int, early: bool = False) -> None:
        super().__init__(reader, most=most)
        self.early = early

    @property
    def seen(self) -> Seen:
        """What rows have come."""
        return Seen(*self.columns)

    def foretold(self, columns: Sequence[Any], seen: Floats, share: Floats) -> list[Any]:
        """With those that are still to come; see `Foretelling`."""
        return foretold_count(columns, seen, share)

    @override
    def nothing(self) -> Any:
        return sure(0.0)

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        pmf = counted(known(columns[0]))
        return [of_pmf(pmf[window]) for window in range(len(columns[0]))]

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        return alternatives(results)


class CountBounds(Collected):
    """What holds how many rows are there, however they hang together."""

    level: float

    def __init__(self, reader: Presence, level: float, most: int) -> None:
        super().__init__(reader, most=most)
        self.level = level

    @override
    def nothing(self) -> Any:
        return 0.0, 0.0

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        return [count_interval(bounds[:, 0], bounds[:, 1], self.level) for bounds in columns[0]]

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        ends = np.array(results, np.float64).reshape(len(results), 2)
        return [Interval(ends[:, 0], ends[:, 1], level=self.level)]


class Exists(SumOfLogs):
    """P(some row is there), by that of none."""

    @override
    def logs(self, values: Sequence[NDArray[Any]]) -> Floats:
        return np.asarray(np.log1p(-known(values[0])))

    @override
    def lower(self, state: State) -> Any:
        with np.errstate(under="ignore"):
            return Bernoulli(-np.expm1(state[0]) + 0.0)


class ExistsBounds(Aggregate):
    """Frechet's bounds of P(some row is there). State: the largest probability, and the sum of them, at most 1."""

    @override
    def identity(self, groups: int) -> State:
        return np.zeros(groups), np.zeros(groups)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        low, high = self.identity(groups)
        np.maximum.at(low, codes, values[0][:, 0])
        np.add.at(high, codes, values[0][:, 1])
        return low, np.minimum(high, 1.0)

    @override
    def combine(self, left: State, right: State) -> State:
        return np.maximum(left[0], right[0]), np.minimum(left[1] + right[1], 1.0)

    @override
    def lower(self, state: State) -> Any:
        return Bernoulli.between(state[0], np.maximum(state[0], state[1]))


class Having(Aggregate):
    """P(k or more rows are there), or whether it reaches a threshold. State: the distribution up to k, (k + 1,)."""

    k: int
    at_least: float | None

    def __init__(self, reader: Presence, k: int, at_least: float | None) -> None:
        super().__init__(reader)
        self.k = require_whole("k", k, 1)
        self.at_least = at_least
        self._monoid = CountMonoid(k)

    @override
    def identity(self, groups: int) -> State:
        return self._monoid.identity(groups)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        return self._monoid.lift([known(values[0])], codes, groups)

    @override
    def combine(self, left: State, right: State) -> State:
        return self._monoid.combine(left, right)

    @override
    def lower(self, state: State) -> Any:
        p = np.minimum(state[0][:, -1], 1.0)
        return Bernoulli(p) if self.at_least is None else np.asarray(p >= self.at_least)


class HavingBounds(Collected):
    """Bounds of P(k or more rows are there), however they hang together; or whether it surely reaches a threshold."""

    k: int
    at_least: float | None

    def __init__(self, reader: Presence, k: int, at_least: float | None, most: int) -> None:
        super().__init__(reader, most=most)
        self.k = require_whole("k", k, 1)
        self.at_least = at_least

    @override
    def nothing(self) -> Any:
        return 0.0, 0.0

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        return [at_least_bounds(bounds[:, 0], bounds[:, 1], self.k) for bounds in columns[0]]

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        low, high = np.array(results, np.float64).reshape(len(results), 2).T
        if self.at_least is None:
            return [Bernoulli.between(low, high)]
        return [np.asarray(low >= self.at_least)]


def having(
    k: int,
    at_least: float | None = None,
    *,
    where: Event | None = None,
    presence: str = "presence",
    dependence: Literal["independent", "unknown"] = "independent",
    given: Event | None = None,
    most: int = MOST,
) -> Aggregate:
    """HAVING COUNT >= k: how likely, as a `Bernoulli` column; or, with a threshold, whether that is likely enough.

    A window keeps k + 1 numbers, not its rows; with `dependence="unknown"` its rows, and gives sharp bounds (Rueger 1978).

    Args:
        k: at least 1.
        at_least: the probability that must be reached, within [0, 1]; the column is of booleans then. Of bounds, the lower.
        where: as for `count`.
        presence: as for `count`.
        dependence: as for `count`.
        given: as for `count`; where it cannot be, nothing is known, and not likely enough.
        most: rows of a group, for an unknown dependence.
    """
    require_dependence(dependence, "independent", "unknown")
    require_known(given, dependence)
    if at_least is not None and not 0 <= at_least <= 1:
        raise ValueError(f"at_least is {at_least}: give a probability within [0, 1]")
    reader = Presence(where, presence)
    if dependence == "unknown":
        return HavingBounds(reader, k, at_least, most)
    return given_of(Having(reader, k, at_least), given, where, presence)


def exists(
    where: Event | None = None,
    *,
    presence: str = "presence",
    dependence: Literal["independent", "unknown"] = "independent",
    given: Event | None = None,
) -> Aggregate:
    """Whether some row is there, as a `Bernoulli` column: 1 - prod (1 - p), right also for tiny p.

    A window keeps one number, or two for Frechet's bounds, max p and min(1, sum p).

    Args:
        where: as for `count`.
        presence: as for `count`.
        dependence: as for `count`; "unknown" gives bounds.
        given: as for `count`.
    """
    require_dependence(dependence, "independent", "unknown")
    require_known(given, dependence)
    kind = Exists if dependence == "independent" else ExistsBounds
    return given_of(kind(Presence(where, presence)), given, where, presence)
