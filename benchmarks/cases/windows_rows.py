"""windows_rows: the mean of each of a thousand keys over ten seconds of event time, of events as dicts."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.consuming import BATCH
from benchmarks.cases.events import (
    BOUND,
    BOUND_SECONDS,
    ROWS,
    SECOND,
    START,
    by_bytewax,
    checksum,
    clocked,
    events,
)

SECONDS = 10
SIZE = SECONDS * SECOND
LONG_AGO = -(1 << 63)


class Hand:
    """The loop by hand: a dict of windows, each a dict of keys; a watermark, and a look whether an event is late.

    The keys of a window come in the order in which they were seen first, which spares sorting them.
    """

    def __init__(self) -> None:
        self.late = 0
        self.results: list[dict[str, Any]] = []
        self._windows: dict[int, dict[str, list[Any]]] = {}

    def run(self, rows: list[dict[str, Any]]) -> None:
        """All of it: in one function, for calls would cost as much as the work."""
        windows, watermark, closing = self._windows, LONG_AGO, LONG_AGO
        for row in rows:
            time = row["ts"]
            start = time - time % SIZE
            if start + SIZE <= watermark:
                self.late += 1
                continue
            keys = windows.get(start)
            if keys is None:
                keys = windows[start] = {}
                closing = min(windows) + SIZE
            state = keys.get(row["key"])
            if state is None:
                keys[row["key"]] = [1, row["value"]]
            else:
                state[0] += 1
                state[1] += row["value"]
            if time - BOUND > watermark:
                watermark = time - BOUND
                if watermark >= closing:
                    closing = self._close(watermark)
        self._close(max(windows, default=0) + SIZE)

    def _close(self, watermark: int) -> int:
        """Tell the windows that have ended; when the next one does."""
        for start in sorted(self._windows):
            if start + SIZE > watermark:
                return start + SIZE
            for key, (n, total) in self._windows.pop(start).items():
                self.results.append(
                    {"key": key, "start": start, "end": start + SIZE, "mean": total / n}
                )
        return 1 << 63


def by_hand(size: int) -> Outcome:
    """One loop over the dicts."""
    hand, rows = Hand(), events(size)
    _, measures = clocked(lambda: hand.run(rows))
    assert not hand.late
    keys = (int(row["key"][1:]) for row in hand.results)
    windows = ((row["start"] - START) // SIZE for row in hand.results)
    return Outcome(checksum(keys, windows, (row["mean"] for row in hand.results)), measures)


def rxml(size: int) -> Outcome:
    """Ours."""
    from rxml import aggregates as agg  # noqa: PLC0415
    from rxml import from_iterable  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415
    from rxml.eventtime import bounded  # noqa: PLC0415
    from rxml.windows import tumbling  # noqa: PLC0415

    flow = from_iterable(events(size)).pipe(
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
    total = 0.0
    for batch in told:
        keys = (int(key[1:]) for key in batch["key"].tolist())
        windows = ((batch["start"] - START) // SIZE).tolist()
        total += checksum(keys, windows, batch["mean"].tolist())
    return Outcome(total, measures)


def bytewax(size: int) -> Outcome:
    """As its documentation shows it, in the batches of the other cases."""
    return by_bytewax(size, seconds=SECONDS, batch=BATCH, ordered=True)


def bytewax_tuned(size: int) -> Outcome:
    """As fast as we could make it: larger batches, and no order within a key."""
    return by_bytewax(size, seconds=SECONDS, batch=10 * BATCH, ordered=False)


CASE = Case(
    name="windows_rows",
    what="mean by key over tumbling windows of 10 s, 1,000 keys, dicts up to 4 ms out of order",
    limit="one loop over the dicts, with a dict of windows of dicts of keys, a watermark and a look at it for each",
    size=200_000,
    quick=50_000,
    unit="events",
    contestants={
        "rxml": Contestant(rxml, "with_event_time | key_by | window(tumbling).aggregate(mean)"),
        "hand": Contestant(by_hand, "the loop by hand"),
        "bytewax": Contestant(bytewax, "key_on | fold_window, batches of 1000", "bytewax"),
        "bytewax_tuned": Contestant(
            bytewax_tuned, "the same with ordered=False, batches of 10,000", "bytewax"
        ),
    },
    musts=(Must("speed", "bytewax", 12.0), Must("speed", "hand", 0.8)),
    tolerance=1e-9,
)
