"""keys: a million keys, each of which is done with after a while; what is remembered of them, and how fast."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from benchmarks.case import Case, Contestant, Must, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.operator import Operator

ROWS = 1024
EACH = 4
"""Elements of a key."""
SPREAD = 20_000
"""Elements within which those of a key come, out of order."""
TTL = 40_000
"""Elements after which a key's state is given up; one comes every microsecond."""
KEY_BYTES = 768
"""What a key may take: a slot in a table that doubles, its number, its times, its states and a place in a bucket."""
SLACK_BYTES = 12 << 20
"""What CPython and numpy take beyond: arenas, the batches on their way, and the loop."""


@cache
def jitter() -> Any:
    """By how much the numbers of a chunk are shuffled; the same for each of 97 chunks."""
    import numpy as np  # noqa: PLC0415

    return np.random.default_rng(11).integers(0, SPREAD, (97, ROWS))


def columns(size: int) -> Iterator[tuple[Any, Any]]:
    """Keys and times of each chunk, int64 arrays (1024,)."""
    import numpy as np  # noqa: PLC0415

    for number, start in enumerate(range(0, size, ROWS)):
        rows = np.arange(start, min(start + ROWS, size))
        keys = (rows + jitter()[number % 97][: len(rows)]) // EACH + (1 << 40)
        yield keys, rows * 1_000


def by_hand(size: int) -> Outcome:
    """A dict in the order of the last elements, from whose front what is over is taken."""
    states: OrderedDict[int, tuple[int, int]] = OrderedDict()
    total = most = 0
    ttl = TTL * 1_000
    for keys, times in columns(size):
        for key, time in zip(keys.tolist(), times.tolist(), strict=True):
            count, last = states.pop(key, (0, time))
            count = 1 if last + ttl < time else count + 1
            states[key] = (count, time)
            total += count
        most = max(most, len(states))
        over = int(times[-1]) - ttl
        while states and next(iter(states.values()))[1] < over:
            states.popitem(last=False)
    return Outcome(total, {"keys": most})


def rxml(size: int) -> Outcome:
    """Ours: running counts of each key, with a ttl."""
    from rxml import aggregates as agg  # noqa: PLC0415
    from rxml import from_batches  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415
    from rxml.batch.batch import Batch  # noqa: PLC0415
    from rxml.flow.run import Run  # noqa: PLC0415

    def source() -> Iterator[Any]:
        return (Batch({"key": keys, "time": times}) for keys, times in columns(size))

    timed = from_batches(source).pipe(ops.with_event_time("time", unit="ns"))
    by: Operator[Any, Any] = ops.key_by("key", ttl=TTL / 1e6)
    flow: Any = timed.pipe(by, ops.aggregate(n=agg.count()))

    async def main() -> tuple[int, int]:
        total = 0
        async with Run[Any](flow) as run:
            while not (chunk := await run.subscription.request(ROWS)).end:
                total += int(cast("Any", chunk.elements)["n"].sum())
        return total, run.statistics().stages[-1].evicted

    total, evicted = asyncio.run(main())
    live = (TTL + SPREAD + ROWS) // EACH
    return Outcome(total, {"allowed_bytes": live * KEY_BYTES + SLACK_BYTES, "evicted": evicted})


CASE = Case(
    name="keys",
    what="running counts of a million keys, each remembered for a while: growth of the peak memory, and speed",
    limit="a dict by hand in the order of last elements",
    size=4_000_000,
    quick=1_000_000,
    unit="elements",
    contestants={
        "rxml": Contestant(rxml, "from_batches | key_by(ttl) | aggregate(count), request(1024)"),
        "hand": Contestant(by_hand, "an OrderedDict, for each element"),
    },
    musts=(
        Must("within", "allowed_bytes", 1, "peak_growth_bytes"),
        Must("speed", "hand", 0.6),
    ),
    shown=("peak_growth_bytes", "seconds"),
    fresh=True,
)
