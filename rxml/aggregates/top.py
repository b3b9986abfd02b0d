"""The k largest values, or the values of the k rows that are largest by another column."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate, require_whole, shown
from rxml.aggregates.states import cells
from rxml.aggregates.values import objects
from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, State

_REAL: Final = frozenset({bool, float})
_KEYS, _TIMES, _VALUES = range(3)


class TopK(Aggregate):
    """The rows with the largest keys. State: an object for each group, (keys, times, values), the largest first.

    None stands for no rows. Of equal keys the earlier event time is first; of equal times the row that came first.
    """

    exact: ClassVar[bool] = True

    k: int

    def __init__(self, column: Column, k: int, by: Column | None) -> None:
        super().__init__(column, *([] if by is None else [by]))
        self.k = require_whole("k", k, 1)

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
        found = [objects(column) for column in values]
        return (self._largest(codes, found[-1], times, found[0], groups),)

    @override
    def combine(self, left: State, right: State) -> State:
        both = [row for row, one in enumerate(right[0]) if one is not None]
        result = left[0].copy()
        clash = [row for row in both if result[row] is not None]
        result[both] = right[0][both]
        if clash:
            tops = [*left[0][clash], *right[0][clash]]
            owners = np.tile(np.arange(len(clash)), 2)
            codes = np.repeat(owners, [len(top[_KEYS]) for top in tops])
            keys, times, values = (
                list(chain.from_iterable(top[part] for top in tops)) for part in range(3)
            )
            when = np.array(times, np.int64)
            result[clash] = self._largest(codes, keys, when, values, len(clash))
        return (result,)

    @override
    def lower(self, state: State) -> NDArray[Any]:
        return cells([] if top is None else list(top[_VALUES]) for top in state[0])

    def _largest(
        self,
        codes: NDArray[np.intp],
        keys: list[Any],
        times: NDArray[np.int64],
        values: list[Any],
        groups: int,
    ) -> NDArray[Any]:
        result = np.empty(groups, object)
        if not keys:
            return result
        order = np.lexsort((times, self._descending(keys), codes))
        ends = np.cumsum(np.bincount(codes, minlength=groups)).tolist()
        ordered, when = order.tolist(), times.tolist()
        start = 0
        for group, end in enumerate(ends):
            rows = ordered[start : min(end, start + self.k)]
            if rows:
                parts = ((source[row] for row in rows) for source in (keys, when, values))
                result[group] = tuple(map(tuple, parts))
            start = end
        return result

    def _descending(self, keys: list[Any]) -> NDArray[Any]:
        """Numbers that are the smaller, the larger the key is; NaN is the smallest key."""
        kinds = set(map(type, keys))
        if kinds <= _REAL:
            return -np.array(keys, np.float64)
        if kinds == {int} and max(keys) < 2**63 and min(keys) >= -(2**63):
            return ~np.array(keys, np.int64)
        return self._ranked(keys)

    def _ranked(self, keys: list[Any]) -> NDArray[Any]:
        try:
            sound = [bool(key == key) for key in keys]  # noqa: PLR0124 - NaN and NaT
            order = sorted(
                (row for row, is_sound in enumerate(sound) if is_sound), key=keys.__getitem__
            )
        except (TypeError, ValueError) as error:
            text = (
                f"the values of column {shown(self.columns[-1])} cannot be put in order ({error})"
            )
            raise SchemaError(f"{text}: give values of one sort, or a function for `by`") from error
        ranks = np.ones(len(keys), np.int64)  # what is no number comes after all others
        for place, row in enumerate(order):
            before = order[place - 1]
            same = place > 0 and keys[before] == keys[row]
            ranks[row] = ranks[before] if same else -place
        return ranks


def top_k(column: Column, k: int, by: Column | None = None) -> Aggregate:
    """The k largest values of a column, or its values in the k rows that are largest by another column.

    The result of a group is a list, the largest first, with fewer than k values if the group has fewer rows. Which
    rows are in it does not depend on the order of arrival: of equal ones the earlier by event time is first, and
    only of equal times the one that came first. NaN and NaT are the smallest of all.

    Args:
        column: whose values are given.
        k: how many, at least 1.
        by: what says which rows are largest, any values that can be compared; the column itself if None.
    """
    return TopK(column, k, by)
