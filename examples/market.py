"""Market: how far an index may move tomorrow, by models that vote, with intervals that hold through a crash.

    days ─▶ five models ─▶ vote ─▶ interval ─▶ position, within limits, with a kill switch

Walk forward only: each day is known when it has come, and so is the label of the forecast that was made the day before. The
models differ in how long they remember; their votes follow who was right of late. The interval follows what was missed. The
position is such that a day at its lower end loses half a percent, and the switch takes all out when capital has shrunk by a
third, or when the intervals are shown not to hold. `make data` brings the index; without it there is nothing to do.

python examples/market.py [--index sp500]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import math
import os
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.flow.kernel import Step
from rxml.flow.kinds import fold
from rxml.learning import Combination, Coverage, Label
from rxml.uncertain import Normal
from rxml.uncertain.calibration import ACI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.flowable import Flowable

LEVEL: Final = 0.9
LOSS: Final = 0.5  # percent of capital that a day at the lower end of the interval may cost
PART: Final = 100  # days of a year: fewer say little
SHRUNK: Final = 0.7  # of the highest capital so far: below it the switch falls
DATA: Final = Path(
    os.environ.get("RXML_ACCEPTANCE_DATA", Path(__file__).resolve().parent.parent / ".data")
)


class Day(NamedTuple):
    """A trading day, and by how much the index has changed since the day before, in percent."""

    number: int
    date: str
    change: float


def days(index: str) -> Iterator[Day]:
    """Daily changes of the closing price, as the logarithm of its ratio."""
    with gzip.open(DATA / f"{index}.csv.gz", "rt") as lines:
        closes = [(row["Date"], float(row["Adj Close"])) for row in csv.DictReader(lines)]
    for number in range(1, len(closes)):
        (_, before), (date, close) = closes[number - 1 : number + 1]
        yield Day(number, date, 100 * math.log(close / before))


MEMORY: Final = {"week": 5, "month": 21, "quarter": 63, "year": 250, "years": 1250}
"""Days of change that each model remembers, weighted exponentially (RiskMetrics, 1996)."""


class Models(Step[Day, Any]):
    """Five forecasts of tomorrow's change: no drift, and the variance that each memory gives."""

    def __init__(self) -> None:
        self._variances = dict.fromkeys(MEMORY, 1.0)

    @override
    def step(self, item: Day, emit: Callable[[Any], None]) -> None:
        emit(Label(item.number, item.change))
        for name, memory in MEMORY.items():
            share = 2 / (memory + 1)
            self._variances[name] += share * (item.change**2 - self._variances[name])
        opinions = {name: Normal(0.0, max(v, 1e-4)) for name, v in self._variances.items()}
        emit({"id": item.number + 1, "day": item, **opinions})


class Position(NamedTuple):
    """What is held overnight, as a share of capital, and what has come of it.

    Attributes:
        day: as of whose close it is taken.
        share: of capital in the index, 0 to 1.
        capital: that is left of 1.
        lower: end of the interval for tomorrow's change, percent.
        upper: as much.
        stopped: why nothing is held any more; "" while the switch is up.
    """

    day: Day
    share: float
    capital: float
    lower: float
    upper: float
    stopped: str


class Desk(Step[Any, Position]):
    """Takes positions within limits; once the switch has fallen, none."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._share, self._capital, self._most = 0.0, 1.0, 1.0
        self._stopped = ""

    @override
    def step(self, item: Any, emit: Callable[[Position], None]) -> None:
        day, interval = item["day"], item["interval"]
        self._capital *= 1 + self._share * math.expm1(day.change / 100)
        self._most = max(self._most, self._capital)
        self._stopped = self._stopped or self._reason()
        lower, upper = float(interval.lo), float(interval.hi)
        self._share = 0.0 if self._stopped else min(1.0, LOSS / max(-lower, LOSS))
        emit(Position(day, self._share, self._capital, lower, upper, self._stopped))

    def _reason(self) -> str:
        if self._capital < SHRUNK * self._most:
            return f"capital is {self._capital / self._most:.0%} of its highest"
        return "intervals do not hold" if self._coverage.now.alarm else ""


def interval(level: float) -> ACI:
    """As many standard deviations as it takes (Gibbs and Candès, 2021)."""
    return ACI(level, gamma=0.02, window=500, on_unbounded="max")


def positions(
    source: Flowable[Day], coverage: Coverage, votes: Combination | None = None
) -> Flowable[Position]:
    """The pipeline: the same for a backtest and for a live feed."""
    return source.pipe(
        fold("models", Models),
        ops.combine(list(MEMORY), loss="log", share=0.01, combination=votes, pass_labels=True),
        ops.calibrate(LEVEL, score="norm", method=interval, coverage=coverage),
        fold("desk", lambda: Desk(coverage)),
    )


def told(found: list[Position], year: str) -> str:
    """A line on a year: how often its intervals held, those of a fixed width, how wide they were, what was held."""
    pairs = [(a, b) for a, b in pairwise(found) if b.day.date.endswith(year)]
    held = np.mean([a.lower <= b.day.change <= a.upper for a, b in pairs])
    usual = 1.645 * np.std([each.day.change for each in found[:250]])
    fixed = np.mean([abs(b.day.change) <= usual for _, b in pairs])
    width, share = (
        np.mean([a.upper - a.lower for a, _ in pairs]),
        np.mean([a.share for a, _ in pairs]),
    )
    capital = pairs[-1][1].capital
    return f"{year}   {held:6.1%} {fixed:9.1%} {width:8.2f} {share:9.0%} {capital:9.2f}"


async def main(index: str) -> None:
    """Walk through the index, and tell of each year."""
    coverage, votes = Coverage(LEVEL), Combination()
    found = await positions(rxml.from_iterable(days(index)), coverage, votes).to_list()
    print("year     held  of fixed    width  in market  capital")
    for year, count in Counter(each.day.date[-4:] for each in found).items():
        if count > PART:
            print(told(found, year))
    now, (least, most) = coverage.now, coverage.now.interval
    print(
        f"\n{now.share:.2%} of {now.labels} intervals of {LEVEL:.0%} held ({least:.1%} to {most:.1%})"
    )
    if votes.now is not None:
        ballot = ", ".join(f"{name} {vote:.2f}" for name, vote in votes.now.weights.items())
        print(f"votes at the end: {ballot}")
    print(f"switch: {found[-1].stopped or 'up'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--index", default="sp500", choices=["sp500", "nasdaq"])
    chosen = parser.parse_args().index
    if (DATA / f"{chosen}.csv.gz").exists():
        asyncio.run(main(chosen))
    else:
        print("there is no index data here: run `make data` first")
