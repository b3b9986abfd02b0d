"""Ads: whether to buy a place for an ad, in milliseconds, by the chance of a click and how sure one is of it.

    offer ─▶ two replicas of a model (hedged, time limit, breaker) ─▶ smaller model ─▶ what is known of all ─▶ decision

An offer says what a click is worth and what the place costs. It is bought if a profit is to be expected, and if it pays with a
probability of 80 % by what the model knows: a lower rung is less sure of itself, so it buys less, and loses less often. There
are 10 ms for all this; whatever becomes of the replicas, there is a decision.

python examples/ads.py [--seconds 4] [--rate 500]
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from itertools import count
from math import exp, log, pi, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Final, Self

import msgspec
import numpy as np

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Field, Schema
from rxml.errors import RxmlError
from rxml.flow.service import Service
from rxml.resilience import Breaker, Hedging

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from numpy.typing import NDArray

    from rxml.flow.guarding.rungs import Answer
    from rxml.flow.operator import Operator
    from rxml.http import App

    Array = NDArray[np.float64]

BUDGET: Final = 0.010  # seconds for a decision
SURE: Final = 0.8  # how likely it must be that a place pays
FEATURES: Final = 100
FEW: Final = 10  # of them, for the smaller model
SEEN: Final = 20_000  # offers to learn from
NORMAL: Final = NormalDist()

Money = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Feature = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class Offer(msgspec.Struct, frozen=True):
    """A place for an ad: what is known about it, what a click is worth, and what the place costs."""

    x: Annotated[tuple[Feature, ...], msgspec.Meta(min_length=FEATURES, max_length=FEATURES)]
    worth: Money
    price: Money

    def __post_init__(self) -> None:
        if self.price >= self.worth:
            raise ValueError(f"price: below what a click is worth ({self.worth:g})")


class Belief(msgspec.Struct, frozen=True):
    """The log odds of a click, as a normal distribution."""

    offer: Offer
    mean: float
    deviation: float


class Decision(msgspec.Struct, frozen=True):
    """Whether to buy, and why: the chance of a click with its 90 % interval, the profit to be expected, how sure it is."""

    buy: bool
    chance: float
    lower: float
    upper: float
    profit: float
    sure: float
    rung: str
    reason: str | None


def chance_of(log_odds: float) -> float:
    """The probability with these log odds."""
    return 1 / (1 + exp(-min(max(log_odds, -500.0), 500.0)))


def decide(answer: Answer[Belief]) -> Decision:
    """Buy what pays, and does so surely enough.

    The mean chance is MacKay's (1992) approximation of a logistic function's mean under a normal distribution.
    """
    belief = answer.value
    offer, deviation = belief.offer, belief.deviation * answer.inflation
    even = offer.price / offer.worth  # the chance at which it pays
    sure = NORMAL.cdf((belief.mean - log(even / (1 - even))) / deviation)
    chance = chance_of(belief.mean / sqrt(1 + pi * deviation**2 / 8))
    profit = offer.worth * chance - offer.price
    lower, upper = (chance_of(belief.mean + each * deviation) for each in (-1.645, 1.645))
    told = (answer.name, answer.reason)
    return Decision(profit > 0 and sure >= SURE, chance, lower, upper, profit, sure, *told)


class Clicks:
    """Bayesian logistic regression, by Laplace's approximation (Bishop, PRML, 4.5)."""

    def __init__(self, x: Array, clicked: Array) -> None:
        rows = _with_one(x)
        self._weights, precision = np.zeros(FEATURES + 1), np.eye(FEATURES + 1)
        for _ in range(8):  # Newton's steps, with a standard normal prior
            odds = 1 / (1 + np.exp(-rows @ self._weights))
            precision = (rows.T * (odds * (1 - odds))) @ rows + np.eye(FEATURES + 1)
            slope = rows.T @ (clicked - odds) - self._weights
            self._weights = self._weights + np.linalg.solve(precision, slope)
        self._spread = np.linalg.inv(precision)

    def log_odds(self, x: Array) -> tuple[Array, Array]:
        """Mean and deviation of the log odds of each row."""
        rows = _with_one(x)
        variances = np.einsum("ij,ij->i", rows @ self._spread, rows)
        return rows @ self._weights, np.sqrt(variances)

    def model(self) -> models.Model:
        """The same as a model."""
        return models.from_function(
            lambda batch: self.log_odds(batch["x"]),
            inputs=Schema([Field("x", "float64", (FEATURES,))]),
            outputs=Schema.of(mean="float64", deviation="float64"),
        )


def _with_one(x: Array) -> Array:
    return np.concatenate([np.ones((len(x), 1)), x], axis=1)


class Market:
    """Offers as they come, and what only heaven knows about them."""

    def __init__(self) -> None:
        self._dice = np.random.default_rng(3)
        self._weights = self._dice.normal(0, 0.25, FEATURES) * np.linspace(2.0, 0.2, FEATURES)

    def past(self, n: int) -> tuple[Array, Array]:
        """What is known of n places, and whether the ad there was clicked, 0 or 1."""
        x = self._dice.normal(size=(n, FEATURES))
        return x, (self._dice.random(n) < self.chances(x)).astype(np.float64)

    def chances(self, x: Array) -> Array:
        """How likely a click truly is."""
        return 1 / (1 + np.exp(3.0 - x @ self._weights))

    def offers(self, n: int) -> list[tuple[Offer, float]]:
        """Offers, and the chance of a click on each, which nobody knows. A click is worth 1 euro."""
        x = self._dice.normal(size=(n, FEATURES))
        prices = np.exp(self._dice.normal(-3.2, 0.7, n)).clip(0.002, 0.5)
        made = zip(x.tolist(), prices.tolist(), self.chances(x).tolist(), strict=True)
        return [(Offer(tuple(row), 1.0, price), chance) for row, price, chance in made]


class Bidder:
    """Decides, by two replicas of a model and what is there without them.

    Attributes:
        stalls: share of questions to replicas that take 30 ms more.
        down: whether no replica answers.
        clicks: what both replicas compute.
    """

    def __init__(self, market: Market) -> None:
        self.stalls: float = 0.0
        self.down: bool = False
        x, clicked = market.past(SEEN)
        self.clicks: Clicks = Clicks(x, clicked)
        means, deviations = self.clicks.log_odds(x)
        few = _with_one(x[:, :FEW])
        # The smaller model is taught by the larger one; what it cannot learn of that makes it less sure.
        self._few = np.linalg.lstsq(few, means)[0]
        self._usual = sqrt(np.mean(deviations**2))
        self._inflation = sqrt(1 + np.mean((means - few @ self._few) ** 2) / self._usual**2)
        self._all = float(np.mean(means)), float(np.std(means))
        self._dice, self._turn = random.Random(5), count()  # noqa: S311
        scored = ops.score(self.clicks.model(), name="clicks", on=models.on_loop())
        self._replicas = Service(scored), Service(scored)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Self]:
        """Both replicas are there inside `async with`."""
        async with self._replicas[0], self._replicas[1]:
            yield self

    async def replica(self, offer: Offer) -> Belief:
        """What the next replica says: a hedge, or the one after a failure, is a question to the other."""
        if self.down:
            raise ConnectionError("nobody is there")
        if self._dice.random() < self.stalls:
            await asyncio.sleep(0.030)
        replica = self._replicas[next(self._turn) % 2]
        told = await replica.ask({"x": np.array(offer.x)})
        return Belief(offer, told["mean"], told["deviation"])

    def few(self, offer: Offer) -> Belief:
        """What the smaller model says, here and now."""
        mean = self._few[0] + self._few[1:] @ np.array(offer.x[:FEW])
        return Belief(offer, float(mean), self._usual)

    def anything(self, offer: Offer) -> Belief:
        """What is known of all places alike."""
        return Belief(offer, *self._all)

    def operator(self) -> Operator[Offer, Decision]:
        """From an offer to the decision."""
        asked = ops.Guard(
            self.replica,
            timeout=BUDGET / 2,
            breaker=Breaker(window=1.0, wait=0.1, most=1.0),
            bulkhead=64,
            hedge=Hedging(),
        )
        rungs = (ops.Rung(self.few, inflation=self._inflation), self.anything)
        return rxml.compose(ops.fallback(asked, *rungs, concurrency=256), ops.map(decide))


def build(app: App, bidder: Bidder) -> None:
    """The service: POST an offer to /decide."""
    app.predict("/decide", bidder.operator(), schema=Offer, deadline=BUDGET)


class Asked(msgspec.Struct, frozen=True):
    """What became of an offer; `decision` is None if there was none in time."""

    decision: Decision | None
    seconds: float
    gain: float  # that it would bring, on the whole; nobody who decides knows it


async def auction(bidder: Bidder, market: Market, seconds: float, rate: int) -> list[Asked]:
    """Offers that come at a rate, whether or not the ones before are decided on."""
    loop = asyncio.get_running_loop()
    async with Service(bidder.operator()) as service:

        async def asked(offer: Offer, chance: float, due: float) -> Asked:
            try:
                decision = await service.ask(offer, within=BUDGET)
            except RxmlError:
                decision = None
            return Asked(decision, loop.time() - due, offer.worth * chance - offer.price)

        began, tasks = loop.time(), list[asyncio.Task[Asked]]()
        async with asyncio.TaskGroup() as group:
            for number, (offer, chance) in enumerate(market.offers(int(seconds * rate))):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - loop.time()))
                tasks.append(group.create_task(asked(offer, chance, due)))
    return [task.result() for task in tasks]


def report(act: str, rows: list[Asked]) -> None:
    """What happened in an act."""
    times = sorted(1000 * row.seconds for row in rows)
    decided = [(row.decision, row.gain) for row in rows if row.decision is not None]
    print(f"{act}: {len(rows):,} offers, {len(rows) - len(decided):,} without a decision in time")
    print(f"  by {dict(Counter(made.rung for made, _ in decided).most_common())}")
    print(f"  p50 {times[len(times) // 2]:.1f} ms, p99 {times[len(times) * 99 // 100]:.1f} ms")
    print(f"  bought {gained([gain for decision, gain in decided if decision.buy])}")
    print(f"  or by profit alone {gained([gain for made, gain in decided if made.profit > 0])}")


def gained(gains: list[float]) -> str:
    """What the places bring that were bought, in words."""
    paying = sum(gain > 0 for gain in gains)
    return f"{len(gains):,} for a gain of {sum(gains):.0f}; {paying:,} of them pay"


async def main(seconds: float, rate: int) -> None:
    """Tell the story."""
    market = Market()
    async with Bidder(market).running() as bidder:
        await auction(bidder, market, 0.2, rate)  # as a service would be warm
        for act, bidder.stalls, bidder.down in (
            ("All is well", 0.0, False),
            ("One answer of fifty stalls for 30 ms", 0.02, False),
            ("Both replicas are down", 0.0, True),
            ("They are back", 0.0, False),
        ):
            report(act, await auction(bidder, market, seconds / 4, rate))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4.0, help="of all acts together")
    parser.add_argument("--rate", type=int, default=500, help="offers a second")
    given = parser.parse_args()
    asyncio.run(main(given.seconds, given.rate))
