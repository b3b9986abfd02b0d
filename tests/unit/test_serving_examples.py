"""Examples of serving: decisions with trouble, in virtual time; and what is adopted alone, with nothing else started."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

import rxml
from examples import taxi
from examples.ads import BUDGET, SURE, Belief, Bidder, Decision, Market, Offer, auction, decide
from rxml import operators as ops
from rxml.flow.guarding.rungs import Answer
from rxml.testing.virtual_time import run
from tests.http.helpers import http

if TYPE_CHECKING:
    from examples.ads import Asked

ROOT = Path(__file__).parents[2]
ALONE = {
    "features": ("rxml.facts", "rxml.http", "aiohttp", "sqlite3", "rxml.models.registry"),
    "store": ("rxml.http", "aiohttp", "rxml.models", "rxml.operators"),
    "publishing": ("rxml.http", "aiohttp", "rxml.facts", "sqlite3", "rxml.operators"),
    "supervisor": ("rxml.http", "aiohttp", "rxml.facts", "sqlite3", "rxml.models.registry"),
}
"""What is adopted, and which other parts must not even be loaded then."""

WATCH = """
import asyncio, runpy, socket, sys, threading
bound = []
socket.socket.bind = lambda self, place: bound.append(place)
runpy.run_path(sys.argv[1], run_name="__main__")
left = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
loaded = [name for name in sys.argv[2].split(",") if name in sys.modules]
print("also:", bound, left, loaded)
"""


@pytest.mark.parametrize("part", ALONE)
@pytest.mark.allow_blocking("starts a process")
def test_a_part_that_is_adopted_alone_starts_no_other(part: str) -> None:
    example = ROOT / "examples" / f"adopt_{part}.py"
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 30
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(example), ",".join(ALONE[part])],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "also: [] [] []"


def told(price: float, mean: float, deviation: float, inflation: float = 1.0) -> Decision:
    offer = Offer((0.0,) * 100, 1.0, price)
    return decide(Answer(Belief(offer, mean, deviation), 0, "replica", None, inflation))


def test_a_place_is_bought_if_it_pays_surely_enough() -> None:
    sure = told(0.1, -1.0, 0.1)
    assert sure.buy
    assert sure.lower < 0.2689 < sure.upper  # 1 / (1 + e)
    assert sure.profit == pytest.approx(sure.chance - 0.1)


def test_the_same_chance_is_not_bought_by_one_who_is_less_sure() -> None:
    widened = told(0.2, -1.0, 0.1, inflation=10.0)
    assert told(0.2, -1.0, 0.1).buy
    assert widened.profit > 0
    assert 0.5 < widened.sure < SURE
    assert not widened.buy
    assert widened.upper - widened.lower > 0.5


def test_what_is_expected_to_lose_is_not_bought_however_sure() -> None:
    assert not told(0.5, -1.0, 0.001).buy


def test_a_price_above_what_a_click_is_worth_is_refused() -> None:
    with pytest.raises(ValueError, match="price: below what a click is worth"):
        Offer((0.0,) * 100, 1.0, 1.0)


async def bid(stalls: float, *, down: bool) -> list[Asked]:
    market = Market()
    bidder = Bidder(market)
    async with bidder.running():
        await auction(bidder, market, 0.2, 200)
        bidder.stalls, bidder.down = stalls, down
        return await auction(bidder, market, 1.0, 200)


@pytest.mark.parametrize(("stalls", "down"), [(0.0, False), (0.05, False), (0.0, True)])
def test_there_is_a_decision_within_the_budget_whatever_becomes_of_replicas(
    stalls: float, *, down: bool
) -> None:
    rows = run(bid(stalls, down=down))
    assert len(rows) == 200
    assert max(row.seconds for row in rows) <= BUDGET
    decisions = [row.decision for row in rows if row.decision is not None]
    assert len(decisions) == len(rows)
    assert {each.rung for each in decisions} <= ({"few"} if down else {"replica", "few"})
    assert any(each.buy for each in decisions)
    if down:
        assert {each.reason for each in decisions} == {"error: ConnectionError", "breaker"}


def test_a_lower_rung_buys_less_and_loses_less_often_than_it_would_by_profit_alone() -> None:
    rows = [row for row in run(bid(0.0, down=True)) if row.decision is not None]
    bought = [row.gain > 0 for row in rows if row.decision and row.decision.buy]
    tempted = [row.gain > 0 for row in rows if row.decision and row.decision.profit > 0]
    assert len(bought) < len(tempted) / 2
    assert sum(bought) / len(bought) > SURE > sum(tempted) / len(tempted)


def test_the_whole_composition_gives_one_decision_for_each_offer() -> None:
    market = Market()

    async def decided() -> list[Decision]:
        async with Bidder(market).running() as bidder:
            offers = [offer for offer, _ in market.offers(20)]
            return await rxml.from_iterable(offers).pipe(bidder.operator()).to_list()

    assert [each.rung for each in run(decided())] == ["replica"] * 20


@pytest.mark.allow_blocking("real sockets")
def test_trips_are_quoted_though_a_microservice_fails_and_hangs() -> None:
    acts = asyncio.run(taxi.ride(4.0))
    moods = [mood for mood, _ in acts]
    assert moods == ["is well", "fails at random", "hangs", "is well"]
    numbers = [quote.number for _, quotes in acts for quote in quotes]
    assert numbers == list(range(800))
    for quote in (each for _, quotes in acts for each in quotes):
        assert 3 < quote.fare < 200
        assert quote.by[1] in ("time-a", "time-b")
    share = [sum(each.by[0] == "fare-c" for each in quotes) / len(quotes) for _, quotes in acts]
    assert share[2] < 0.1 < share[0]
    assert share[2] < share[3]


@pytest.mark.allow_blocking("real sockets")
def test_quotes_can_be_asked_for_too_and_decisions_are_a_stream() -> None:
    async def main() -> None:
        async with taxi.running(rxml.never()) as (server, front, moody):
            moody.mood = "fails at random"
            body = msgspec.json.encode(taxi.trip(1))
            for _ in range(60):
                kind = {"Content-Type": "application/json"}
                answer = await http(server, "/quote", body, headers=kind)
                assert answer.status == 200
                assert answer.json["value"]["fare"] > 3
            decisions = rxml.connect(f"{server.url}/decisions").pipe(ops.take(1))
            assert (await decisions.to_list())[0]["what"] == "removed"
            assert front.fares.recent()[0].arm == "fare-c"

    asyncio.run(main())
