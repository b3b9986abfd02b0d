"""Distinct values world by world in windows that are too large to keep their rows: a HyperLogLog for each world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import require_whole
from rxml.aggregates.distinct import estimates, registers
from rxml.aggregates.hashing import hashed
from rxml.aggregates.held import Held
from rxml.aggregates.possible.drawn import Drawn, InWorlds
from rxml.aggregates.possible.worlds import column_of, draws_of
from rxml.errors import DistributionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import State
    from rxml.aggregates.possible.drawn import There

Sketches: TypeAlias = "tuple[NDArray[Any], NDArray[Any]]"
"""Registers (W, 2**precision), or (1, ...) while all is alike in all worlds, and which draws the worlds are, (1, k)."""


class DistinctInWorlds(Held):
    """About how many different values each world's rows have. State: an object for each group, `Sketches`.

    Args:
        there: in which worlds rows are.
        values: what they are worth in each.
        precision: as in `rxml.aggregates.distinct`.
    """

    precision: int

    def __init__(self, there: There, values: InWorlds, precision: int) -> None:
        super().__init__(there, values, Drawn(there, values.column))
        self.precision = require_whole("precision", precision, 4, 18)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        order = np.argsort(codes, kind="stable")
        there, worth, draws = (each[order] for each in values)

        def made(rows: slice) -> Sketches:
            return self._sketched(there[rows], worth[rows]), _one_key(draws[rows])

        return self.held(codes, groups, made)

    def _sketched(self, there: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        there, values = np.broadcast_arrays(there, values)
        row, world = np.nonzero(there)
        hashes = hashed(self.columns[1], values[row, world])
        return registers(hashes, world, there.shape[1], self.precision)

    @override
    def merged(self, early: Any, late: Any) -> Sketches:
        (one, draws), (other, others) = early, late
        worlds = {len(one), len(other)} - {1}
        if len(worlds) > 1:
            text = " and ".join(map(str, sorted(worlds)))
            raise DistributionError(f"rows have {text} worlds: draw them together")
        both = [np.asarray(each) for each in (draws, others)]
        known = [each for each in both if each.size]
        return np.maximum(one, other), _one_key(np.concatenate(known)) if known else both[0]

    @override
    def lower(self, state: State) -> Any:
        return column_of([self._told(held) for held in state[0]])

    def _told(self, held: Any) -> tuple[NDArray[Any], tuple[int, ...]]:
        if held is None:
            return np.zeros(1), ()
        sketches, draws = (np.asarray(each) for each in held)
        return estimates(sketches, self.precision).astype(np.float64), draws_of(draws)


def _one_key(draws: NDArray[Any]) -> NDArray[Any]:
    """The key that all rows have, (1, k), or none, (1, 0).

    Raises:
        DistributionError: they are of different draws.
    """
    return np.array([draws_of(draws)], np.uint64)
