"""Lions and their prey: what uncertain sensors saw is kept as facts, and asked as of any moment.

A sensor at a water hole never knows how many animals are there, only that they are between two bounds. Readings come
late and out of order, a hundred in one millisecond, nine of ten from one sensor. (After chapter 3 of Jeff Smith,
"Machine Learning Systems", where these were what went wrong.)

python examples/lions.py
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import rxml
from rxml import operators as ops
from rxml.facts import (
    Fact,
    FactLog,
    PartitionedLog,
    View,
    derived_id,
    facts_batch,
    partitions_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

DAWN: Final = datetime(2026, 1, 2, 6, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
SENSORS: Final = 20
READINGS: Final = 5000
PARTITIONS: Final = 16


def reading(
    sensor: str, seen: datetime, arrived: datetime, bounds: tuple[float, float], number: int
) -> Fact:
    """What a sensor saw; the same number is the same reading, however often it is sent."""
    lower, upper = bounds
    name = derived_id("reading", sensor, str(number))
    payload = {"prey": "zebra"}
    return Fact.of(sensor, seen, payload, id=name, arrival_time=arrived, lower=lower, upper=upper)


def told(fact: Fact | None) -> str:
    """A reading in words."""
    if fact is None:
        return "nothing is known"
    return f"{fact.lower:.0f} to {fact.upper:.0f} animals"


def out_of_order(log: FactLog) -> None:
    """The herd of the morning is heard of after it has left."""
    herd = reading("waterhole", DAWN, DAWN + 4.2 * HOUR, (86, 97), 1)
    gone = reading("waterhole", DAWN + 4 * HOUR, DAWN + 4 * HOUR, (0, 2), 2)
    log.append_facts([gone, herd])  # as they arrive
    view = View(log)
    early = view.as_of(DAWN + HOUR, known_at=DAWN + 4.1 * HOUR).fact()
    latest, later = view.latest("waterhole").fact(), view.as_of(DAWN + HOUR).fact()
    print("A herd of the morning is heard of last.")
    print(f"  now:                     {told(latest)}")
    print(f"  as of 07:00:             {told(later)}")
    print(f"  as of 07:00, at 10:06:   {told(early)}")
    assert [told(each) for each in (latest, later)] == ["0 to 2 animals", "86 to 97 animals"]
    assert early is None


async def at_once(log: FactLog) -> None:
    """A stampede: all within a millisecond, and sent twice, since the network was not sure."""
    stampede = rxml.from_iterable(
        [reading("stampede", DAWN, DAWN, (at, at + 3), at) for at in range(100)]
    )
    counts = [
        Counter([each.status for each in await stampede.pipe(log.append()).to_list()])
        for _ in range(2)
    ]
    print("A hundred readings of one sensor in one millisecond, sent twice.")
    print(f"  first: {counts[0]['stored']} stored; again: {counts[1]['duplicate']} known already")
    assert counts == [{"stored": 100}, {"duplicate": 100}]
    assert await asyncio.to_thread(View(log).key("stampede").count) == 100


def day(chance: random.Random) -> list[Fact]:
    """A day of readings in order of their arrival, up to two hours late; nine of ten are those of one sensor."""
    readings: list[Fact] = []
    for number in range(READINGS):
        sensor = "hot" if number % 10 else f"lion-{chance.randrange(SENSORS):02}"
        seen = DAWN + 12 * HOUR * chance.random()
        lower = float(chance.randrange(30))
        bounds = (lower, lower + chance.randrange(10))
        readings.append(reading(sensor, seen, seen + 2 * HOUR * chance.random(), bounds, number))
    return sorted(readings, key=lambda fact: fact.arrival_time)


def share(loads: Sequence[int]) -> float:
    """How much more the most burdened has than the mean."""
    return max(loads) / (sum(loads) / len(loads))


def hot_sensor(log: PartitionedLog, readings: list[Fact]) -> None:
    """Nine readings of ten come from one sensor, and no partition suffers."""
    log.append_batch(facts_batch(readings))
    by_key = partitions_of([fact.key for fact in readings], PARTITIONS).tolist()
    loads = [by_key.count(number) for number in range(PARTITIONS)]
    spread = share([part.length for part in log.logs])
    print(f"One sensor sends nine tenths of {READINGS:,} readings to {PARTITIONS} partitions.")
    print(f"  by its name, the fullest would have {share(loads):.1f} times the mean")
    print(f"  by the readings' ids it has {spread:.2f} times the mean")
    assert spread <= 1.2
    hot = View(log).key("hot")
    assert hot.facts() == [fact for fact in readings if fact.key == "hot"]
    tenth = hot.nth(10).facts()
    assert tenth == hot.last(10).skip(9).limit(1).facts() == hot.last(10).facts()[9:]


async def all_animals(log: PartitionedLog) -> None:
    """How many animals are there in all? Between the sum of the lower bounds and that of the upper ones."""
    noon = DAWN + 6 * HOUR
    lions = View(log).filter(lambda fact: fact.key.startswith("lion"))
    print("How many animals were there at noon, at all water holes of the lions?")
    for name, known_at in (("at noon", noon), ("an hour later", noon + HOUR), ("now", None)):
        rows = await lions.as_of(noon, known_at).flow().pipe(ops.to_list())
        lower, upper = (sum(row[bound] for row in rows) for bound in ("lower", "upper"))
        print(f"  as known {name}: {lower:.0f} to {upper:.0f}")
        assert rows
        assert lower <= upper


def in_any_order(folder: Path, readings: list[Fact], chance: random.Random) -> None:
    """Facts fold to the same state in whatever order they arrive."""
    states: list[list[Fact]] = []
    for number in range(2):
        with FactLog(folder / f"order-{number}.db") as log:
            log.append_facts(readings)
            states.append(View(log).as_of(DAWN + 6 * HOUR).facts())
        chance.shuffle(readings)
    print("The same facts in another order.")
    print(f"  {len(states[0])} sensors, the same state: {states[0] == states[1]}")
    assert states[0] == states[1]


def main() -> None:
    """Tell the story, and check it."""
    chance = random.Random(7)  # noqa: S311 - a story, no secret
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with FactLog(folder / "facts.db") as log:
            out_of_order(log)
            asyncio.run(at_once(log))
        readings = day(chance)
        with PartitionedLog(folder / "day", PARTITIONS) as parts:
            hot_sensor(parts, readings)
            asyncio.run(all_animals(parts))
        in_any_order(folder, readings, chance)


if __name__ == "__main__":
    main()
