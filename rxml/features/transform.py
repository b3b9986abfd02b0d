"""The contract of feature transforms, and the frame that those of this package share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rxml.errors import SchemaError
from rxml.features.checks import floats, nanoseconds, places, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Columns: TypeAlias = dict[str, NDArray[Any]]
"""What a transform gives: an array of n rows for each of its parts."""

Found: TypeAlias = tuple[NDArray[Any], ...]
"""What each row finds of what was learned before it: arrays of n rows, or what a subclass makes of that."""

_NONE: Final = np.empty(0, np.int64)


@runtime_checkable
class Transform(Protocol):
    """Makes features of one column, and learns from it; a state of its own for each slot (key).

    Laws, to the last bit: `learn_transform` of a batch gives for each row what `transform` gives of that row when all
    rows before it have been learned and it has not (emission before learning: a feature never knows its own row);
    so one row at a time, one batch and any batches between give the same, and so does a restored snapshot.
    """

    column: str
    target: str | None
    time: str | None
    parts: tuple[str, ...]

    def learn(self, x: Any, slots: Any = None, *, y: Any = None, time: Any = None) -> None:
        """Learns from rows, in their order.

        Args:
            x: the column, n rows.
            slots: the slot of each row, ints from 0; None is slot 0 for all.
            y: the target column, if `target` names one.
            time: event times in int64 nanoseconds (or datetime64), if `time` names a column.
        """
        ...

    def transform(self, x: Any, slots: Any = None, *, time: Any = None) -> Columns:
        """The features of rows, of what is known now; nothing is learned, the state does not change."""
        ...

    def learn_transform(
        self, x: Any, slots: Any = None, *, y: Any = None, time: Any = None
    ) -> Columns:
        """The features of each row, of what the rows before it have taught; then the row is learned too."""
        ...

    def check(self, x: Any, slots: Any = None, *, y: Any = None, time: Any = None) -> None:
        """Raises what `learn` or `learn_transform` would raise of these rows; nothing is learned."""
        ...

    def grow(self, keys: int) -> None:
        """Makes room for slots up to `keys` - 1."""
        ...

    def forget(self, slots: Any) -> None:
        """Makes slots as they were before anything was learned of them, for keys that are gone; others stay."""
        ...

    def config(self) -> dict[str, Any]:
        """What the transform was made with, in plain values: equal configs make equal features."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """What it has learned, in arrays and plain values that `rxml.wire` takes."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Becomes what a snapshot was of."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one call: with vectors in the column, a row for each of their elements.

    Attributes:
        values: of the column, shape (n,).
        slots: where the state of each row is, shape (n,).
        target: float64, shape (n,), or empty.
        times: int64 nanoseconds, shape (n,), or empty.
    """

    values: NDArray[Any]
    slots: NDArray[np.intp]
    target: NDArray[np.float64]
    times: NDArray[np.int64]


class ColumnTransform(ABC):
    """A `Transform`: a subclass says what each row finds, and what features that makes.

    Args:
        column: the name of the column that is read.
        parts: the names of the features, in their order.
        options: what else the transform was made with, plain values, for `config`.
        target: the name of the column of targets, if the transform learns from one.
        time: the name of the column of event times, if the transform needs them.
        keys: how many slots there are to begin with.
    """

    column: str
    target: str | None
    time: str | None
    parts: tuple[str, ...]
    keys: int

    def __init__(
        self,
        column: str,
        parts: Sequence[str],
        options: Mapping[str, Any],
        *,
        target: str | None = None,
        time: str | None = None,
        keys: int = 1,
    ) -> None:
        self.column = column
        self.parts = tuple(parts)
        self.target, self.time = target, time
        self.keys = whole("keys", keys, 0)
        self._options = dict(options)

    def learn(self, x: Any, slots: Any = None, *, y: Any = None, time: Any = None) -> None:
        """See `Transform.learn`."""
        self._advance(self._rows(x, slots, self._targets(y), time))

    def transform(self, x: Any, slots: Any = None, *, time: Any = None) -> Columns:
        """See `Transform.transform`."""
        rows = self._rows(x, slots, None, time)
        return self._shaped(x, self._emit(rows, self._held(rows)))

    def learn_transform(
        self, x: Any, slots: Any = None, *, y: Any = None, time: Any = None
    ) -> Columns:
        """See `Transform.learn_transform`."""
        rows = self._rows(x, slots, self._targets(y), time)
        return self._shaped(x, self._emit(rows, self._advance(rows)))

    def check(self, x: Any, slots: Any = None, *, y: Any = None, time: Any = None) -> None:
        """See `Transform.check`."""
        self._rows(x, slots, self._targets(y), time)

    def config(self) -> dict[str, Any]:
        """See `Transform.config`."""
        named = {"column": self.column, "target": self.target, "time": self.time}
        return {**named, **self._options}

    def grow(self, keys: int) -> None:
        """See `Transform.grow`.

        Raises:
            ValueError: there are more slots than that.
        """
        if whole("keys", keys, 0) < self.keys:
            raise ValueError(f"a transform of {self.keys} keys cannot grow to {keys}")
        self.keys = keys

    def forget(self, slots: Any) -> None:
        """See `Transform.forget`. What all slots share, such as a vocabulary, stays.

        Raises:
            ValueError: there are no such slots.
        """
        which = np.asarray(slots)
        self._forget(places(which, len(which), self.keys))

    def snapshot(self) -> dict[str, Any]:
        """See `Transform.snapshot`."""
        return {"keys": self.keys, "state": self._save()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Transform.restore`.

        Raises:
            SchemaError: it is a snapshot of something else; the transform is not to be used then.
        """
        keys = int(state["keys"])
        self._load(state["state"], keys)
        self.keys = keys

    @abstractmethod
    def _save(self) -> dict[str, Any]:
        """What was learned, in copies."""

    @abstractmethod
    def _load(self, state: Mapping[str, Any], keys: int) -> None:
        """Becomes what was saved, of so many keys."""

    def _forget(self, slots: NDArray[np.intp]) -> None:  # noqa: B027 - some have no state for each
        """Empties the states of slots, where slots have any."""

    @abstractmethod
    def _held(self, rows: Rows) -> Found:
        """What each row finds if none of them is learned."""

    @abstractmethod
    def _advance(self, rows: Rows) -> Found:
        """Learns the rows, and gives what each has found."""

    @abstractmethod
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[Any], ...]:
        """The features, one array for each part: what a row gets depends on nothing but what it has and found."""

    def _rows(self, x: Any, slots: Any, target: NDArray[np.float64] | None, time: Any) -> Rows:
        values = self._values(np.asarray(x))
        n = len(values)
        where = places(None if slots is None else np.asarray(slots), n, self.keys)
        times = _NONE if self.time is None else nanoseconds(self.time, _given(self.time, time, n))
        return Rows(values, where, _checked(self.target, target, n), times)

    def _values(self, x: NDArray[Any]) -> NDArray[Any]:
        if x.ndim != 1:
            text = f"column {self.column!r} has rows of shape {x.shape[1:]}"
            raise SchemaError(f"{text}: {type(self).__name__} takes one value a row")
        return x

    def _targets(self, y: Any) -> NDArray[np.float64] | None:
        if self.target is None:
            return None
        if y is None:
            raise ValueError(f"no targets given: {type(self).__name__} learns from {self.target!r}")
        return floats(self.target, np.asarray(y))

    def _shaped(self, x: Any, features: tuple[NDArray[Any], ...]) -> Columns:  # noqa: ARG002
        return dict(zip(self.parts, features, strict=True))


def _given(name: str, column: Any, rows: int) -> NDArray[Any]:
    if column is None:
        raise ValueError(f"no column {name!r} given: event times are needed")
    array = np.asarray(column)
    if array.shape != (rows,):
        raise ValueError(f"column {name!r} has shape {array.shape}: there are {rows} rows")
    return array


def _checked(
    name: str | None, target: NDArray[np.float64] | None, rows: int
) -> NDArray[np.float64]:
    if name is None or target is None:
        return _NONE.astype(np.float64)
    return _given(name, target, rows)
