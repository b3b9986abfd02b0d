"""windows_columns: the same as windows_rows, of batches of 1024 rows with whole numbers as keys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.consuming import BATCH
from benchmarks.cases.events import (
    BOUND,
    BOUND_SECONDS,
    KEYS,
    ROWS,
    SECOND,
    START,
    by_bytewax,
    checksum,
    clocked,
    columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10
SIZE = SECONDS * SECOND
LONG_AGO = -(1 << 63)


class Same:
    """A key is its own place: it knows what no library does, that keys are whole numbers below a thousand."""

    def of(self, keys: Any) -> Any:
        """The place of each key, below KEYS."""
        return keys

    def keys(self, places: Any) -> Any:
        """The keys at these places."""
        return places


class Searched:
    """For whole numbers of whatever size, a thousand at most: those known are kept in order, and searched."""

    def __init__(self) -> None:
        import numpy as np  # noqa: PLC0415

        self._known: Any = np.empty(0, np.int64)
        self._at = self._came = self._known

    def of(self, keys: Any) -> Any:
        """The place of each key, below KEYS: as they came."""
        import numpy as np  # noqa: PLC0415

        if len(self._known):
            found = self._known.searchsorted(keys).clip(max=len(self._known) - 1)
            if (self._known[found] == keys).all():
                return self._at[found]
        self._came = np.r_[self._came, np.setdiff1d(keys, self._known)]
        self._at = self._came.argsort()
        self._known = self._came[self._at]
        return self.of(keys)

    def keys(self, places: Any) -> Any:
        """The keys at these places."""
        return self._came[places]


class Hand:
    """By hand in numpy: an array of counts and one of sums for each window, with a place for each key.

    An event is late if its window has ended before it: that is looked at row by row only where a batch could have one.

    Args:
        places: where each key has its own.
    """

    def __init__(self, places: Same | Searched) -> None:
        self.late = 0
        self._places = places
        self._windows: dict[int, tuple[Any, Any]] = {}
        self._watermark = LONG_AGO

    def results(self, batches: list[dict[str, Any]]) -> Iterator[tuple[Any, Any, Any]]:
        """Keys, starts and means of the windows that end, a window at a time."""
        for batch in batches:
            times, keys, values = batch["ts"], batch["key"], batch["value"]
            first, last = (int(each) // SIZE * SIZE for each in (times.min(), times.max()))
            newest = int(times.max()) - BOUND
            if first + SIZE <= newest:
                times, keys, values = self._on_time(times, keys, values)
            self._watermark = max(self._watermark, newest)
            if first == last:
                self._add(first, keys, values)
            else:
                starts = times - times % SIZE
                for start in range(first, last + 1, SIZE):
                    here = starts == start
                    self._add(start, keys[here], values[here])
            yield from self._ended(self._watermark)
        yield from self._ended(1 << 63)

    def _on_time(self, times: Any, keys: Any, values: Any) -> tuple[Any, Any, Any]:
        import numpy as np  # noqa: PLC0415

        rising = np.maximum.accumulate(np.r_[self._watermark, times[:-1] - BOUND])
        kept = times - times % SIZE + SIZE > rising
        self.late += len(times) - int(np.count_nonzero(kept))
        return times[kept], keys[kept], values[kept]

    def _add(self, start: int, keys: Any, values: Any) -> None:
        import numpy as np  # noqa: PLC0415

        if not len(keys):  # all of them were late
            return
        state = self._windows.get(start)
        if state is None:
            state = self._windows[start] = (np.zeros(KEYS, np.int64), np.zeros(KEYS))
        counts, sums = state
        at = self._places.of(keys)
        counts += np.bincount(at, minlength=KEYS)
        sums += np.bincount(at, values, KEYS)

    def _ended(self, watermark: int) -> Iterator[tuple[Any, Any, Any]]:
        import numpy as np  # noqa: PLC0415

        for start in sorted(start for start in self._windows if start + SIZE <= watermark):
            counts, sums = self._windows.pop(start)
            at = np.flatnonzero(counts)
            yield self._places.keys(at), np.full(len(at), start), sums[at] / counts[at]


def checked(told: list[tuple[Any, Any, Any]]) -> float:
    """The checksum of columns: keys, starts and means."""
    return sum(
        checksum(keys.tolist(), ((starts - START) // SIZE).tolist(), means.tolist())
        for keys, starts, means in told
    )


def by_hand(size: int) -> Outcome:
    """A loop over the columns."""
    return _by(Hand(Same()), size)


def by_hand_with_any_keys(size: int) -> Outcome:
    """The same, for keys that may be any whole numbers."""
    return _by(Hand(Searched()), size)


def _by(hand: Hand, size: int) -> Outcome:
    batches = columns(size)
    told, measures = clocked(lambda: list(hand.results(batches)))
    assert not hand.late
    return Outcome(checked(told), measures)


def rxml(size: int) -> Outcome:
    """Ours."""
    from rxml import aggregates as agg  # noqa: PLC0415
    from rxml import from_batches  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415
    from rxml.batch.batch import Batch  # noqa: PLC0415
    from rxml.eventtime import bounded  # noqa: PLC0415
    from rxml.windows import tumbling  # noqa: PLC0415

    batches = [Batch(each) for each in columns(size)]
    flow = from_batches(batches).pipe(
        ops.with_event_time("ts", bounded(BOUND_SECONDS)),
        ops.key_by("key"),
        ops.window(tumbling(SECONDS), late="error").aggregate(mean=agg.mean("value")),
    )

    async def main() -> list[Any]:
        told: list[Any] = []
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(ROWS)).end:
                if len(chunk.elements):
                    told.append(chunk.elements)
        return told

    told, measures = clocked(lambda: asyncio.run(main()))
    return Outcome(checked([(each["key"], each["start"], each["mean"]) for each in told]), measures)


def bytewax(size: int) -> Outcome:
    """It has no columns: the same events as rows."""
    return by_bytewax(size, seconds=SECONDS, batch=BATCH, ordered=True)


def bytewax_tuned(size: int) -> Outcome:
    """As fast as we could make it: larger batches, and no order within a key."""
    return by_bytewax(size, seconds=SECONDS, batch=10 * BATCH, ordered=False)


CASE = Case(
    name="windows_columns",
    what="mean by key over tumbling windows of 10 s, 1,000 keys, batches of 1024 up to 4 ms out of order",
    limit="numpy's bincount of counts and sums, by keys that are known to be places in an array",
    size=200_000,
    quick=50_000,
    unit="events",
    contestants={
        "rxml": Contestant(rxml, "with_event_time | key_by | window(tumbling).aggregate(mean)"),
        "hand": Contestant(
            by_hand_with_any_keys, "numpy by hand, told no more of the keys than we are"
        ),
        "places": Contestant(by_hand, "numpy by hand, that knows keys to be places in an array"),
        "bytewax": Contestant(bytewax, "rows: key_on | fold_window, batches of 1000", "bytewax"),
        "bytewax_tuned": Contestant(
            bytewax_tuned, "the same with ordered=False, batches of 10,000", "bytewax"
        ),
    },
    musts=(Must("speed", "hand", 0.5), Must("speed", "bytewax", 100.0)),
    tolerance=1e-9,
)
