"""The categories that come most often, in bounded memory: Space-Saving."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import SchemaError
from rxml.features.checks import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

_PLAIN: Final = frozenset({str, bytes, int, float, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Lives:
    """Which category's life each row of a batch belongs to. A life below `size` is that of a place: of the category that
    was there, or of the first one.

    Attributes:
        found: the place where a row finds its category before it is learned, -1 where it has none, shape (n,).
        life: where what the row teaches belongs, or what it would find: -1 where there is none, shape (n,).
        born: the place of each life that took over from another in the batch; these have the numbers `size`, `size` + 1 ...
    """

    found: NDArray[np.intp]
    life: NDArray[np.intp]
    born: list[int]


class Vocabulary:
    """Places for at most `size` categories, with counts.

    When all are taken, a new category takes the place of the one with the least count, and counts one more than
    that: Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
    Streams", ICDT 2005). Whatever makes up more than 1 / size of the rows has a place. Equal values are one category:
    1, 1.0 and True.

    Args:
        size: how many places, at least 1.
        replace: whether a new category may take a place; if not, the first `size` ones stay.
    """

    size: int
    replace: bool
    labels: list[Any]
    counts: list[int]
    replaced: int

    def __init__(self, size: int, *, replace: bool = True) -> None:
        self.size, self.replace = whole("size", size), replace
        self.labels, self.counts, self.replaced = [], [], 0
        self._places: dict[Any, int] = {}
        self._heap: list[tuple[int, int]] = []

    def find(self, items: Iterable[Any]) -> NDArray[np.intp]:
        """The place of each category, -1 for those without one and for None."""
        get = self._places.get
        return np.array([get(item, -1) for item in items], np.intp)

    def learn(self, items: list[Any], learned: Iterable[bool]) -> Lives:
        """Counts the categories of the rows to be learned; a None has none."""
        current: dict[int, int] = {}  # the lives of places that were taken over
        found, life = [-1] * len(items), [-1] * len(items)
        born: list[int] = []
        for row, (item, counts) in enumerate(zip(items, learned, strict=True)):
            found[row] = place = self._places.get(item, -1)
            if counts and item is not None:
                if place < 0:
                    before = self.replaced
                    place = self._admit(item)
                    if self.replaced > before:
                        current[place] = self.size + len(born)
                        born.append(place)
                if place >= 0:
                    self.counts[place] += 1
            life[row] = current.get(place, place)
        return Lives(np.array(found, np.intp), np.array(life, np.intp), born)

    def snapshot(self) -> dict[str, Any]:
        """Labels, counts, and how often a place was taken over."""
        return {"labels": [*self.labels], "counts": [*self.counts], "replaced": self.replaced}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Becomes what a snapshot was of.

        Raises:
            SchemaError: it has more categories than there are places; the vocabulary is as it was.
        """
        labels, counts = list(state["labels"]), [int(count) for count in state["counts"]]
        if len(labels) > self.size or len(labels) != len(counts):
            text = f"got {len(labels)} categories with {len(counts)} counts"
            raise SchemaError(f"{text}: there are {self.size} places")
        self.labels, self.counts, self.replaced = labels, counts, int(state["replaced"])
        self._places = {label: place for place, label in enumerate(labels)}
        self._heap = []

    def _admit(self, item: Any) -> int:
        """The place of a new category, or -1."""
        if len(self.labels) < self.size:
            self._places[item] = len(self.labels)
            self.labels.append(item)
            self.counts.append(0)
            return len(self.labels) - 1
        if not self.replace:
            return -1
        place = self._least()
        del self._places[self.labels[place]]
        self._places[item] = place
        self.labels[place] = item
        self.replaced += 1
        return place

    def _least(self) -> int:
        """The place with the least count, the first of several. Entries of the heap are renewed when they come up."""
        if not self._heap:
            self._heap = [(count, place) for place, count in enumerate(self.counts)]
            heapify(self._heap)
        while True:
            count, place = heappop(self._heap)
            heappush(self._heap, (self.counts[place], place))
            if count == self.counts[place]:
                return place


def categories(column: str, x: NDArray[Any]) -> NDArray[Any]:
    """The category of each row as a plain value, None where it is missing (None, NaN): an object array.

    Raises:
        SchemaError: a value is neither text, bytes nor a number.
    """
    if x.dtype.kind not in "biufOSUT":
        text = f"column {column!r} holds {x.dtype}"
        raise SchemaError(f"{text}: categories are texts, bytes or numbers")
    items: list[Any] = x.tolist()
    kinds = set(map(type, items))
    if not kinds <= _PLAIN:
        items = [item.item() if isinstance(item, np.generic) else item for item in items]
        odd = [row for row, item in enumerate(items) if type(item) not in _PLAIN]
        if odd:
            text = f"column {column!r} is {items[odd[0]]!r} in row {odd[0]}"
            raise SchemaError(f"{text}: categories are texts, bytes or numbers")
    plain = np.empty(len(items), object)
    plain[:] = [None if item != item else item for item in items]  # noqa: PLR0124 - NaN is not itself
    return plain
