"""sliding: the mean of each of a thousand keys over the last 10, 60 and 100 seconds, told every second."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.events import (
    BOUND,
    BOUND_SECONDS,
    JITTER_US,
    KEYS,
    ROWS,
    SECOND,
    SPACING,
    START,
    clocked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RATIOS = (10, 60, 100)
FULL = START + max(RATIOS) * SECOND
"""From here on windows of all sizes are full."""


@cache
def columns(size: int) -> list[dict[str, Any]]:
    """Pieces of 1024 rows, a millisecond apart and up to four out of place: `ts`, `key`, `value`."""
    import numpy as np  # noqa: PLC0415

    generator = np.random.default_rng(3)
    late = generator.integers(0, JITTER_US, size) * 1_000
    whole = {
        "ts": START + np.arange(size) * SPACING - late,
        "key": generator.integers(0, KEYS, size),
        "value": generator.random(size),
    }
    return [
        {name: column[start : start + ROWS] for name, column in whole.items()}
        for start in range(0, size, ROWS)
    ]


class Told:
    """What comes out, kept until the clock has stopped, and when it did."""

    def __init__(self) -> None:
        self._parts: list[tuple[Any, Any, Any]] = []
        self._moments: list[float] = []

    def add(self, keys: Any, ends: Any, means: Any) -> None:
        """Some results, in the order of the ends of their windows."""
        self._parts.append((keys, ends, means))
        self._moments.append(time.perf_counter())

    def checksum(self) -> float:
        """Another mean, key or window gives another sum, and so does a result more or less."""
        return sum(
            float(((1 + keys % 31) * (1 + (ends - START) // SECOND % 17) * (1 + means)).sum())
            for keys, ends, means in self._parts
        )

    def seconds_a_slide(self, size: int) -> float:
        """While windows are full and elements come: neither the beginning nor the end, whose length is the window's.

        Of so few events that windows of 100 s are never full, as in the warm-up, it is that of them all.
        """
        last = START + size * SPACING
        marks = [
            (int(ends[-1]), moment)
            for (_, ends, _), moment in zip(self._parts, self._moments, strict=True)
        ]
        marks = [mark for mark in marks if FULL <= mark[0] <= last] or marks
        (first, began), (stop, ended) = marks[0], marks[-1]
        return (ended - began) / max(1, (stop - first) // SECOND)


class Hand:
    """By hand in numpy: a slice for each second, and two stacks of them, so that nothing is added up twice nor subtracted.

    It knows that keys are whole numbers below a thousand, that only sums are wanted, and that no second is without events.

    Args:
        ratio: slices in a window.
    """

    def __init__(self, ratio: int) -> None:
        import numpy as np  # noqa: PLC0415

        self._nothing = np.zeros((2, KEYS))
        self._ratio = ratio
        self._open: dict[int, Any] = {}
        self._last = deque([self._nothing] * ratio, ratio)
        self._front: list[Any] = []
        self._back = self._nothing.copy()

    def run(self, batches: list[dict[str, Any]], told: Told) -> None:
        """All of it."""
        newest = 0
        for batch in batches:
            times = batch["ts"]
            newest = max(newest, int(times.max()))
            self._add(times, batch["key"], batch["value"])
            self._close(newest - BOUND, told)
        self._close(newest + SECOND, told)
        start = newest // SECOND * SECOND
        for _ in range(self._ratio - 1):
            start += SECOND
            self._tell(start, self._nothing, told)

    def _add(self, times: Any, keys: Any, values: Any) -> None:
        import numpy as np  # noqa: PLC0415

        starts = times // SECOND * SECOND
        for start in range(int(starts.min()), int(starts.max()) + 1, SECOND):
            here = starts == start
            state = self._open.get(start)
            if state is None:
                state = self._open[start] = self._nothing.copy()
            state[0] += np.bincount(keys[here], minlength=KEYS)
            state[1] += np.bincount(keys[here], values[here], KEYS)

    def _close(self, watermark: int, told: Told) -> None:
        for start in sorted(start for start in self._open if start + SECOND <= watermark):
            self._tell(start, self._open.pop(start), told)

    def _tell(self, start: int, piece: Any, told: Told) -> None:
        import numpy as np  # noqa: PLC0415

        self._last.append(piece)
        if self._front:
            self._back += piece
            counts, sums = self._front.pop() + self._back
        else:
            newest_first = np.cumsum(np.stack(self._last)[::-1], axis=0)
            counts, sums = newest_first[-1]
            self._front, self._back = list(newest_first[:-1]), self._nothing.copy()
        keys = np.flatnonzero(counts)
        told.add(keys, np.full(len(keys), start + SECOND), sums[keys] / counts[keys])


def by_hand(size: int) -> Outcome:
    """Two stacks of numpy arrays."""
    batches = columns(size)
    return _thrice(size, lambda ratio, told: Hand(ratio).run(batches, told))


def rxml(size: int) -> Outcome:
    """Ours."""
    from rxml import aggregates as agg  # noqa: PLC0415
    from rxml import from_batches  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415
    from rxml.batch.batch import Batch  # noqa: PLC0415
    from rxml.eventtime import bounded  # noqa: PLC0415
    from rxml.windows import sliding  # noqa: PLC0415

    batches = [Batch(each) for each in columns(size)]

    def run(ratio: int, told: Told) -> None:
        flow = from_batches(batches).pipe(
            ops.with_event_time("ts", bounded(BOUND_SECONDS)),
            ops.key_by("key"),
            ops.window(sliding(ratio, 1), late="error").aggregate(mean=agg.mean("value")),
        )

        async def main() -> None:
            async with flow.open() as subscription:
                while not (chunk := await subscription.request(ROWS)).end:
                    found: Any = chunk.elements
                    if len(found):
                        told.add(found["key"], found["end"], found["mean"])

        asyncio.run(main())

    return _thrice(size, run)


def _thrice(size: int, run: Callable[[int, Told], None]) -> Outcome:
    """For each ratio: the seconds are those of 60 s / 1 s."""
    measures: dict[str, float] = {}
    checksum = 0.0
    for ratio, told, took in _each(run):
        checksum += told.checksum()
        measures[f"ratio_{ratio}_seconds"] = told.seconds_a_slide(size)
        measures |= took if ratio == 60 else {}
    return Outcome(checksum, measures)


def _each(run: Callable[[int, Told], None]) -> Iterator[tuple[int, Told, dict[str, float]]]:
    for ratio in RATIOS:
        told = Told()
        _, took = clocked(partial(run, ratio, told))
        yield ratio, told, took


CASE = Case(
    name="sliding",
    what="mean by key over sliding windows of 60 s (and 10 s, 100 s) every second, 1,000 keys, batches of 1024",
    limit="two stacks of arrays, one state a second: two additions of arrays and a division for each window",
    size=300_000,
    quick=150_000,
    unit="events",
    contestants={
        "rxml": Contestant(rxml, "with_event_time | key_by | window(sliding).aggregate(mean)"),
        "hand": Contestant(by_hand, "two stacks in numpy, the key is the place"),
    },
    musts=(Must("within", "ratio_10_seconds", 1.5, "ratio_100_seconds"),),
    shown=("seconds", "ratio_10_seconds", "ratio_60_seconds", "ratio_100_seconds"),
    tolerance=1e-9,
)
