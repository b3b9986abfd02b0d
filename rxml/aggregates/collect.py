"""All values of a group, in the order of event time, up to a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, require_whole, shown
from rxml.aggregates.held import Held
from rxml.aggregates.states import cells
from rxml.aggregates.values import objects
from rxml.errors import BufferOverflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, State


class Collect(Held):
    """The values themselves. State: an object for each group, (times, values) in order; None without rows."""

    most: int

    def __init__(self, column: Column, most: int) -> None:
        super().__init__(column)
        self.most = require_whole("most", most, 1)

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

        def made(rows: slice) -> Any:
            self._require(rows.stop - rows.start)
            return tuple(when[rows]), tuple(found[rows])

        return self.held(codes, groups, made)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return cells([] if held is None else list(held[1]) for held in state[0])

    @override
    def merged(self, early: Any, late: Any) -> Any:
        self._require(len(early[0]) + len(late[0]))
        times, values = (*early[0], *late[0]), (*early[1], *late[1])
        if early[0][-1] <= late[0][0]:
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
