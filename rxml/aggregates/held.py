"""Held: aggregates that keep an object for each group, whatever it is."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.aggregates.folding import at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Fold, State


class Held(Aggregate):
    """State: an object for each group, None without rows. Subclasses say how rows, and how two of them, become one."""

    exact: ClassVar[bool] = True
    fallible: ClassVar[bool] = True

    @abstractmethod
    def merged(self, early: Any, late: Any) -> Any:
        """What is held of the rows of both, those of `early` first; neither is changed."""

    def held(self, codes: NDArray[np.intp], groups: int, made: Callable[[slice], Any]) -> State:
        """The state of groups whose rows stand together, in the order of the groups.

        Args:
            codes: the group of each row, in any order, (n,).
            groups: how many.
            made: what is held of the rows of one group, which are this slice of all.
        """
        (result,) = self.identity(groups)
        start = 0
        for group, end in enumerate(np.cumsum(np.bincount(codes, minlength=groups)).tolist()):
            if end > start:
                result[group] = made(slice(start, end))
            start = end
        return (result,)

    @override
    def identity(self, groups: int) -> State:
        return (np.empty(groups, object),)

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
                result[group] = late if early is None else self.merged(early, late)
        return (result,)
