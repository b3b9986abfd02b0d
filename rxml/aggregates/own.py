"""Aggregates of one's own, from functions of single values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast, overload

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.aggregates.states import cells
from rxml.aggregates.values import array_of, objects
from rxml.flow.check import PLAIN, require_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column, Fold, State


class Monoid(Aggregate):
    """Functions of users, called once for each row and for each group. State: an object for each group.

    None stands for no rows, so that the user's identity is combined only where a group is empty at the end.
    """

    fallible: ClassVar[bool] = True

    def __init__(
        self,
        identity: object,
        lift: Callable[..., Any],
        combine: Callable[[Any, Any], Any],
        lower: Callable[[Any], Any],
        columns: tuple[Column, ...],
    ) -> None:
        super().__init__(*columns)
        for name, function in (("lift", lift), ("combine", combine), ("lower", lower)):
            if not callable(function):
                raise TypeError(
                    f"{name} is {function!r} ({type(function).__name__}): give a function"
                )
            require_function(f"monoid({name})", function, "works on values", PLAIN)
        self._identity = identity
        self._lift = lift
        self._combine = combine
        self._lower = lower

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
        states: list[Any] = [None] * groups
        columns = [objects(column) for column in values]
        for row, group in enumerate(codes.tolist()):
            one = self._lift(*(column[row] for column in columns))
            held = states[group]
            states[group] = (one,) if held is None else (self._combine(held[0], one),)
        return (cells(states),)

    @override
    def combine(self, left: State, right: State) -> State:
        result = left[0].copy()
        for group, late in enumerate(right[0]):
            if late is not None:
                early = result[group]
                result[group] = late if early is None else (self._combine(early[0], late[0]),)
        return (result,)

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        rows: list[Any] = self.lift(values, times, np.arange(len(times)), len(times))[0].tolist()

        def fold(state: State, places: NDArray[np.intp]) -> None:
            held: Any = state[0]
            for place, row in zip(places.tolist(), rows, strict=True):
                early = held[place]
                held[place] = row if early is None else (self._combine(early[0], row[0]),)

        return fold

    @override
    def lower(self, state: State) -> NDArray[Any]:
        held: list[Any] = [self._identity if one is None else one[0] for one in state[0]]
        return array_of([self._lower(one) for one in held])

    @override
    def _parameters(self) -> dict[str, Any]:
        return {"lift": self._lift, "combine": self._combine}


def _itself(state: Any) -> Any:
    return state


@overload
def monoid(
    identity: object,
    lift: Callable[[Any], Any],
    combine: Callable[[Any, Any], Any],
    lower: Callable[[Any], Any] = _itself,
    *,
    column: Column,
) -> Aggregate: ...
@overload
def monoid(
    identity: object,
    lift: Callable[..., Any],
    combine: Callable[[Any, Any], Any],
    lower: Callable[[Any], Any] = _itself,
    *,
    column: tuple[Column, ...] = (),
) -> Aggregate: ...
def monoid(
    identity: object,
    lift: Callable[..., Any],
    combine: Callable[[Any, Any], Any],
    lower: Callable[[Any], Any] = _itself,
    *,
    column: Column | tuple[Column, ...] = (),
) -> Aggregate:
    """An aggregate of one's own, from plain functions; it costs a few calls a row where others cost a few a chunk.

        >>> import numpy as np
        >>> from rxml import aggregates as agg
        >>> product = agg.monoid(1, lambda v: v, lambda a, b: a * b, column="v")
        >>> state = product.lift([np.array([2, 3, 5])], np.arange(3), np.array([0, 1, 0]), 3)
        >>> product.lower(state)
        array([10,  3,  1])

    Args:
        identity: the state of a group without rows.
        lift: the state of a row, of its value: of one argument for each column, none if there is none.
        combine: the state of two states, the earlier by arrival first; it must be associative and leave both as
            they are. For results that do not depend on the order of arrival it must be commutative, too.
        lower: the result of a state; the state itself if it is not given.
        column: the column, or a tuple of columns, that `lift` is given. States must be values that `rxml.wire`
            takes if there shall be snapshots.
    """
    given: object = column
    columns = cast("tuple[Column, ...]", given if isinstance(given, tuple) else (given,))
    return Monoid(identity, lift, combine, lower, columns)
