"""What a row finds that earlier rows of its slot have left, for a whole batch, with the bits of one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_S = TypeVar("_S", bound=np.generic)

Step: TypeAlias = Callable[..., Any]
"""What makes the next state of a state and a row's values: a numpy ufunc, or a function of + - * that takes floats
and arrays alike (both round as IEEE 754 says, so that they give the same bits)."""

_LONG: Final = (
    32  # rows of one slot from which on they are taken one slot at a time, not one turn at a time
)


class Turns:
    """The rows of a batch by slot, each slot's in their order, and which of them are learned from.

    Args:
        slots: of each row, at least 0, shape (n,).
        learned: whether the state goes on at the row, shape (n,).

    Attributes:
        slots: the distinct slots, shape (g,).
        starts: where each one's learned rows begin in `rows`, shape (g,).
        lengths: how many learned rows each has, perhaps none, shape (g,).
        rows: the learned rows, one slot's after the other's.
        rank: how many learned rows of its slot come before each row, shape (n,).
        group: which of `slots` each row has, shape (n,).
    """

    slots: NDArray[np.intp]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]
    rows: NDArray[np.intp]
    rank: NDArray[np.intp]
    group: NDArray[np.intp]

    def __init__(self, slots: NDArray[np.intp], learned: NDArray[np.bool_]) -> None:
        n = len(slots)
        order = np.argsort(slots, kind="stable")
        ordered, taken = slots[order], learned[order]
        heads = np.ones(n, bool)
        np.not_equal(ordered[1:], ordered[:-1], out=heads[1:])
        first, group = heads.nonzero()[0], heads.cumsum() - 1
        past: NDArray[np.intp] = taken.cumsum() - taken
        self.slots, self.starts, self.rows = ordered[first], past[first], order[taken]
        self.lengths = np.empty_like(self.starts)
        self.lengths[-1:] = len(self.rows) - self.starts[-1:]
        self.lengths[:-1] = self.starts[1:] - self.starts[:-1]
        self.rank, self.group = np.empty(n, np.intp), np.empty(n, np.intp)
        self.rank[order], self.group[order] = past - self.starts[group], group
        self._short = (self.lengths < _LONG).nonzero()[0]
        self._long = (self.lengths >= _LONG).nonzero()[0]
        self._most = int(self.lengths[self._short].max(initial=0))

    def first(self, values: NDArray[_S], of: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Any]:
        """The slots in `of`, shape (g,), that have a learned row, and the value at the first one of each."""
        some = of & (self.lengths > 0)
        return self.slots[some], values[self.rows[self.starts[some]]]

    def scan(
        self, step: Step, state: NDArray[_S], *values: NDArray[Any]
    ) -> tuple[NDArray[_S], NDArray[_S]]:
        """Takes the state of each slot through its learned rows, and writes the last one back.

        Args:
            step: (state, value of the row, ...) -> state.
            state: one for each slot there is; changed in place.
            values: of each row, shape (n,); those of rows that are not learned do not matter.

        Returns:
            The state that each row finds, and the one that it leaves (the same if it is not learned), both (n,).
        """
        held = state[self.slots]
        after = np.empty(len(self.rows), state.dtype)
        inputs = [column[self.rows] for column in values]
        self._along(step, held, inputs, after)
        self._in_turn(step, held, inputs, after)
        before = held[self.group]
        later = self.rank.nonzero()[0]
        if later.size:
            before[later] = after[(self.starts[self.group] + self.rank - 1)[later]]
        left = before.copy()
        left[self.rows] = after
        some = self.lengths.nonzero()[0]
        state[self.slots[some]] = after[(self.starts + self.lengths - 1)[some]]
        return before, left

    def _along(self, step: Step, held: Any, inputs: list[Any], after: NDArray[Any]) -> None:
        """One slot at a time, those that have many rows."""
        for place in self._long:
            rows = slice(self.starts[place], self.starts[place] + self.lengths[place])
            after[rows] = _run(step, held[place], [column[rows] for column in inputs])

    def _in_turn(self, step: Step, held: Any, inputs: list[Any], after: NDArray[Any]) -> None:
        """One turn at a time, over all other slots that have one."""
        left = self._short
        state = held[left]
        for turn in range(self._most):
            more = self.lengths[left] > turn
            left, state = left[more], state[more]
            rows = self.starts[left] + turn
            state = step(state, *(column[rows] for column in inputs))
            after[rows] = state


def toward(state: Any, value: Any, part: Any) -> Any:
    """A step that goes a part of the way to a value: a running mean."""
    return state + part * (value - state)


def faded(state: Any, keep: Any, new: Any) -> Any:
    """A step that keeps a part of the state and adds to it: a decayed sum."""
    return state * keep + new


def _run(step: Step, start: Any, inputs: list[Any]) -> Any:
    if isinstance(step, np.ufunc):
        return step.accumulate(np.concatenate([start[None], inputs[0]]))[1:]
    rows = zip(*(column.tolist() for column in inputs), strict=True)
    states = accumulate(rows, lambda state, row: step(state, *row), initial=start.item())
    return list(states)[1:]
