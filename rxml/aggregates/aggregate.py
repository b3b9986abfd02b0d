"""What an aggregate is: a monoid over rows, computed for many groups at once."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.aggregates.folding import Fold, at_once, doubling, in_rounds, one_by_one
from rxml.aggregates.reader import Reader
from rxml.aggregates.states import State
from rxml.flow.check import PLAIN, require_function

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Aggregate", "Column", "Fold", "State", "named", "require_whole", "shown"]

Column: TypeAlias = str | Callable[[Any], Any] | Reader
"""Where values come from: the name of a column, or, for rows that are no batch, a function of the element; or how it is read."""


class Aggregate(ABC):
    """A monoid: `identity`, `lift`, `combine` and `lower`, each for many groups at once.

    What holds, and what windows are built on: `combine` is associative; `identity` changes nothing on either
    side of it; lifting rows piece by piece and combining the pieces in their order is lifting them all (floats
    up to rounding). No method changes its arguments. The dtypes and the shapes (but for the number of groups)
    of a state are the same for good, whatever was lifted, so that states can be written in place.
    Nothing is ever taken out again: no inverse is asked for, so none can drift.

    Args:
        columns: the columns that `lift` is given, in this order.

    Attributes:
        columns: the same, as a tuple; empty if the aggregate looks at no values.
        beside: what the columns that `lowered` gives beside the result are called, behind its name.
        exact: `combine` is associative to the last bit, not only up to rounding.
        fallible: rows that `lift` takes may still fail where they come to others.
    """

    columns: tuple[Column, ...]
    beside: tuple[str, ...] = ()
    exact: ClassVar[bool] = False
    fallible: ClassVar[bool] = False

    def __init__(self, *columns: Column) -> None:
        for column in columns:
            _require_column(column)
        self.columns = columns

    @abstractmethod
    def identity(self, groups: int) -> State:
        """The state of groups without rows, in new arrays.

        Args:
            groups: how many, at least 0.
        """

    @abstractmethod
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        """The state of each group over its rows; a group without rows has the identity.

        Args:
            values: one array of shape (n,) for each column.
            times: event times of the rows, shape (n,), nanoseconds UTC.
            codes: the group of each row, shape (n,), 0 <= code < groups.
            groups: how many groups the state is for.

        Raises:
            SchemaError: values that this aggregate cannot take; the message names the column.
        """

    @abstractmethod
    def combine(self, left: State, right: State) -> State:
        """The state of each group over the rows of both, those of `left` before those of `right`.

        Args:
            left: the state of some groups.
            right: the state of the same groups, in the same order.
        """

    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        """What takes rows into states in place, behind those that they have; nothing is taken before it is called.

        However the rows were cut into pieces, the same ones in the same order leave the same bits: an `exact` aggregate
        may take them all at once, others take them one by one, the rows of different groups beside one another.

        Args:
            values: one array of shape (n,) for each column.
            times: event times of the rows, shape (n,), nanoseconds UTC.

        Raises:
            SchemaError: as `lift`; for a value that must not be taken nothing is returned.
        """
        if any(
            column.dtype.kind == "O" for column in values
        ):  # only objects differ from row to row
            self.lift(values, times, np.zeros(len(times), np.intp), 1)
        take = at_once if self.exact else in_rounds

        def fold(state: State, places: NDArray[np.intp]) -> None:
            take(self, values, times, state, places)

        return fold

    def along(self, before: State, rows: State) -> State:
        """The state of one group after each of its rows, to the last bit as if `combine` took them one by one.

        Args:
            before: of the group, in front of them.
            rows: of n >= 1 rows, each lifted by itself.
        """
        return (doubling if self.exact else one_by_one)(self, before, rows)

    @abstractmethod
    def lower(self, state: State) -> NDArray[Any]:
        """The result of each group: shape (groups,), or (groups, k) where a result has k numbers.

        Args:
            state: the state of some groups.
        """

    def lowered(self, state: State) -> list[Any]:
        """The result of each group, and what belongs beside it: a column each.

        Args:
            state: the state of some groups.
        """
        return [self.lower(state)]

    @override
    def __repr__(self) -> str:
        """As it was built; the same in every process, so that a snapshot can be compared with it."""
        words = [shown(column) for column in self.columns]
        words += [f"{name}={_named(each)}" for name, each in self._parameters().items()]
        return f"{self._function()}({', '.join(words)})"

    def _parameters(self) -> dict[str, Any]:
        """What it was built with, but for the columns."""
        return {
            name: value
            for name, value in vars(self).items()
            if name != "columns" and not name.startswith("_")
        }

    def _function(self) -> str:
        """The public name, of the class: top_k of TopK."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()


def named(name: str, aggregate: Aggregate) -> list[str]:
    """What the columns are called that an aggregate of this name gives: as it, and `name_error` and the like."""
    return [name, *(f"{name}_{each}" for each in aggregate.beside)]


def shown(column: Column) -> str:
    """A column for messages: its name in quotes, or the name of the function."""
    if isinstance(column, str | Reader):
        return repr(column)
    return str(getattr(column, "__qualname__", type(column).__name__))


def _named(value: object) -> str:
    """A parameter without an address in memory."""
    return shown(value) if callable(value) else repr(value)


def _require_column(given: object) -> None:
    if isinstance(given, Reader):
        return
    if not (isinstance(given, str) or callable(given)):
        text = f"got {given!r} ({type(given).__name__}) for a column"
        raise TypeError(f"{text}: give its name, or a function of the element")
    if callable(given):
        require_function("an aggregate", given, "gives the value of an element", PLAIN)


def require_whole(name: str, given: object, low: int, high: int | None = None) -> int:
    """An argument that must be a whole number within bounds.

    Raises:
        TypeError: it is no int.
        ValueError: it is out of bounds.
    """
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(f"{name} is {given!r} ({type(given).__name__}): give an int")
    if given < low or (high is not None and given > high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} is {given}: give an int {bounds}")
    return given
