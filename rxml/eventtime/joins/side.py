"""Side: what a join reads of the elements of one of its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.eventtime.keyed.key_table import require_hashable, require_key
from rxml.eventtime.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.event_time import EventTime
    from rxml.eventtime.reading import Column
    from rxml.flow.context import Context

_SURE: Final = frozenset({str, int, bytes})
"""Types of keys that are never missing."""


@dataclass(frozen=True, slots=True)
class Side:
    """How one input is read.

    Attributes:
        name: "left" or "right".
        event_time: where its elements have their time.
        key: where they have their key; None: all have the same.
    """

    name: str
    event_time: EventTime
    key: Column | None

    def measured(self, items: Sequence[Any]) -> tuple[NDArray[np.int64], Any]:
        """Times and keys of elements; keys are an array where the elements are a batch.

        Raises:
            SchemaError: an element has no time, or no key that can be looked up.
        """
        return self.event_time.of(items), self.keys(items)

    def keys(self, items: Sequence[Any]) -> Any:
        """Keys of elements, refused before anything is changed if one is missing or cannot be looked up."""
        if self.key is None:
            return None
        keys = read(items, self.key)
        if not isinstance(keys, np.ndarray):
            return _required(keys)
        if keys.ndim != 1:
            message = (
                f"the key of the {self.name}, {self.key!r}, is a column of shape {keys.shape}: wanted is one value a row, "
                f"shape ({len(keys)},), such as a function that makes a tuple of it"
            )
            raise SchemaError(message)
        return _column_required(keys)

    def gathered(self, items: Sequence[Any], told: list[tuple[Any, Any]]) -> Any:
        """The keys of elements of which each was measured by itself; of a batch with a column of keys that."""
        if self.key is None:
            return None
        if isinstance(items, Batch) and isinstance(self.key, str) and told:
            return self.keys(items)
        return [keys[0] for _, keys in told]


def _required(keys: Sequence[Any]) -> Sequence[Any]:
    try:
        distinct = set(keys)
    except TypeError:
        for each in keys:
            require_hashable(each)
        raise
    for each in distinct:
        if each.__class__ not in _SURE:
            require_key(each)
    return keys


def _column_required(keys: NDArray[Any]) -> NDArray[Any]:
    kind = keys.dtype.kind
    if kind in "Mm":
        return _in_one_unit(keys)
    if kind in "fc":
        if np.isnan(keys).any():
            require_key(np.nan)
    elif kind not in "biuSU":
        _required(keys.tolist())
    return keys


def _in_one_unit(keys: NDArray[Any]) -> NDArray[Any]:
    """Datetimes or timedeltas as microseconds, so that equal ones are equal keys whatever they count; finer ones as ns.

    Raises:
        SchemaError: one is missing.
    """
    if np.isnat(keys).any():
        require_key(None)
    kind = keys.dtype.kind
    coarse = keys.astype(f"{kind}8[us]")
    finer = coarse.astype(keys.dtype) != keys
    if not finer.any():
        return coarse
    mixed = coarse.astype(object)
    mixed[finer] = keys[finer].astype(f"{kind}8[ns]").astype(np.int64)
    return mixed


@dataclass(slots=True)
class Taken:
    """Elements of one input with what was read of them.

    Attributes:
        elements: a list or a batch.
        contexts: beside them, or None.
        times: shape (n,), int64 ns UTC.
        keys: n of them, or None if all have the same.
        floor: a time before which none of them, nor any later one, is.
    """

    elements: Sequence[Any]
    contexts: list[Context] | None
    times: NDArray[np.int64]
    keys: Any
    floor: int
    _least: int | None = None
    _most: int | None = None

    @property
    def least(self) -> int:
        """The earliest time; there must be one."""
        if self._least is None:
            self._least = int(self.times.min())
        return self._least

    @property
    def most(self) -> int:
        """The latest time; there must be one."""
        if self._most is None:
            self._most = int(self.times.max())
        return self._most

    def __len__(self) -> int:
        return len(self.times)

    def where(self, mask: NDArray[np.bool_]) -> Taken:
        """Those under a mask."""
        elements, chosen = self.elements, mask.tolist()
        kept = elements.take(mask) if isinstance(elements, Batch) else [*compress(elements, chosen)]
        contexts = None if self.contexts is None else [*compress(self.contexts, chosen)]
        keys: Any = self.keys
        if keys is not None:
            keys = keys[mask] if hasattr(keys, "dtype") else [*compress(keys, chosen)]
        return Taken(kept, contexts, self.times[mask], keys, self.floor)

    def part(self, start: int, stop: int) -> Taken:
        """Those from `start` up to `stop`."""
        contexts = None if self.contexts is None else self.contexts[start:stop]
        keys = None if self.keys is None else self.keys[start:stop]
        return Taken(self.elements[start:stop], contexts, self.times[start:stop], keys, self.floor)
