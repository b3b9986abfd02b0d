"""Spans: the first and the last event time of rows, for windows that have no span of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.flow.chunk import FOREVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Fold, State


class Oldest(Aggregate):
    """The first event time. State: int64."""

    exact: ClassVar[bool] = True
    nearer: ClassVar[np.ufunc] = np.minimum
    none: ClassVar[int] = FOREVER

    @override
    def identity(self, groups: int) -> State:
        return (np.full(groups, self.none, np.int64),)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        state = self.identity(groups)
        self.nearer.at(state[0], codes, times)
        return state

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        def fold(state: State, places: NDArray[np.intp]) -> None:
            self.nearer.at(state[0], places, times)

        return fold

    @override
    def combine(self, left: State, right: State) -> State:
        return (self.nearer(left[0], right[0]),)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return state[0].copy()


class Newest(Oldest):
    """The last event time. State: int64."""

    nearer: ClassVar[np.ufunc] = np.maximum
    none: ClassVar[int] = -FOREVER
