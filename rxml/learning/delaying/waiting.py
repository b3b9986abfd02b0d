"""Waiting: what is kept of predictions until their labels come, in bounded memory, each settled once and counted."""

from __future__ import annotations

from collections import OrderedDict
from copy import copy
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from rxml.flow.check import require_count
from rxml.uncertain.calibration.ages import Ages
from rxml.uncertain.calibration.labels import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from rxml.eventtime.keyed.placement import Placement

Fate: TypeAlias = Literal["labelled", "missing"]

GONE: Final = -1
"""In place of a slot that has been given to another key."""


class Kept(NamedTuple):
    """What is kept of a prediction.

    Attributes:
        time: of the element, ns.
        slot: of its key, `GONE` if that was given up.
        born: how many keys had had that slot.
        values: whatever is needed when the label comes, plain values or distributions.
    """

    time: int
    slot: int
    born: int
    values: tuple[Any, ...]


class Waiting:
    """A `rxml.uncertain.calibration.labels.Ledger` of any values, which also knows when a key was given up.

    Args:
        capacity: predictions that may wait, >= 1; as many ids that were settled are remembered.
        expire: ns of event time after which a label is no longer waited for, > 0; None is forever.
    """

    def __init__(self, capacity: int, expire: int | None = None) -> None:
        self._capacity = require_count("capacity", capacity, 1)
        self._expire = expire
        self._waiting: OrderedDict[Any, Kept] = OrderedDict()
        self._settled: OrderedDict[Any, Fate] = OrderedDict()
        self._born: dict[int, int] = {}
        self._counts = Counts()
        self._ages = Ages(self._waits)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def counts(self) -> Counts:
        """A copy of what was counted so far."""
        return copy(self._counts)

    def put(
        self,
        ids: Sequence[Any],
        times: Sequence[int],
        slots: Sequence[int],
        values: Iterable[tuple[Any, ...]],
    ) -> None:
        """Predictions were made. One whose id waits, or is remembered as settled, is only counted."""
        born = self._born
        for name, time, slot, each in zip(ids, times, slots, values, strict=True):
            if name in self._waiting or name in self._settled:
                self._counts.again += 1
                continue
            if len(self._waiting) == self._capacity:
                self._settle(next(iter(self._waiting)), "missing", "evicted")
            self._waiting[name] = Kept(time, slot, born.get(slot, 0), each)
            self._counts.predicted += 1
            if self._expire is not None:
                self._ages.put((name,), (time,), len(self._waiting))

    def place(
        self,
        placed: Placement,
        ids: Sequence[Any],
        times: NDArray[np.int64],
        values: Iterable[tuple[Any, ...]],
    ) -> None:
        """Predictions were made for elements that have been placed: `put`, and slots that change hands."""
        self.forget(placed.fresh)
        self.put(ids, times.tolist(), placed.codes.tolist(), values)
        self.forget(placed.retired)

    def forget(self, slots: Iterable[int]) -> None:
        """These slots are another key's from now on: what waits of the one before finds its slot `GONE`."""
        for slot in slots:
            self._born[slot] = self._born.get(slot, 0) + 1

    def find(self, ids: Sequence[Any], times: Sequence[int | None]) -> tuple[list[int], list[Kept]]:
        """Which of the labels `take` would find predictions for, and what it would give for them; nothing changes."""
        seen: set[Any] = set()
        rows: list[int] = []
        found: list[Kept] = []
        for row, (name, time) in enumerate(zip(ids, times, strict=True)):
            kept = self._waiting.get(name)
            if kept is not None and name not in seen and not self._is_past(kept, time):
                rows.append(row)
                found.append(kept._replace(slot=self._slot(kept)))
            seen.add(name)
        return rows, found

    def take(self, ids: Sequence[Any], times: Sequence[int | None]) -> list[Kept]:
        """Labels came: what was kept of those that `find` tells of, which waits no more. Others are counted.

        Args:
            ids: of the predictions.
            times: of the labels, ns: one past the expiry of its prediction is late even if no watermark has told so yet,
                so that the outcome does not depend on when watermarks come. None: not known.
        """
        taken: list[Kept] = []
        for name, time in zip(ids, times, strict=True):
            kept = self._waiting.get(name)
            if kept is None:
                self._count_stray(name)
            elif self._is_past(kept, time):
                self._settle(name, "missing", "expired")
                self._counts.late += 1
            else:
                self._settle(name, "labelled", "labelled")
                taken.append(kept._replace(slot=self._slot(kept)))
        return taken

    def abstain(self, ids: Iterable[Any]) -> None:
        """No label will come for these predictions; ids that do not wait are ignored."""
        for name in ids:
            if name in self._waiting:
                self._settle(name, "missing", "abstained")

    def advance(self, watermark: int) -> None:
        """Event time has come so far (ns): predictions that are `expire` old or older wait no more."""
        if self._expire is None:
            return
        for name in self._ages.due(watermark - self._expire):
            self._settle(name, "missing", "expired")

    def snapshot(self) -> dict[str, Any]:
        """The state, of plain values and what was kept."""
        return {
            "waiting": [
                [name, *kept[:3], list(kept.values)] for name, kept in self._waiting.items()
            ],
            "settled": [list(pair) for pair in self._settled.items()],
            "born": [list(pair) for pair in self._born.items()],
            "counts": asdict(self._counts),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as when that was taken. What is more than `capacity` is evicted, the oldest first."""
        self._waiting = OrderedDict(
            (name, Kept(time, slot, born, tuple(values)))
            for name, time, slot, born, values in state["waiting"]
        )
        self._settled = OrderedDict((name, fate) for name, fate in state["settled"])
        self._born = dict(state["born"])
        self._counts = Counts(**state["counts"])
        self._ages = Ages(self._waits)
        if self._expire is not None:
            times = [kept.time for kept in self._waiting.values()]
            self._ages.put(self._waiting, times, len(times))
        while len(self._waiting) > self._capacity:
            self._settle(next(iter(self._waiting)), "missing", "evicted")
        self._shed()

    def _waits(self, name: Any, since: int) -> bool:
        kept = self._waiting.get(name)
        return kept is not None and kept.time == since

    def _slot(self, kept: Kept) -> int:
        return kept.slot if self._born.get(kept.slot, 0) == kept.born else GONE

    def _settle(
        self, name: Any, fate: Fate, as_: Literal["labelled", "abstained", "expired", "evicted"]
    ) -> None:
        del self._waiting[name]
        self._settled[name] = fate
        self._shed()
        setattr(self._counts, as_, getattr(self._counts, as_) + 1)

    def _shed(self) -> None:
        while len(self._settled) > self._capacity:
            self._settled.popitem(last=False)

    def _count_stray(self, name: Any) -> None:
        fate = self._settled.get(name)
        self._counts.unknown += fate is None
        self._counts.repeated += fate == "labelled"
        self._counts.late += fate == "missing"

    def _is_past(self, kept: Kept, time: int | None) -> bool:
        return self._expire is not None and time is not None and time - kept.time >= self._expire
