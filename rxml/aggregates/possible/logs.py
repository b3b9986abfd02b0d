"""Logs: aggregates whose state is a sum of logarithms of probabilities."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Fold, State
    from rxml.uncertain.checks import Floats


class SumOfLogs(Aggregate):
    """What rows have in common, independent of one another. State: the sum of their logarithms, float64."""

    @abstractmethod
    def logs(self, values: Sequence[NDArray[Any]]) -> Floats:
        """The logarithm of each row; -infinity, and no more, where it cannot be."""

    @override
    def identity(self, groups: int) -> State:
        return (np.zeros(groups),)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        state = self.identity(groups)
        self.folding(values, times)(state, codes)
        return state

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        """As any, without rounds: `ufunc.at` adds row by row, in their order."""
        with np.errstate(divide="ignore", under="ignore"):
            logs = self.logs(values)

        def fold(state: State, places: NDArray[np.intp]) -> None:
            np.add.at(state[0], places, logs)

        return fold

    @override
    def combine(self, left: State, right: State) -> State:
        return (left[0] + right[0],)
