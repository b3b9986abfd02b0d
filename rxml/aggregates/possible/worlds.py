"""Aggregates world by world: whatever rows have to do with each other is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.aggregates.possible.collected import Collected
from rxml.aggregates.possible.drawn import Agreeing, Drawn, InWorlds, There
from rxml.aggregates.possible.results import Known, alternatives, sure
from rxml.errors import DistributionError
from rxml.uncertain import Worlds
from rxml.uncertain.possible.logic import given_worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Aggregate, Column
    from rxml.aggregates.possible.readers import Event
    from rxml.aggregates.reader import Reader


def _count(_: NDArray[Any], there: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(there.sum(axis=1))


def _sum(values: NDArray[Any], there: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.where(there > 0, values, 0.0).sum(axis=1))


def _max(values: NDArray[Any], there: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.where(there > 0, values, -np.inf).max(axis=1, initial=-np.inf))


def _min(values: NDArray[Any], there: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.where(there > 0, values, np.inf).min(axis=1, initial=np.inf))


def _distinct(values: NDArray[Any], there: NDArray[Any]) -> NDArray[Any]:
    """Any NaN is one value."""
    ordered = np.sort(np.where(there > 0, values, np.nan), axis=1)  # what is absent comes last
    new = np.ones(ordered.shape, np.bool_)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    several = (new & ~np.isnan(ordered)).sum(axis=1)
    return np.asarray(several + (np.isnan(values) & (there > 0)).any(axis=1), np.float64)


_WAYS: Final[Mapping[str, Callable[..., NDArray[Any]]]] = {
    "count": _count,
    "sum": _sum,
    "max": _max,
    "min": _min,
    "distinct": _distinct,
}
_TOTALS: Final = ("count", "sum", "distinct")
"""Ways that come to something in worlds without rows as well."""


class ByWorld(Collected):
    """What each world's rows come to, as worlds of the same draws; without rows the largest is -inf, the smallest inf.

    Args:
        way: "count", "sum", "max", "min" or "distinct".
        readers: of presence, values (but for "count") and of which draws these are.
        most: as in `Collected`.
    """

    way: str

    def __init__(self, way: str, *readers: Reader, most: int) -> None:
        super().__init__(*readers, most=most)
        self.way = way

    @override
    def widened(self, array: NDArray[Any], most: int) -> NDArray[Any]:
        if array.shape[1] > 1:
            text = f"rows have {array.shape[1]} worlds, and others have {most}"
            raise DistributionError(f"{text}: draw them together")
        if not array.shape[1]:
            return np.zeros((len(array), most), array.dtype)
        return np.repeat(array, most, axis=1)

    @override
    def nothing(self) -> Any:
        return _WAYS[self.way](np.zeros((1, 0, 1)), np.zeros((1, 0, 1)))[0], ()

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        there, values = columns[0], columns[-2]
        found = _WAYS[self.way](*np.broadcast_arrays(values, there))
        return [(each, draws_of(key)) for each, key in zip(found, columns[-1], strict=True)]

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        return [column_of(results)]


def column_of(results: Sequence[tuple[NDArray[Any], tuple[int, ...]]]) -> Worlds:
    """What windows come to in each world, (W,) or (1,), and of which draws, as a column.

    Raises:
        DistributionError: they are of different draws.
    """
    keys = {key for _, key in results if key}
    if len(keys) > 1:
        raise DistributionError("windows hold rows of different draws: draw all with one seed")
    most = max((len(each) for each, _ in results), default=1)
    table = [np.broadcast_to(each, (most,)) for each, _ in results]
    values = np.stack(table, axis=1) if table else np.zeros((1, 0))
    return Worlds(values, world=_key(keys.pop()) if keys else None)


def _key(draws: tuple[int, ...]) -> NDArray[np.uint64]:
    """As `Draws.key` has it."""
    key = np.array(draws[1:], np.uint64)
    return key.reshape(()) if len(key) == 1 else key


def draws_of(keys: NDArray[Any]) -> tuple[int, ...]:
    """Which draws rows are of, (n, k); those without any go with all.

    Raises:
        DistributionError: they are of different ones.
    """
    found = {tuple(row) for row in keys.tolist() if any(row)}
    if len(found) > 1:
        raise DistributionError("a window holds rows of different draws: draw all with one seed")
    return found.pop() if found else ()


class GivenWorlds(ByWorld):
    """What the rows of each world that agrees come to, as alternatives, and beside it the share of such worlds.

    Windows have other worlds left, so they are no column of worlds any more. What is missing is that there is no value.

    Args:
        way: as in `ByWorld`.
        readers: of which worlds agree, and then as in `ByWorld`.
        most: as in `Collected`.
    """

    beside: tuple[str, ...] = ("given",)

    @override
    def nothing(self) -> Any:
        return (sure(0.0) if self.way in _TOTALS else Known(np.zeros(1), np.zeros(1), 0.0)), 1.0

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        agrees, there = (np.asarray(each, np.bool_) for each in columns[:2])
        every = np.asarray(agrees.all(axis=1))
        some = np.asarray(there.any(axis=1)) | (self.way in _TOTALS)
        found = zip(super().alike(columns[1:]), every, some, strict=True)
        return [self._one(*np.broadcast_arrays(values, *which)) for (values, _), *which in found]

    def _one(self, values: NDArray[Any], agrees: NDArray[Any], told: NDArray[Any]) -> Any:
        logw, likely = given_worlds(agrees)
        kept = agrees & told
        with np.errstate(under="ignore"):
            weights = np.exp(logw[kept])
        different, code = np.unique(values[kept], return_inverse=True)
        p = np.minimum(np.bincount(code, weights, len(different)), 1.0)
        return Known(different.astype(np.float64), p, 0.0), float(likely)

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        column, _ = alternatives([known for known, _ in results])
        return [column, np.array([likely for _, likely in results], np.float64)]


def by_world(
    way: str, column: Column | None, there: There, given: Event | None, most: int
) -> Aggregate:
    """What each world's rows come to in one of these ways; without a column how many there are."""
    values = [] if column is None else [InWorlds(column)]
    if given is None:
        return ByWorld(way, there, *values, Drawn(there, column), most=most)
    agreeing = Agreeing(there, given)
    drawn = Drawn(there, column, agreeing)
    return GivenWorlds(way, agreeing, there, *values, drawn, most=most)
