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
    Event,
    Features,
    Forecast,
    Held,
    Open,
    Outcomes,
    Reading,
    Record,
    build,
    forecasts,
)
from rxml import operators as ops
from rxml.http import App
from rxml.uncertain import Interval, Normal

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
    outcomes, held = Outcomes(Open), Held(Record)
    features = Features(lambda: deque(maxlen=20))
    found: list[Any] = []
    features.push(iter([Reading("stuck", 1.0, 1000.0)] * 500), found)
    rows: list[Any] = []
    outcomes.push(iter(found), rows)
    interval = Interval(0.0, 2.0, level=0.9, sort="conformal")
    held.push(iter([{**row, "change": Normal(0.0, 1.0), "interval": interval} for row in rows]), [])
    for state in (outcomes.of("stuck"), held.of("stuck").open):
        assert len(state.until(1e12)) == OPEN


def test_sensors_beyond_the_most_are_forgotten_those_first_that_were_silent_longest() -> None:
    known = [Reading("mine", float(i % 3), float(i)) for i in range(60)]
    strangers = [Reading(f"s{i}", 1.0, 60.0) for i in range(SENSORS + 100)]
    after = forecast([*known, *strangers, Reading("mine", 1.0, 61.0), Reading("s1000", 1.0, 70.0)])
    assert after[59].outcomes > 0
    assert after[-2].outcomes == 0


def test_however_many_post_this_machine_is_not_forgotten() -> None:
    """Those who post have their states apart, so that however many they are none of its own gives way."""
    drawn = build(App(), period=0.5).draw()
    assert drawn.count("calibrate(0.9)") == 2


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
