"""The demo's pipeline under what strangers post: bounded, fair, and right again after a wrong clock."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from math import sin
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import rxml
from examples.forecast import (
    MACHINE,
    OPEN,
    SENSORS,
    Adaptive,
    Event,
    Features,
    Forecast,
    Interval,
    Linear,
    Open,
    Reading,
    Score,
    build,
    forecasts,
)
from rxml import operators as ops
from rxml.http import App

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def forecast(readings: Iterable[Reading]) -> list[Forecast]:
    return asyncio.run(forecasts(rxml.from_iterable(readings)).to_list())


def wave(count: int, *, wrong: int | None = None) -> Iterator[Reading]:
    """A noisy sine, five readings a second; the clock of one of them may be wrong."""
    noise = random.Random(7)
    for i in range(count):
        at = 1e11 if i == wrong else 1e9 + i / 5
        yield Reading("wave", 10 * sin(i / 15) + noise.gauss(0, 1), at)


@pytest.mark.parametrize("wrong", [None, 300])
def test_the_interval_holds_what_it_promises_even_after_a_reading_from_the_far_future(
    wrong: int | None,
) -> None:
    last = forecast(wave(1500, wrong=wrong))[-1]
    assert last.outcomes > 1400
    assert last.coverage == pytest.approx(0.9, abs=0.02)


def test_forecasts_that_wait_are_bounded_for_each_sensor_and_the_nearest_are_kept() -> None:
    waiting: Open[int] = Open()
    for i in (*range(OPEN, 3 * OPEN), *range(OPEN)):
        waiting.add(float(i), i)
    assert waiting.until(1e9) == list(range(OPEN))
    assert waiting.until(1e9) == []


def test_a_sensor_whose_outcomes_never_come_due_holds_a_bounded_number() -> None:
    score, interval = Score(Linear), Interval(Adaptive)
    features = Features(lambda: deque(maxlen=20))
    found: list[Any] = []
    features.push(iter([Reading("stuck", 1.0, 1000.0)] * 500), found)
    scored: list[Any] = []
    score.push(iter(found), scored)
    interval.push(iter(scored), [])
    assert len(score.of("stuck").open.until(1e12)) == OPEN
    assert len(interval.of("stuck").open.until(1e12)) == OPEN


def test_a_thousand_strangers_do_not_make_the_machine_forgotten() -> None:
    mine = [Reading(MACHINE, 1.0, float(i)) for i in range(40)]
    strangers = [Reading(f"s{i}", 1.0, 40.0) for i in range(SENSORS + 100)]
    after = forecast([*mine, *strangers, Reading(MACHINE, 1.0, 41.0), Reading("s0", 1.0, 50.0)])
    assert after[-2].outcomes > 0
    assert after[-1].outcomes == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"at": 1e11}, "at: Unix time in seconds, up to now; got 100000000000"),
        ({"at": 1e308}, "at: Unix time in seconds"),
        ({"at": time.time() * 1000}, "at: Unix time in seconds"),
        ({"at": -1}, "at: Unix time in seconds"),
        ({"sensor": MACHINE}, "is this machine; choose another name"),
        ({"sensor": "x" * 65}, "length <= 64"),
        ({"sensor": ""}, "length >= 1"),
    ],
)
def test_what_would_spoil_a_sensor_is_refused_with_a_reason(body: Any, said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"sensor": "x", "value": 1, **body}, Event)


def test_a_reading_of_now_or_of_last_year_is_taken() -> None:
    for at in (time.time(), time.time() + 30, time.time() - 3e7, None):
        assert msgspec.convert({"sensor": "x", "value": 1, "at": at}, Event).at == at


@pytest.mark.allow_blocking("psutil reads /proc")
def test_a_client_that_stalls_does_not_hold_up_the_others() -> None:
    async def main() -> None:
        live = build(App(), period=0.001)
        async with live.open() as idle, live.pipe(ops.take(2000)).open() as keen:
            await asyncio.gather(idle.request(1), keen.request(1))
            seen = 1
            while not (chunk := await keen.request(100)).end:
                seen += len(chunk.elements)
            assert seen == 2000

    asyncio.run(main())
