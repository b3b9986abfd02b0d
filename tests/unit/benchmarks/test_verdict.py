"""Verdicts: ratios within a round, musts, and results that differ."""

from __future__ import annotations

import pytest

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.contest import Record
from benchmarks.report import document, text
from benchmarks.verdict import ratios, rule, rulings, spread, wrong


def record(seconds: list[float], *, checksum: float = 7, **measures: list[float]) -> Record:
    rounds = [
        {
            "seconds": value,
            "cpu_seconds": value / 2,
            **{name: values[i] for name, values in measures.items()},
        }
        for i, value in enumerate(seconds)
    ]
    return Record("as it does", rounds, checksum)


def case(*musts: Must, tolerance: float = 0.0) -> Case:
    contestants = {name: Contestant(Outcome, "as it does") for name in ("rxml", "hand")}
    return Case(
        "made_up", "nothing", "none", 100, 10, "elements", contestants, musts, tolerance=tolerance
    )


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine is ten times slower in the second round, for both: that is no difference between them.
    found = ratios([1.0, 10.0, 1.0], [2.0, 20.0, 4.0], speed=True)
    assert found is not None
    assert (found.median, found.least, found.most) == (2.0, 2.0, 4.0)
    assert spread([]) is None
    assert ratios([1.0], [], speed=True) is None


@pytest.mark.parametrize(
    ("must", "ours", "theirs", "met"),
    [
        (Must("speed", "hand", 0.93), 1.0, 0.94, True),
        (Must("speed", "hand", 0.93), 1.0, 0.92, False),
        (Must("cost", "hand", 1.2), 1.2, 1.0, True),
        (Must("cost", "hand", 1.2), 1.3, 1.0, False),
    ],
)
def test_speed_has_a_least_and_cost_has_a_most(
    must: Must, ours: float, theirs: float, met: bool
) -> None:
    ruling = rule(must, {"rxml": record([ours] * 3), "hand": record([theirs] * 3)})
    assert ruling.met is met


@pytest.mark.parametrize(("grown", "met"), [(0.0, True), (100.0, True), (101.0, False)])
def test_our_measure_stays_within_our_own_bound(grown: float, met: bool) -> None:
    ours = record([1.0, 1.0], grown=[grown] * 2, allowed=[100.0] * 2)
    must = Must("within", "allowed", 1, "grown")
    assert rule(must, {"rxml": ours}).met is met


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    absent = Record("a peer", failure="not installed", installed=False)
    chosen = case(Must("speed", "hand", 2))
    records = {"rxml": record([1.0]), "hand": absent}
    assert [ruling.met for ruling in rulings(chosen, records)] == [None]
    shown = text(chosen, records, size=100, rounds=1)
    assert "not measured" in shown
    assert "hand       not installed" in shown
    assert wrong(chosen, records) == []


def test_results_that_differ_make_the_numbers_void() -> None:
    records = {"rxml": record([1.0], checksum=7.0), "hand": record([1.0], checksum=7.1)}
    assert "differ" in wrong(case(), records)[0]
    assert wrong(case(tolerance=0.1), records) == []
    assert "WRONG the results differ" in text(case(), records, size=100, rounds=1)


def test_a_contestant_that_failed_makes_the_numbers_void() -> None:
    records = {"rxml": Record("ours", failure="ValueError: no"), "hand": record([1.0])}
    assert wrong(case(), records) == ["rxml: ValueError: no"]


def test_the_report_begins_with_ratios_and_says_met_or_missed() -> None:
    chosen = case(Must("speed", "hand", 0.93), Must("speed", "hand", 5))
    records = {"rxml": record([1.0, 2.0, 3.0]), "hand": record([2.0, 4.0, 6.0])}
    lines = text(chosen, records, size=100, rounds=3).splitlines()
    assert "2.00x (2.00..2.00) as fast as hand" in lines[2]
    assert lines[2].endswith(": met (best to best 2.00x, processor time 2.00x)")
    assert ": MISSED" in lines[3]
    assert "50/s" in lines[4]


def test_the_document_holds_every_round() -> None:
    records = {"rxml": record([1.0, 2.0]), "hand": record([2.0, 4.0])}
    found = document(case(Must("speed", "hand", 1)), records, size=100, rounds=2)
    assert found["contestants"]["hand"]["rounds"][1] == {"seconds": 4.0, "cpu_seconds": 2.0}
    assert found["musts"][0]["met"] is True
    assert found["musts"][0]["ratio"] == {"median": 2.0, "least": 2.0, "most": 2.0}
