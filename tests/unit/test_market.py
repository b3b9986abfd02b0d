"""The example of the market: intervals hold in every year, and a switch that has fallen stays down."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest

import rxml
from examples.market import DATA, SHRUNK, Day, Position, days, positions
from rxml.learning import Coverage

needs_data = pytest.mark.skipif(
    not (DATA / "sp500.csv.gz").exists(), reason="index data comes by `make data`"
)


def walked(source: list[Day]) -> list[Position]:
    return asyncio.run(positions(rxml.from_iterable(source), Coverage(0.9)).to_list())


@needs_data
def test_intervals_hold_through_the_crash_and_a_fixed_width_does_not() -> None:
    source = list(days("sp500"))[1250:3000]  # 2004 to 2010
    pairs = [(a, b.day) for a, b in pairwise(walked(source)) if b.day.date.endswith("2008")]
    assert len(pairs) > 240
    held = np.mean([a.lower <= day.change <= a.upper for a, day in pairs])
    fixed = np.mean([abs(day.change) <= 1.645 * 0.7 for _, day in pairs])
    assert held == pytest.approx(0.9, abs=0.02)
    assert fixed < 0.7


def test_a_switch_that_has_fallen_stays_down() -> None:
    noise = np.random.default_rng(3).normal(0, 0.3, 300)
    fall = [
        Day(i, "1/1/2000", float(x)) for i, x in enumerate([*noise, *[-0.4] * 200, *[3.0] * 20])
    ]
    found = walked(fall)
    fell = next(i for i, each in enumerate(found) if each.stopped)
    assert all(each.stopped and each.share == 0.0 for each in found[fell:])
    assert found[fell].capital < SHRUNK * max(each.capital for each in found)
    assert found[-1].capital == found[fell].capital


def test_what_is_held_is_within_its_limits() -> None:
    noise = np.random.default_rng(4).normal(0, 2.0, 200)
    found = walked([Day(i, "1/1/2000", float(x)) for i, x in enumerate(noise)])
    assert all(0.0 <= each.share <= 1.0 for each in found)
    assert all(each.share * -each.lower <= 0.5 + 1e-9 for each in found if np.isfinite(each.lower))
