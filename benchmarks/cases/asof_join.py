"""asof_join: each of a million rows with the newest row of its key among another million, by its time."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from benchmarks.case import Case, Contestant, Must, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 16_384
KEYS = 1_000
SECOND = 1_000_000_000


@cache
def data(size: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two tables in the order of time: time (ns), key and a value, `size` rows each, one millisecond apart on average."""
    import numpy as np  # noqa: PLC0415

    generator = np.random.default_rng(11)
    tables: list[dict[str, Any]] = []
    for value in ("amount", "rate"):
        times = 1_700_000_000 * SECOND + np.sort(generator.integers(0, size * 1_000_000, size))
        keys = generator.integers(0, KEYS, size)
        tables.append({"time": times, "key": keys, value: generator.normal(size=size)})
    return tables[0], tables[1]


def checksum(total: float, found: int) -> float:
    """Of the values found and how many they are."""
    return total + found


def pandas(size: int) -> Outcome:
    """All at once."""
    import pandas as pd  # noqa: PLC0415

    left, right = map(pd.DataFrame, data(size))
    joined: Any = pd.merge_asof(left, right, on="time", by="key")
    rates = joined["rate"]
    return Outcome(checksum(float((joined["amount"] * rates).sum()), int(rates.notna().sum())))


def rxml(size: int) -> Outcome:
    """Ours: two streams of batches, joined as they come."""
    import numpy as np  # noqa: PLC0415

    from rxml import from_batches  # noqa: PLC0415
    from rxml import operators as ops  # noqa: PLC0415
    from rxml.batch.batch import Batch  # noqa: PLC0415

    def flow(table: dict[str, Any]) -> Any:
        whole = Batch(table)

        def batches() -> Iterator[Any]:
            return (whole[start : start + ROWS] for start in range(0, size, ROWS))

        return from_batches(cast("Callable[[], Any]", batches)).pipe(ops.with_event_time("time"))

    left, right = map(flow, data(size))
    joined = left.pipe(ops.asof_join(right, key="key"))

    async def main() -> tuple[float, int]:
        total, found = 0.0, 0
        async with joined.open() as subscription:
            while not (chunk := await subscription.request(ROWS)).end:
                if len(chunk.elements):
                    batch = chunk.elements
                    total += float(np.nansum(batch["amount"] * batch["rate"]))
                    found += int(batch["found"].sum())
        return total, found

    return Outcome(checksum(*asyncio.run(main())))


CASE = Case(
    name="asof_join",
    what="as-of join of two tables by key, 1,000 keys, both in the order of time",
    limit="one pass over both tables in a compiled language, with a hash table of the newest row of each key",
    size=1_000_000,
    quick=200_000,
    unit="rows on either side",
    contestants={
        "rxml": Contestant(
            rxml, "two from_batches | with_event_time, asof_join(key), chunks of 16,384 rows"
        ),
        "pandas": Contestant(pandas, "pandas.merge_asof(on, by) of two whole frames"),
    },
    musts=(Must("speed", "pandas", 0.5),),
    tolerance=1e-9,
)
