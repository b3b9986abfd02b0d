"""Sensors that may err: what a cold store knows of its temperature, counted over all possible worlds.

Eight cheap sensors tell a temperature and how far off it may be; some of what they say comes late, and the radio now and then
hands on what none of them has said. Nothing is rounded to yes or no before the end: doubtful readings count by their
probability, and windows tell distributions, even before they are complete. Of the hottest one above a limit, what counts is what
it is, so readings are drawn in worlds for it.

python examples/sensors.py
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Final

import rxml
from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.eventtime import bounded
from rxml.testing import run as by_virtual_time
from rxml.uncertain import Bernoulli, Draws, Normal, Worlds, prob
from rxml.windows import early, tumbling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch import Batch

SENSORS: Final = 8
DRAWS: Final = Draws(seed=7, worlds=256)
LATE: Final = 20
"""Seconds that a reading may be late at most."""


def readings(seconds: int) -> list[Mapping[str, Any]]:
    """A reading each second, in the order of arrival; in the third minute the door stands open."""
    chance = random.Random(7)  # noqa: S311 - an example that tells the same each time
    came: list[tuple[float, Mapping[str, Any]]] = []
    for second in range(seconds):
        sensor = chance.randrange(SENSORS)
        truth = -18.0 + (3.0 if 120 <= second < 180 else 0.0)
        spread = 0.5 + 0.25 * sensor
        row = {
            "second": second,
            "sensor": sensor,
            "celsius": Normal(chance.gauss(truth, spread), spread**2),
            "presence": Bernoulli(0.5 if chance.random() < 0.1 else 0.99),
        }
        came.append((second + min(chance.expovariate(0.2), LATE - 1), row))
    return [row for _, row in sorted(came, key=lambda each: each[0])]


def drawn(batch: Batch) -> Batch:
    """With columns of what each reading is in each of the worlds, and in which of them it is there."""
    seconds = batch["second"]
    inside = DRAWS.uniform("presence", seconds) < batch["presence"].p
    celsius = batch["celsius"].to(Worlds, draws=DRAWS, name="celsius", ids=seconds)
    there = Bernoulli.in_worlds(inside, None, DRAWS.key)
    return batch.with_columns(drawn=celsius, there=there)


def warm(batch: Batch) -> Bernoulli:
    """Whether it is warmer than food may be: a probability for each reading."""
    event: Bernoulli = batch["celsius"] > -16.0
    return event


def warm_in_worlds(batch: Batch) -> Bernoulli:
    """The same in each world, beside which the temperature is that of this world."""
    event: Bernoulli = batch["drawn"] > -16.0
    return event


def alarming(batch: Batch) -> Any:
    """Whether ten or more warm readings in a minute are as good as certain."""
    return prob(batch["warm"] >= 10) > 0.99


async def main() -> None:
    """Minute by minute, all possible worlds at once."""
    in_worlds = rxml.of(*readings(240)).pipe(ops.map_batch(drawn))
    timed = in_worlds.pipe(ops.with_event_time("second", bounded(LATE), unit="s"))
    minutes = timed.pipe(
        ops.window(tumbling(60)).aggregate(
            warm=pw.count(where=warm),
            highest=pw.max("drawn", where=warm_in_worlds, presence="there", dependence="worlds"),
            one=pw.fuse("celsius", method="hksj"),
            worst=pw.top_k("celsius", 1, id="sensor"),
        )
    )
    print(
        "minute   readings above -16 (90 %)   hottest above -16   fused temperature       hottest"
    )
    async for row in minutes:
        print(told(row))
    alarms = await minutes.pipe(ops.where(alarming)).to_list()
    print("alarm in minutes:", [row["start"] // 60_000_000_000 for row in alarms])


def told(row: Mapping[str, Any]) -> str:
    """A minute in words."""
    warm_ones, one = row["warm"].interval(0.9), row["one"]
    count = f"{float(row['warm'].mean()):4.1f} ({warm_ones.lo:.0f} to {warm_ones.hi:.0f})"
    hottest = float(row["highest"].ppf(0.5))
    fused = f"{float(one.lo):6.2f} to {float(one.hi):6.2f}"
    (top,) = row["worst"][:1]
    sensor = f"sensor {top['id']} with {top['p']:.0%}"
    return f"{row['start'] // 60_000_000_000:6}   {count:26}   {hottest:17.1f}   {fused:>22}   {sensor}"


def reading_of(pair: Any) -> Any:
    """What arrives at a second."""
    return pair[1]


def early_answers() -> None:
    """The last minute, while it is still going on: told every ten seconds, by a clock that no one waits for."""
    arriving = rxml.interval(1.0).pipe(
        ops.zip(rxml.of(*readings(60))),
        ops.map(reading_of),
        ops.with_event_time("second", bounded(LATE), unit="s"),
        ops.window(tumbling(60), emit=early(10)).aggregate(n=pw.count(early=True)),
    )
    for row in by_virtual_time(arriving.to_list()):
        held = row["n"].interval(0.9)
        print(
            f"{row['timing']:8} {float(row['n'].mean()):6.1f} readings, {held.lo:.0f} to {held.hi:.0f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
    early_answers()
