"""Side: what a join reads of the elements of one of its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch.batch import Batch
from rxml.eventtime.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.event_time import EventTime
    from rxml.eventtime.reading import Column
    from rxml.flow.context import Context


_OBJECTS: Final = np.dtype(object)


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
            SchemaError: an element has no time or no key.
            TypeError: a key cannot be hashed.
        """
        times = self.event_time.of(items)
        if self.key is None:
            return times, None
        keys: Any = read(items, self.key)
        if getattr(keys, "dtype", _OBJECTS).kind == "O":
            set(keys)  # one that cannot be hashed is refused before anything is changed
        return times, keys


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
