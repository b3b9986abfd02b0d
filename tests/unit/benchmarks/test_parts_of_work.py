"""A peer that is so slow that it does but a part of the work: it is compared by what it measured, and compares results itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from typing_extensions import override

from benchmarks.case import Case, Contestant, Must, Outcome
from benchmarks.cases.aci import GAMMA, LEVEL, TARGET, WINDOW, compare
from benchmarks.contest import Record, Worker, take
from benchmarks.report import text
from benchmarks.verdict import rulings, wrong
from benchmarks.worker import answer
from rxml.uncertain.calibration.aci import ACI


class Telling(Worker):
    """A worker that says the same each time, and is no process."""

    def __init__(self, result: dict[str, Any]) -> None:
        self._result = result

    @override
    def run(self, size: int) -> dict[str, Any]:
        return self._result


def case() -> Case:
    contestants = {name: Contestant(Outcome, "as it does") for name in ("rxml", "peer")}
    musts = (Must("speed", "peer", 50.0, "one_seconds"),)
    shown = ("one_seconds", "many_seconds")
    return Case("made_up", "nothing", "none", 100, 10, "labels", contestants, musts, shown)


def test_it_is_compared_by_what_it_measured_and_by_nothing_else() -> None:
    ours, theirs = Record("ours"), Record("theirs")
    for _ in range(2):
        measures = {"seconds": 3.0, "one_seconds": 1.0, "many_seconds": 2.0}
        take(Telling({"checksum": 7.0, "measures": measures}), 100, ours)
        part = answer(Contestant(lambda _: Outcome(None, {"one_seconds": 60.0}), ""), 100)
        take(Telling(part), 100, theirs)
    records = {"rxml": ours, "peer": theirs}
    assert (ours.checksum, theirs.checksum, theirs.failure) == (7.0, None, None)
    assert wrong(case(), records) == []
    assert [ruling.met for ruling in rulings(case(), records)] == [True]
    shown = text(case(), records, size=100, rounds=2)
    assert "60.00x (60.00..60.00) as fast as peer" in shown
    assert "many_seconds -" in shown


def test_radii_are_held_against_the_scores_that_were_remembered() -> None:
    given = [float((37 * i) % 503) for i in range(WINDOW + 120)]
    calibrator = ACI(LEVEL, gamma=GAMMA, window=WINDOW)
    radii: list[float] = []
    for score in given[:WINDOW]:
        calibrator.update_one(0, score, score)  # nothing missed: only alpha moves, and is put back
    calibrator.restore({**calibrator.snapshot(), "levels": {"alpha": np.array([TARGET])}})
    for score in given[WINDOW:]:
        radius, _ = calibrator.issue_one(0)
        radii.append(radius)
        calibrator.update_one(0, score, radius)
    compare(radii, given)
    radii[100] += 1.0
    with pytest.raises(ValueError, match="label 100"):
        compare(radii, given)
