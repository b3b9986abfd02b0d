"""Ledger: predictions that wait for their labels, in bounded memory, each settled once and counted."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from rxml.uncertain.calibration.ages import Ages
from rxml.uncertain.calibration.calibrator import require_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Times: TypeAlias = NDArray[np.int64]

Id: TypeAlias = int | str | bytes
Fate: TypeAlias = Literal["labelled", "missing"]


@dataclass(slots=True)
class Counts:
    """What has become of predictions and labels. predicted = labelled + abstained + expired + evicted + waiting.

    Attributes:
        predicted: predictions taken in.
        again: predictions not taken in, since their id was known.
        labelled: predictions whose label came.
        abstained: predictions of which it was said that no label will come.
        expired: predictions whose label did not come in time.
        evicted: predictions that had to give room to newer ones.
        repeated: labels for predictions that had one.
        late: labels for predictions that had expired, been evicted, or abstained.
        unknown: labels for what was not predicted, or so long ago that it is forgotten.
    """

    predicted: int = 0
    again: int = 0
    labelled: int = 0
    abstained: int = 0
    expired: int = 0
    evicted: int = 0
    repeated: int = 0
    late: int = 0
    unknown: int = 0

    @property
    def missing(self) -> int:
        """Predictions that are without a label for good: if that is no accident, what is calibrated on the rest is off."""
        return self.abstained + self.expired + self.evicted


class Taken(NamedTuple):
    """Predictions whose labels came, in the order of the labels.

    Attributes:
        rows: (n,) which of the labels they belong to.
        slots: (n,) of their keys.
        values: (n, width) what was kept with them.
    """

    rows: NDArray[np.intp]
    slots: NDArray[np.intp]
    values: Floats


class Ledger:
    """Keeps a slot, an event time and a row of numbers for each prediction until its label comes.

    An id is settled once: by the first label, by expiry, or by eviction of the oldest when there are `capacity`.
    The last `capacity` ids that were settled are remembered, so that a label that comes twice is known as such.
    Nothing else is kept, so memory is bounded by capacity (16 + 8 width bytes and two ids each; and where they expire, two
    entries of a heap, so that a watermark looks at none but those that are due).

    Args:
        width: numbers kept with a prediction: what was issued, and what its score needs; >= 1.
        capacity: predictions that may wait, >= 1.
        expire: nanoseconds of event time after which a label is no longer waited for, > 0; None is forever.

    Raises:
        ValueError: an argument out of its range.
    """

    width: int
    capacity: int
    expire: int | None
    _waiting: OrderedDict[Id, int]
    _settled: OrderedDict[Id, Fate]
    _counts: Counts
    _ages: Ages
    _free: list[int]
    _times: Times
    _slots: NDArray[np.intp]
    _values: Floats

    def __init__(self, width: int, capacity: int, expire: int | None = None) -> None:
        self.width = require_count("width", width)
        self.capacity = require_count("capacity", capacity)
        self.expire = None if expire is None else require_count("expire", expire)
        self._forget()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def nbytes(self) -> int:
        """Bytes that the kept numbers take up, ids aside."""
        return self._times.nbytes + self._slots.nbytes + self._values.nbytes

    @property
    def counts(self) -> Counts:
        """A copy of what was counted so far."""
        return Counts(**asdict(self._counts))

    def put(self, ids: Sequence[Id], times: ArrayLike, slots: ArrayLike, values: ArrayLike) -> None:
        """Predictions were made. One whose id waits, or is remembered as settled, is only counted.

        Args:
            ids: (n,) whole numbers, strings or bytes.
            times: (n,) event times, ns.
            slots: (n,) of their keys.
            values: (n, width) numbers to be kept.

        Raises:
            ValueError: arrays of another shape.
        """
        columns = _shaped(len(ids), self.width, times, slots, values)
        rows, places = self._placed(ids)
        for array, column in zip((self._times, self._slots, self._values), columns, strict=True):
            array[places] = column[rows]
        if self.expire is not None:
            since = columns[0][rows].tolist()
            self._ages.put([ids[row] for row in rows], since, len(self._waiting))

    def take(self, ids: Sequence[Id], times: ArrayLike | None = None) -> Taken:
        """Labels came: the predictions that waited for them, which wait no more. Others are counted.

        Args:
            ids: (n,) of the predictions.
            times: (n,) event times of the labels, ns: one past the expiry of its prediction counts as late even if
                no watermark has told so yet, so that the outcome does not depend on when watermarks come.

        Raises:
            ValueError: times of another shape.
        """
        came = None if times is None else _column("times", times, np.int64, len(ids)).tolist()
        rows: list[int] = []
        places: list[int] = []
        for row, name in enumerate(ids):
            place = self._waiting.get(name)
            if place is None:
                self._count_stray(name)
            elif came is not None and self._is_past(place, came[row]):
                self._settle(name, "missing", "expired")
                self._counts.late += 1
            else:
                self._settle(name, "labelled", "labelled")
                rows.append(row)
                places.append(place)
        return Taken(np.array(rows, np.intp), self._slots[places], self._values[places])

    def abstain(self, ids: Sequence[Id]) -> None:
        """No label will come for these predictions; ids that do not wait are ignored."""
        for name in ids:
            if name in self._waiting:
                self._settle(name, "missing", "abstained")

    def advance(self, watermark: int) -> int:
        """Event time has come so far (ns): predictions that are `expire` old or older wait no more. How many they were."""
        if self.expire is None:
            return 0
        old = self._ages.due(watermark - self.expire)
        for name in old:
            self._settle(name, "missing", "expired")
        return len(old)

    def snapshot(self) -> dict[str, Any]:
        """The state, of numbers, strings, lists and arrays."""
        places = list(self._waiting.values())
        return {
            "ids": list(self._waiting),
            "times": self._times[places],
            "slots": self._slots[places].astype(np.int64),
            "values": self._values[places],
            "settled": list(self._settled),
            "fates": list(self._settled.values()),
            "counts": asdict(self._counts),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as when that was taken. What is more than `capacity` is evicted, the oldest first.

        Raises:
            ValueError: it is not the state of such a ledger.
        """
        wanted = ("ids", "times", "slots", "values", "settled", "fates", "counts")
        if set(state) != set(wanted):
            raise ValueError(f"a state of Ledger has {', '.join(wanted)}; got {', '.join(state)}")
        columns = (state["times"], state["slots"], state["values"])
        _shaped(len(state["ids"]), self.width, *columns)
        self._forget()
        self.put(state["ids"], *columns)
        evicted = self._counts.evicted
        self._settled = (
            OrderedDict(zip(state["settled"], state["fates"], strict=True)) | self._settled
        )
        self._counts = Counts(**state["counts"])
        self._counts.evicted += evicted
        self._shed()

    def _has_age(self, name: Id, time: int) -> bool:
        place = self._waiting.get(name)
        return place is not None and int(self._times[place]) == time

    def _forget(self) -> None:
        self._waiting = OrderedDict()
        self._settled = OrderedDict()
        self._counts = Counts()
        self._ages = Ages(self._has_age)
        self._free = []
        self._times = np.empty(0, np.int64)
        self._slots = np.empty(0, np.intp)
        self._values = np.empty((0, self.width))

    def _placed(self, ids: Sequence[Id]) -> tuple[list[int], list[int]]:
        """Which rows are new, and a place for each; of a batch above capacity, late rows take the places of early."""
        rows: list[int] = []
        places: list[int] = []
        for row, name in enumerate(ids):
            if name in self._waiting or name in self._settled:
                self._counts.again += 1
                continue
            place = self._place()
            self._waiting[name] = place
            rows.append(row)
            places.append(place)
        self._counts.predicted += len(rows)
        return rows, places

    def _place(self) -> int:
        if len(self._waiting) == self.capacity:
            self._settle(next(iter(self._waiting)), "missing", "evicted")
        if not self._free:
            self._make_room()
        return self._free.pop()

    def _make_room(self) -> None:
        have = len(self._times)
        more = min(max(have, 64), self.capacity - have)
        self._times = np.r_[self._times, np.empty(more, np.int64)]
        self._slots = np.r_[self._slots, np.empty(more, np.intp)]
        self._values = np.r_[self._values, np.empty((more, self.width))]
        self._free.extend(range(have + more - 1, have - 1, -1))

    def _settle(
        self, name: Id, fate: Fate, as_: Literal["labelled", "abstained", "expired", "evicted"]
    ) -> None:
        self._free.append(self._waiting.pop(name))
        self._settled[name] = fate
        self._shed()
        setattr(self._counts, as_, getattr(self._counts, as_) + 1)

    def _shed(self) -> None:
        while len(self._settled) > self.capacity:
            self._settled.popitem(last=False)

    def _count_stray(self, name: Id) -> None:
        fate = self._settled.get(name)
        self._counts.unknown += fate is None
        self._counts.repeated += fate == "labelled"
        self._counts.late += fate == "missing"

    def _is_past(self, place: int, came: int) -> bool:
        return self.expire is not None and came - int(self._times[place]) >= self.expire


def _shaped(
    rows: int, width: int, times: ArrayLike, slots: ArrayLike, values: ArrayLike
) -> tuple[Times, NDArray[np.intp], Floats]:
    numbers = np.asarray(values, np.float64)
    if numbers.shape != (rows, width):
        raise ValueError(f"values are of shape {numbers.shape}, wanted {(rows, width)}")
    return _column("times", times, np.int64, rows), _column("slots", slots, np.intp, rows), numbers


def _column(name: str, values: ArrayLike, dtype: type[Any], rows: int) -> NDArray[Any]:
    column = np.asarray(values, dtype)
    if column.shape != (rows,):
        raise ValueError(f"{name} are of shape {column.shape}, wanted {(rows,)}")
    return column
