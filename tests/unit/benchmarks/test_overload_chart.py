"""The chart of overload is drawn from what was measured, and from nothing else."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from benchmarks.overload_chart import CHART, DATA, SERVERS, TIMES, Found, Point, chart, load, middle
from benchmarks.plot import APART, Line, Panel, picture, spread

NAME = "{http://www.w3.org/2000/svg}"


def point(times: float, goodput: float, others: float = 0.0) -> Point:
    return Point(times, goodput, 0.05, 0.5, 0.001, 0.0, others)


def spots(svg: str) -> list[list[tuple[float, float]]]:
    lines = ET.fromstring(svg).iter(f"{NAME}polyline")
    return [
        [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", line.attrib["points"])]
        for line in lines
    ]


def test_the_chart_in_the_docs_is_the_one_of_the_numbers() -> None:
    shown = "](overload.svg)" in (CHART.parent / "overload.md").read_text(encoding="utf-8")
    assert shown == CHART.exists() == DATA.exists()
    if shown:
        found = load()
        assert found.problem() is None
        assert CHART.read_text(encoding="utf-8") == chart(found.points)


def test_what_was_disturbed_or_is_not_whole_is_not_kept() -> None:
    quiet = {name: [point(times, 1.0) for times in TIMES] for name in SERVERS}
    assert Found({}, quiet).problem() is None
    loud = {**quiet, "fastapi": [*quiet["fastapi"][1:], point(5.0, 1.0, 0.6)]}
    assert "60% of the server's core" in str(Found({}, loud).problem())
    less = {**quiet, "ours": quiet["ours"][1:]}
    assert "rxml could not be measured" in str(Found({}, less).problem())


def test_more_is_higher_and_later_is_further_right() -> None:
    points = [point(each, goodput) for each, goodput in ((0.5, 0.5), (1.0, 1.0), (5.0, 0.25))]
    first, second, third = spots(chart({"ours": points}))[0]
    assert first[0] < second[0] < third[0]
    assert second[1] < first[1] < third[1]


def test_what_is_beyond_the_axes_stands_at_their_ends() -> None:
    lines = [Line("a", "red", [(0.1, -1.0), (1.0, 5.0), (99.0, 20.0)])]
    (low, middle_, high) = spots(picture("x", (0.5, 5), [Panel("y", lines, (0, 10))]))[0]
    inner = spots(
        picture("x", (0.5, 5), [Panel("y", [Line("a", "red", [(0.5, 0), (5, 10)])], (0, 10))])
    )
    assert [low, high] == inner[0]
    assert low[1] > middle_[1] > high[1]


def test_a_logarithmic_axis_has_the_same_way_from_1_to_10_as_from_10_to_100() -> None:
    line = Line("a", "red", [(1.0, 1.0), (1.0, 10.0), (1.0, 100.0)])
    panel = Panel("y", [line], (1, 10, 100), logarithmic=True)
    low, mid, high = (y for _, y in spots(picture("x", (0.5, 5), [panel]))[0])
    assert low - mid == pytest.approx(mid - high, abs=0.2)


def test_names_at_the_ends_of_lines_do_not_cover_one_another() -> None:
    assert spread([10.0, 50.0]) == [10.0, 50.0]
    moved = spread([50.0, 10.0, 12.0])
    assert moved == [50.0, 10.0, 10.0 + APART]


def test_text_is_escaped() -> None:
    svg = picture("a < b & c", (1, 2), [Panel("y", [Line("n", "red", [(1, 1)])], (0, 1))])
    texts = [each.text for each in ET.fromstring(svg).iter(f"{NAME}text")]
    assert "a < b & c" in texts


def test_the_median_is_that_of_each_number() -> None:
    found = middle([point(1.0, 0.1, 0.3), point(1.0, 0.9, 0.1), point(1.0, 0.5, 0.2)])
    assert (found.times, found.goodput, found.others) == (1.0, 0.5, 0.2)
