"""Turtle taxi: five predictive microservices, one of which fails, and supervisors in front that answer all the same.

    trips ─▶ fares: a, b, c (fails at random, then hangs) ─┐
         └─▶ durations: a, b ──────────────────────────────┴─▶ quotes ─▶ WebSocket

Each microservice is an app of its own at a port of its own, asked over HTTP. A `ModelSupervisor` for each question asks one of
them, takes out the one that fails, asks it now and then whether it is well, and brings it back; what it decides is a
stream too. A client reads the quotes as it wants them. (After chapter 8 of Jeff Smith, "Machine Learning Systems".)

python examples/taxi.py [--seconds 6]
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import aiohttp
import msgspec
import numpy as np

import rxml
from rxml import operators as ops
from rxml.http import App
from rxml.models import ModelSupervisor
from rxml.models.artefacts import linear
from rxml.resilience import Breaker, Ejection

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from numpy.typing import NDArray

    from rxml.flow.flowable import Flowable
    from rxml.flow.guarding.rungs import Answer
    from rxml.http import Server
    from rxml.models import Model

    Mood: TypeAlias = Literal["is well", "fails at random", "hangs"]

PERIOD: Final = 0.005  # seconds between trips
WITHIN: Final = 1.0  # seconds in which there must be a quote
FEATURES: Final = ("km", "rush", "night")


class Trip(msgspec.Struct, frozen=True):
    """A trip that somebody asks about: its length, and whether it is in the rush hour, or at night."""

    number: int
    km: float
    rush: float
    night: float


class Quote(msgspec.Struct, frozen=True):
    """What a trip will cost and how long it will take; which microservices said so, and why not the one asked first."""

    number: int
    fare: float
    minutes: float
    by: tuple[str, str]
    reason: str | None


def trip(number: int) -> Trip:
    """The trip of that number, always the same."""
    dice = random.Random(number)  # noqa: S311 - a story, no secret
    rush, night = float(dice.random() < 0.3), float(dice.random() < 0.2)
    return Trip(number, 1 + dice.expovariate(0.2), rush, night)


def learnt(features: int, target: Callable[[NDArray[Any]], NDArray[Any]]) -> Model:
    """A model of the first features, by least squares on past trips."""
    past = [trip(-1 - number) for number in range(500)]
    rows = np.array([[each.km, each.rush, each.night, 1.0] for each in past])
    noise = np.random.default_rng(11).normal(0, 0.5, len(rows))
    used = [*range(features), len(FEATURES)]
    *weights, base = np.linalg.lstsq(rows[:, used], target(rows) + noise)[0].tolist()
    return linear(dict(zip(FEATURES[:features], weights, strict=True)), base)


def euros(rows: NDArray[Any]) -> NDArray[Any]:
    """What trips have cost."""
    return np.asarray(rows @ [2.1, 3.0, 4.0, 3.5])


def minutes(rows: NDArray[Any]) -> NDArray[Any]:
    """How long trips took."""
    return np.asarray(rows @ [2.0, 6.0, -1.5, 4.0])


class Microservice:
    """A model behind HTTP, at a port of its own.

    Args:
        model: that answers.

    Attributes:
        mood: how it is at the moment; may be changed at any time.
    """

    def __init__(self, model: Model) -> None:
        self.mood: Mood = "is well"
        self._dice = random.Random(7)  # noqa: S311
        self.app: App = App(port=0)
        # Unordered: a row that hangs keeps nobody else waiting; and it does not hang longer than anybody waits.
        guarded = ops.Guard(self._moody, timeout=WITHIN)
        read = ops.map_async(guarded, concurrency=64, ordered=False)
        self.app.predict("/predict", rxml.compose(read, ops.score(model)), schema=Trip)

    async def _moody(self, asked: Trip) -> dict[str, float]:
        if self.mood == "hangs":
            await asyncio.sleep(3600)
        if self.mood == "fails at random" and self._dice.random() < 0.5:
            raise RuntimeError("the turtle has lost its way")
        return {name: getattr(asked, name) for name in FEATURES}


async def over_http(session: aiohttp.ClientSession, url: str, asked: Trip) -> float:
    """What a microservice says of a trip. Who gives up closes the connection, and the row is dropped there."""
    headers = {"Content-Type": "application/json"}
    async with session.post(url, data=msgspec.json.encode(asked), headers=headers) as response:
        response.raise_for_status()
        return float((await response.json())["value"])


class Taxi:
    """The front: supervisors of those microservices.

    Args:
        session: asks them.
        fares: their URLs by name.
        durations: the same.
    """

    def __init__(
        self, session: aiohttp.ClientSession, fares: dict[str, str], durations: dict[str, str]
    ) -> None:
        arm: Callable[[str], Callable[[Trip], Awaitable[float]]]
        arm = partial(partial, over_http, session)
        self.fares: ModelSupervisor = supervisor("fares", {k: arm(v) for k, v in fares.items()})
        self.durations: ModelSupervisor = supervisor(
            "durations", {k: arm(v) for k, v in durations.items()}
        )

    async def quote(self, asked: Trip) -> Quote:
        """Both questions at once."""
        answers: tuple[Answer[float], Answer[float]] = await asyncio.gather(
            self.fares.ask(asked), self.durations.ask(asked)
        )
        fare, lasts = answers
        by = (fare.name, lasts.name)
        return Quote(asked.number, fare.value, lasts.value, by, fare.reason or lasts.reason)

    def build(self, app: App, trips: Flowable[Trip]) -> None:
        """The service: a stream of quotes, one of decisions, and quotes for whoever asks."""
        quotes = ops.map_async(self.quote, concurrency=64)
        app.stream("/quotes", trips.pipe(quotes, ops.share()))
        app.stream("/decisions", self.fares.decisions)
        app.predict("/quote", quotes, schema=Trip, deadline=WITHIN)


def supervisor(name: str, arms: dict[str, Callable[[Trip], Awaitable[float]]]) -> ModelSupervisor:
    """One that is quick to take out and to bring back: a story of seconds, not of hours."""
    breaker = partial(Breaker, window=1.0, least=10, wait=0.2, most=0.4)
    ejection = partial(Ejection[str], seconds=0.2, most=0.4, sweep=0.5)
    return ModelSupervisor(
        arms, within=WITHIN, breaker=breaker, ejection=ejection, last=length, name=name
    )


def length(asked: Trip) -> int:
    """Of a trip, in kilometres: if nobody answers, what the last one of this length was told is better than nothing."""
    return round(asked.km)


@asynccontextmanager
async def running(trips: Flowable[Trip]) -> AsyncGenerator[tuple[Server, Taxi, Microservice]]:
    """All microservices and the front; the last one is the microservice that has moods."""
    fares = {f"fare-{'abc'[n]}": Microservice(learnt(n + 1, euros)) for n in range(3)}
    durations = {f"time-{'ab'[n]}": Microservice(learnt(n + 2, minutes)) for n in range(2)}
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def urls(services: dict[str, Microservice]) -> dict[str, str]:
            started = {
                name: await stack.enter_async_context(each.app.serve())
                for name, each in services.items()
            }
            return {name: f"{each.url}/predict" for name, each in started.items()}

        taxi = Taxi(session, await urls(fares), await urls(durations))
        front = App(port=0)
        taxi.build(front, trips)
        async with front.serve() as server:
            yield server, taxi, fares["fare-c"]


async def ride(seconds: float) -> list[tuple[Mood, list[Quote]]]:
    """Four acts of the same length; the quotes of each, as a client gets them over a WebSocket."""
    each = round(seconds / 4 / PERIOD)
    numbers = rxml.interval(PERIOD).pipe(ops.take(4 * each), ops.map(trip))
    acts: list[tuple[Mood, list[Quote]]] = []
    async with running(numbers) as (server, taxi, moody):
        numbered = count()
        quotes = rxml.connect(f"{server.url}/quotes", type=Quote)
        async for quote in quotes:
            if next(numbered) % each == 0:
                moods: tuple[Mood, ...] = ("is well", "fails at random", "hangs", "is well")
                moody.mood = moods[len(acts)]
                acts.append((moody.mood, []))
            acts[-1][1].append(quote)
        for decision in taxi.fares.recent():
            print(f"  {decision.what} {decision.arm} {decision.reason}".rstrip())
    return acts


def report(mood: Mood, quotes: list[Quote]) -> None:
    """Who has answered."""
    shares = Counter(quote.by[0] for quote in quotes)
    shown = ", ".join(f"{name} {shares[name] / len(quotes):.0%}" for name in sorted(shares))
    second = sum(quote.reason is not None for quote in quotes)
    print(f"fare-c {mood}: {len(quotes)} quotes, by {shown}; {second} were asked of a second one")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=6.0, help="of all acts together")
    for told in asyncio.run(ride(parser.parse_args().seconds)):
        report(*told)
