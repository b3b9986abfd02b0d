"""Verdict: medians, ratios within rounds, and whether what must come out did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.case import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.case import Case, Must
    from benchmarks.contest import Record


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of some numbers."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came out of one must.

    Attributes:
        must: what was asked.
        ratio: over the rounds; None if it could not be measured.
        met: None if it could not be measured.
        best: the ratio of the best rounds of both; where it is far from the median, the machine was busy.
        processor: the ratio in processor time, for ratios of seconds; it differs for the same reason, or
            where a contestant waits or uses several threads.
    """

    must: Must
    ratio: Spread | None
    met: bool | None
    best: float | None = None
    processor: Spread | None = None


def spread(values: Sequence[float]) -> Spread | None:
    """Of the values, or None if there are none."""
    return Spread(median(values), min(values), max(values)) if values else None


def ratios(ours: Sequence[float], others: Sequence[float], *, speed: bool) -> Spread | None:
    """Over the rounds that both have finished.

    Args:
        ours: our measure, round by round.
        others: theirs.
        speed: True for theirs / ours (how many times faster we are), False for ours / theirs.
    """
    above, below = (others, ours) if speed else (ours, others)
    return spread([a / b for a, b in zip(above, below, strict=False) if b > 0])


def rule(must: Must, records: Mapping[str, Record]) -> Ruling:
    """Compare ours with what the must names."""
    ratio = _ratio(must, records, must.measure)
    if ratio is None:
        return Ruling(must, None, None)
    met = ratio.median >= must.bound if must.kind == "speed" else ratio.median <= must.bound
    if must.measure != "seconds":
        return Ruling(must, ratio, met)
    ours, theirs = (min(records[name].values("seconds")) for name in (OURS, must.against))
    best = theirs / ours if must.kind == "speed" else ours / theirs
    return Ruling(must, ratio, met, best, _ratio(must, records, "cpu_seconds"))


def _ratio(must: Must, records: Mapping[str, Record], measure: str) -> Spread | None:
    ours = records[OURS]
    if must.kind == "within":
        return ratios(ours.values(measure), ours.values(must.against), speed=False)
    others = records[must.against].values(measure)
    return ratios(ours.values(measure), others, speed=must.kind == "speed")


def rulings(case: Case, records: Mapping[str, Record]) -> list[Ruling]:
    """One for each must of the case."""
    return [rule(must, records) for must in case.musts]


def wrong(case: Case, records: Mapping[str, Record]) -> list[str]:
    """What makes the numbers void: contestants that failed, or whose results differ."""
    found = [
        f"{name}: {record.failure}"
        for name, record in records.items()
        if record.failure and record.installed
    ]
    sums = {name: r.checksum for name, r in records.items() if r.checksum is not None}
    first = next(iter(sums.values()), 0.0)
    if all(math.isclose(value, first, rel_tol=case.tolerance) for value in sums.values()):
        return found
    return [*found, f"the results differ: {sums}"]
