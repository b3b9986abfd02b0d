"""The oracle for what is given: all worlds of a few rows at once, as arrays, and those in which all rows agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.unit.uncertain.possible.enumeration import close

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain import Alternatives

Floats = Any


@dataclass(frozen=True)
class Case:
    """One of the things that a row may be: how likely, whether it agrees, and its value, None where it does not count."""

    chance: float
    agrees: bool
    value: float | None


class Conditioned:
    """All worlds of rows, weighed by their probability given that all agree.

    Attributes:
        chance: that all rows agree.
        p: of each world given that, (W,); of no use where it cannot be.
        there: which rows count in each, (W, n).
        v: what they are worth, (W, n).
    """

    def __init__(self, chance: Floats, agrees: Floats, there: Floats, v: Floats) -> None:
        joint = np.where(agrees, chance, 0.0)
        self.chance = float(joint.sum())
        self.p = joint / self.chance if self.chance > 0 else joint
        self.there, self.v = there, v

    @classmethod
    def of(cls, rows: list[list[Case]]) -> Conditioned:
        """All worlds of independent rows."""
        grid = np.indices([len(row) for row in rows]).reshape(len(rows), -1)
        chance, agrees, there, v = (
            np.array([np.array(column)[at] for column, at in zip(columns, grid, strict=True)])
            for columns in (
                [[case.chance for case in row] for row in rows],
                [[case.agrees for case in row] for row in rows],
                [[case.value is not None for case in row] for row in rows],
                [[case.value or 0.0 for case in row] for row in rows],
            )
        )
        with np.errstate(under="ignore"):
            return cls(chance.prod(axis=0), agrees.all(axis=0), there.T, v.T)

    def count(self) -> Floats:
        return self.there.sum(axis=1).astype(np.float64)

    def total(self) -> Floats:
        return np.where(self.there, self.v, 0.0).sum(axis=1)

    def rank(self, q: float) -> Floats:
        """The value of the rank ceil(q N); NaN without rows."""
        ordered = np.sort(np.where(self.there, self.v, np.inf), axis=1)
        place = np.maximum(np.ceil(q * self.count()).astype(int) - 1, 0)
        found = np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]
        return np.where(self.there.any(axis=1), found, np.nan)

    def different(self) -> Floats:
        values = np.unique(self.v)
        seen = [(self.there & (self.v == value)).any(axis=1) for value in values]
        return np.sum(seen, axis=0).astype(np.float64)

    def among(self, k: int) -> Floats:
        """How likely each row is among the k highest."""
        order = np.argsort(np.where(self.there, -self.v, np.inf), axis=1, kind="stable")[:, :k]
        highest = np.zeros_like(self.there)
        np.put_along_axis(highest, order, values=True, axis=1)
        return self.p @ (highest & self.there)

    def probability(self, holds: NDArray[Any]) -> float:
        return float(self.p[holds].sum())

    def require(self, got: Alternatives, values: Floats) -> None:
        """That these are alternatives of just these values, with their probabilities, to 1e-12; NaN is that there is none."""
        known = ~np.isnan(values)
        table = dict.fromkeys(values[known].tolist(), 0.0)
        for value, p in zip(got.values.tolist(), got.p.tolist(), strict=True):
            if p:
                table[value] = table.get(value, 0.0) + p
        for value, p in table.items():
            close(p, self.probability(known & (values == value)))

    def require_average(self, row: Any, name: str) -> None:
        some = self.there.any(axis=1)
        exists = self.probability(some)
        close(row[f"{name}_exists"], exists)
        if exists < 1e-12:
            return
        mean = self.total()[some] / self.count()[some]
        weights = self.p[some] / exists
        centre = float(weights @ mean)
        close(row[name].mean(), centre, 10)
        close(row[name].var(), float(weights @ (mean - centre) ** 2), 10)
