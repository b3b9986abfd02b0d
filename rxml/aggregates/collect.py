"""All values of a group, in the order of event time, up to a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, require_whole, shown
from rxml.aggregates.folding import at_once
from rxml.aggregates.states import cells
from rxml.aggregates.values import objects
from rxml.errors import BufferOverflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, Fold, State


class Collect(Aggregate):
    """The values themselves. State: an object for each group, (times, values) in order; None without rows."""

    exact: ClassVar[bool] = True
    fallible: ClassVar[bool] = True

    most: int

    def __init__(self, column: Column, most: int) -> None:
        super().__init__(column)
        self.most = require_whole("most", most, 1)

    @override
    def identity(self, groups: int) -> State:
        return (np.empty(groups, object),)

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        order = np.lexsort((times, codes))
        found, when = objects(values[0][order]), times[order].tolist()
        (result,) = self.identity(groups)
        start = 0
        for group, end in enumerate(np.cumsum(np.bincount(codes, minlength=groups)).tolist()):
            if end > start:
                self._require(end - start)
                result[group] = tuple(when[start:end]), tuple(found[start:end])
            start = end
        return (result,)

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        """As any; but no value is refused, and so none need be looked at before: the bound is one of groups."""

        def fold(state: State, places: NDArray[np.intp]) -> None:
            at_once(self, values, times, state, places)

        return fold

    @override
    def combine(self, left: State, right: State) -> State:
        result = left[0].copy()
        for group, late in enumerate(right[0]):
            if late is not None:
                early = result[group]
                result[group] = late if early is None else self._merged(early, late)
        return (result,)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return cells([] if held is None else list(held[1]) for held in state[0])

    def _merged(self, left: Any, right: Any) -> Any:
        self._require(len(left[0]) + len(right[0]))
        times, values = (*left[0], *right[0]), (*left[1], *right[1])
        if left[0][-1] <= right[0][0]:
            return times, values
        order = sorted(range(len(times)), key=times.__getitem__)
        return tuple(times[row] for row in order), tuple(values[row] for row in order)

    def _require(self, held: int) -> None:
        if held > self.most:
            text = f"a group has {held} values of column {shown(self.columns[0])}, and collect"
            raise BufferOverflowError(
                f"{text} may hold {self.most}: raise `most`, or aggregate them"
            )


def collect(column: Column, most: int = 10_000) -> Aggregate:
    """All values of a column, as a list for each group, in the order of event time.

    Of equal times the row that came first is first. A group without rows has an empty list.

    Args:
        column: whose values are given, None too.
        most: how many values a group may have, at least 1; one more is a BufferOverflowError, never a loss.
    """
    return Collect(column, most)
