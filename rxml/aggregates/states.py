"""States of many groups as whole things: rows taken, put and added, and the way into a snapshot and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

State: TypeAlias = tuple[NDArray[Any], ...]
"""What is known of many groups: a struct of arrays, each of shape (groups, ...). Object arrays are admitted."""


class Stated(Protocol):
    """What has states: an aggregate, see `rxml.aggregates.aggregate.Aggregate`."""

    def identity(self, groups: int) -> State:
        """The state of groups without rows."""
        ...


_FLAT: Final = frozenset({bool, int, float, str, bytes, type(None)})
_EMPTY: Final = "no states to put one after the other: give at least one"


def size(state: State) -> int:
    """How many groups a state is for."""
    return len(state[0])


def taken(state: State, rows: Any) -> State:
    """Some groups of a state.

    Args:
        state: of n groups.
        rows: which, in their order: indices (copied), a mask of shape (n,) (copied), or a slice (a view).
    """
    return tuple(array[rows] for array in state)


def put(state: State, rows: Any, new: State) -> None:
    """Writes groups into a state, in place: the caller must own its arrays.

    Args:
        state: what is written to.
        rows: which groups, as in `taken`; an index given twice gets the later one.
        new: their states, in the same order.

    Raises:
        TypeError: the arrays of `new` do not fit into those of `state` without a loss.
    """
    for array, values in zip(state, new, strict=True):
        if array.dtype != values.dtype and not np.can_cast(values.dtype, array.dtype):
            text = f"a state of {values.dtype} cannot be put into one of {array.dtype}"
            raise TypeError(f"{text}: an aggregate must give the same dtypes for any values")
        array[rows] = values


def concatenated(states: Sequence[State]) -> State:
    """The groups of several states of one aggregate, one after the other, in new arrays.

    Args:
        states: at least one.

    Raises:
        ValueError: there is none.
    """
    if not states:
        raise ValueError(_EMPTY)
    return tuple(np.concatenate(arrays) for arrays in zip(*states, strict=True))


def grown(aggregate: Stated, state: State, groups: int) -> State:
    """A state with room for more groups: the new ones, at the end, have the identity.

    Args:
        aggregate: whose state it is.
        state: of at most `groups` groups; it is not changed, and is given back if it has that many.
        groups: how many there shall be.

    Raises:
        ValueError: the state has more groups than that.
    """
    more = groups - size(state)
    if more < 0:
        text = f"a state of {size(state)} groups cannot grow to {groups}"
        raise ValueError(f"{text}: use taken() to leave some out")
    return concatenated([state, aggregate.identity(more)]) if more else state


def cells(items: Iterable[object]) -> NDArray[Any]:
    """An object array of shape (n,) with these n objects, whatever they are; numpy would look into sequences."""
    listed = list(items)
    array = np.empty(len(listed), object)
    if set(map(type, listed)) <= _FLAT:
        array[:] = listed
        return array
    for index, item in enumerate(listed):
        array[index] = item
    return array


def plain(state: State) -> list[Any]:
    """A state as what `rxml.wire` takes: a list with a copy of each array, object arrays as lists.

    Args:
        state: of any aggregate; objects in it must be values that the wire takes.
    """
    return [array.tolist() if array.dtype.kind == "O" else array.copy() for array in state]


def restored(parts: Sequence[Any], aggregate: Stated | None = None) -> State:
    """The state of which `plain` has made the parts, in new arrays that can be written to.

    Tuples within objects that come by way of `rxml.wire` are lists then; the aggregates of rxml take both.

    Args:
        parts: what `plain` gave, perhaps by way of `rxml.wire`.
        aggregate: whose state it must be; None does not look.

    Raises:
        SchemaError: the parts are no state, or none of this aggregate.
    """
    state = tuple(_restored(part) for part in parts)
    if not state or len({len(array) for array in state}) != 1:
        lengths = [len(array) for array in state]
        raise SchemaError(f"got parts of {lengths} groups: the parts of a state have one length")
    if aggregate is not None:
        _require(aggregate, state)
    return state


def _restored(part: Any) -> NDArray[Any]:
    if isinstance(part, np.ndarray):
        return np.array(cast("NDArray[Any]", part))
    if isinstance(part, list | tuple):
        return cells(cast("Sequence[Any]", part))
    text = f"got a {type(part).__name__} as part of a state"
    raise SchemaError(f"{text}: give the arrays and lists that plain() gave")


def _require(aggregate: Stated, state: State) -> None:
    expected = [_form(array) for array in aggregate.identity(0)]
    got = [_form(array) for array in state]
    if got != expected:
        text = f"got a state of {' + '.join(got)} for {aggregate!r}, whose states are"
        raise SchemaError(f"{text} {' + '.join(expected)}: it belongs to another aggregate")


def _form(array: NDArray[Any]) -> str:
    return f"{array.dtype}{list(array.shape[1:]) or ''}"
