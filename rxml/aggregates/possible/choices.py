"""Which rows are highest, how many different values there are, and how many rows each key has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import require_whole
from rxml.aggregates.possible.collected import Collected
from rxml.aggregates.possible.results import alternatives, known, of_pmf, rows_of, sure
from rxml.aggregates.states import cells
from rxml.uncertain.possible.counts import count as counted
from rxml.uncertain.possible.groups import group_counts
from rxml.uncertain.possible.tops import top_k

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.reader import Reader


class TopK(Collected):
    """How likely rows are among the k highest: a list of them, the likeliest first."""

    beside: tuple[str, ...] = ("error",)

    k: int
    kept: int

    def __init__(self, *readers: Reader, k: int, kept: int, most: int) -> None:
        super().__init__(*readers, most=most)
        self.k = require_whole("k", k, 1)
        self.kept = require_whole("kept", kept, 1)

    @override
    def nothing(self) -> Any:
        return [], 0.0

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        bounds, amounts, names = columns
        return [
            self._one(bounds[at : at + 1], amounts[at : at + 1], names[at, :, 0])
            for at in range(len(bounds))
        ]

    def _one(self, bounds: NDArray[Any], amounts: NDArray[Any], names: NDArray[Any]) -> Any:
        found = top_k(rows_of(bounds, amounts), self.k)
        p = np.minimum(found.p[0], 1.0)
        order = np.argsort(-p, kind="stable")[: self.kept]
        order = order[p[order] > 0]
        rows = zip(names[order].tolist(), p[order].tolist(), strict=True)
        return [{"id": name, "p": each} for name, each in rows], float(found.error[0])

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        errors = np.array([error for _, error in results], np.float64)
        return [cells([rows for rows, _ in results]), errors]


class CountDistinct(Collected):
    """The distribution of how many different values there are."""

    beside: tuple[str, ...] = ("error",)

    @override
    def nothing(self) -> Any:
        return sure(0.0)

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        there, names = known(columns[0]), columns[1][..., 0]
        return [of_pmf(counted(_seen(p, values))) for p, values in zip(there, names, strict=True)]

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        return alternatives(results)


def _seen(p: NDArray[Any], names: NDArray[Any]) -> NDArray[Any]:
    """The probability that each different value is there, in the order in which they came first."""
    code = _codes(names.tolist())
    none = np.zeros(max(code, default=-1) + 1)
    with np.errstate(divide="ignore", under="ignore"):
        np.add.at(none, np.array(code, np.intp), np.log1p(-p))
    return -np.expm1(none)


def _codes(values: Sequence[Any]) -> list[int]:
    """A number for each value, the same for equal ones; any NaN is one value."""
    numbers: dict[Any, int] = {}
    plain = [None if value != value else value for value in values]  # noqa: PLR0124 - NaN is not itself
    return [numbers.setdefault(value, len(numbers)) for value in plain]


class CountBy(Collected):
    """How many rows each key has: a list of keys with mean, variance and an interval, in the order of the first rows."""

    level: float

    def __init__(self, *readers: Reader, level: float, most: int) -> None:
        super().__init__(*readers, most=most)
        self.level = level

    @override
    def nothing(self) -> Any:
        return []

    @override
    def alike(self, columns: Sequence[NDArray[Any]]) -> Sequence[Any]:
        there = known(columns[0])[..., np.newaxis] * columns[2]
        return [self._one(p, names) for p, names in zip(there, columns[1], strict=True)]

    def _one(self, p: NDArray[Any], names: NDArray[Any]) -> Any:
        values = names.reshape(-1).tolist()
        codes = np.array(_codes(values), np.intp)
        _, first = np.unique(codes, return_index=True)
        found = group_counts(codes.reshape(p.shape), p)
        var = np.diagonal(found.cov)
        low, high = found.pmf.interval(self.level)
        table = zip(first.tolist(), found.mean, np.maximum(var, 0.0), low, high, strict=True)
        return [
            {"key": values[at], "mean": float(m), "var": float(v), "lo": float(a), "hi": float(b)}
            for at, m, v, a, b in table
            if m > 0
        ]

    @override
    def columns_of(self, results: Sequence[Any]) -> list[Any]:
        return [cells(results)]
