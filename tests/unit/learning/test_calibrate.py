"""calibrate: labels that come late, twice, for nobody or not at all; keys that come and go; batches; services."""

from __future__ import annotations

import asyncio
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import PipelineError
from rxml.learning import Coverage
from rxml.testing.virtual_time import run
from rxml.uncertain import Interval, Normal, Quantiles
from rxml.uncertain.calibration import ACI
from tests.unit.learning.labelled import ends, results, row, split, taught, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rxml.flow.operator import Operator
    from rxml.learning import Label

CLOCK: Operator[Any, Any] = ops.with_event_time("time")


def last(elements: list[Any], *before: Any, **how: Any) -> tuple[float, float]:
    return ends(results(elements, *before, split(**how))[-1]["interval"])


def test_without_labels_nothing_is_excluded() -> None:
    (only,) = results([row(1, 5.0)], split())
    assert ends(only["interval"]) == (-inf, inf)
    assert only["interval"].sort == "conformal"
    assert only["interval"].level == 0.5
    assert {name: only[name] for name in ("id", "value")} == row(1, 5.0)


def test_what_comes_out_is_what_anybody_would_build_of_its_ends() -> None:
    elements = [each for at in range(9) for each in (row(at, 1.0), told(at, 1.0 + at))]
    for got in (each["interval"] for each in results(elements, split())):
        assert got.equals(Interval(got.lo, got.hi, level=0.5, sort="conformal"))


def test_labels_out_of_order_teach_what_those_in_order_do() -> None:
    rows = [row(at, 1.0) for at in range(5)]
    labels = [told(at, 1.0 + at) for at in range(5)]
    want = last([*rows, *labels, row(9, 0.0)])
    assert want == (-2.0, 2.0)
    assert last([*rows, *reversed(labels), row(9, 0.0)]) == want


def test_a_label_is_held_against_what_was_issued_for_its_element() -> None:
    coverage = Coverage(0.5)
    late = [
        row("early"),
        *taught([1.0, 1.0, 1.0]),
        told("early", 1e9),
        row("then"),
        told("then", 1e9),
    ]
    results(late, split(coverage=coverage))
    assert (coverage.now.labels, coverage.now.covered) == (5, 4)  # all but the last were within


def test_labels_that_come_twice_for_nobody_or_never_are_counted_and_teach_nothing() -> None:
    coverage = Coverage(0.5)
    odd = [
        told("too early", 9.0),
        *taught([1.0, 1.0, 1.0]),
        told("taught 0", 50.0),
        told("nobody", 50.0),
        row("a"),
        row("b"),
        row("a"),
        told("a", nan),
        told("b", None),
        told("a", 70.0),
        row("end"),
    ]
    assert last(odd, coverage=coverage) == (-1.0, 1.0)
    counts = coverage.now.counts
    assert (counts.predicted, counts.labelled, counts.abstained) == (5, 3, 2)
    assert (counts.repeated, counts.late, counts.unknown, counts.again) == (1, 1, 2, 1)


def test_the_order_of_a_label_and_a_refusal_counts_within_a_chunk_too() -> None:
    coverage = Coverage(0.5)
    results(
        [row(1), row(2), told(1, 3.0), told(1, None), told(2, None), told(2, 3.0)],
        split(coverage=coverage),
    )
    counts = coverage.now.counts
    assert (counts.labelled, counts.abstained, counts.late) == (1, 1, 1)


def test_labels_expire_by_event_time() -> None:
    coverage = Coverage(0.5)
    elements = [
        row(1, time=0),
        row(2, time=5_000),
        row(3, time=8_000),
        told(2, 1.0, 14_000),
        told(3, 1.0, 18_000),  # as old as may be is too old
        row(4, time=20_000),
        told(1, 1.0, 20_000),  # the watermark has passed it
        row(5, time=30_000),
    ]
    results(elements, CLOCK, split(expire=10e-6, coverage=coverage))
    counts = coverage.now.counts
    assert (counts.labelled, counts.expired, counts.late) == (1, 3, 2)


def test_expiry_wants_event_time() -> None:
    with pytest.raises(PipelineError, match="with_event_time"):
        results([row(1)], split(expire=1))


def keyed(value: float, name: Any, k: str) -> list[Any]:
    return [row(name, k=k), told(name, value)]


def alone(level: float) -> ACI:
    """Each key for itself; about as `split`, from the first label on."""
    return ACI(0.9 * level, gamma=1e-6)


def test_keys_learn_apart() -> None:
    known = [*keyed(1.0, 1, "a"), *keyed(9.0, 2, "b")]
    found = results([*known, *(row(k, k=k) for k in "abc")], split(by="k", method=alone))
    assert [ends(each["interval"]) for each in found[2:]] == [(-1.0, 1.0), (-9.0, 9.0), (-inf, inf)]


@pytest.mark.parametrize("bound", [{"max_keys": 1}, {"ttl": 10e-6}, {"ttl": 10e-6, "max_keys": 1}])
def test_a_key_that_was_given_up_knows_nothing_and_its_late_labels_teach_nobody(bound: Any) -> None:
    coverage = Coverage(0.5)
    elements = [
        *(row(name, k="a", time=0) for name in (1, 2, 3)),
        told(1, 7.0, 1),
        row(4, k="a", time=5_000),
        row(5, k="b", time=20_000),
        told(2, 7.0, 20_000),  # of "a", whose slot is that of "b" by now, or nobody's
        row(6, k="b", time=21_000),
        row(7, k="a", time=22_000),
        told(3, 7.0, 22_000),
        row(8, k="a", time=23_000),
    ]
    by: Operator[Any, Any] = ops.key_by("k", **bound)
    calibrated = split(coverage=coverage, method=alone)
    found = results(elements, CLOCK, by, calibrated)
    assert ends(found[3]["interval"]) == (-7.0, 7.0)
    assert [ends(each["interval"]) for each in found[4:]] == [(-inf, inf)] * 4
    assert coverage.now.labels == 3  # what was promised to them was promised
    assert [each.key for each in coverage.worst()] == ["a"]


def test_coverage_names_the_keys_that_are_covered_least() -> None:
    coverage = Coverage(0.5, keys=2)
    elements = [
        each
        for at in range(40)
        for k in "xab"
        for each in keyed(2.0**at if k == "a" else 1.0, f"{k}{at}", k)
        if k != "x" or not at
    ]
    results(elements, split(by="k", method=alone, coverage=coverage))
    worst, best = coverage.worst()
    assert (worst.key, best.key, best.covered) == ("a", "b", 40)
    assert worst.covered == 1  # all scores so far are smaller than the next
    assert worst.lower <= worst.covered / worst.labels <= worst.upper < best.lower
    assert coverage.worst(1) == [worst]


def test_coverage_reports_after_each_chunk_of_labels_and_raises_an_alarm() -> None:
    coverage = Coverage(0.9, keep=5)
    results(
        taught(2.0**at for at in range(60)), ops.calibrate(0.9, on_unbounded=0.0, coverage=coverage)
    )
    now = coverage.now
    assert (now.labels, now.covered, now.share, now.recent) == (60, 0, 0.0, 0.0)
    assert now.alarm
    lower, upper = now.interval
    assert lower <= 0.0 <= upper < 0.9
    assert now.counts.missing == 0


def test_a_coverage_of_another_promise_is_refused() -> None:
    with pytest.raises(ValueError, match="promise the same"):
        ops.calibrate(0.8, coverage=Coverage(0.9))


def test_batches_come_to_what_rows_do() -> None:
    rng = np.random.default_rng(5)
    rows = [row(at, float(rng.normal()), k=int(rng.integers(3))) for at in range(60)]
    labels = [told(each["id"], float(rng.normal())) for each in rows]
    one_by_one = [*rows[:30], *labels[:30], *rows[30:]]
    whole = results(one_by_one, split(by="k"))

    def halves() -> Any:
        return rxml.from_batches([Batch.from_rows(rows[:30]), Batch.from_rows(rows[30:])])

    async def known() -> AsyncIterator[Label]:
        await asyncio.sleep(1)
        for each in labels[:30]:
            yield each

    async def slowly() -> list[Any]:
        first, second = Batch.from_rows(rows[:30]), Batch.from_rows(rows[30:])

        async def batches() -> AsyncIterator[Any]:
            for each in first:
                yield each
            await asyncio.sleep(2)
            for each in second:
                yield each

        flow = rxml.from_async_iterable(batches).pipe(
            split(by="k", labels=rxml.from_async_iterable(known))
        )
        return await flow.to_list()

    assert run(slowly()) == whole
    untaught = run(halves().pipe(split(by="k")).to_list())
    assert untaught[:30] == whole[:30]


@pytest.mark.parametrize("method", ["aci", "dtaci", "nexcp", "pid", "quantile_tracker", "split"])
def test_each_method_covers_what_it_says(method: Any) -> None:
    coverage = Coverage(0.8)
    numbers = np.random.default_rng(1).normal(size=300).tolist()
    results(taught(numbers), ops.calibrate(0.8, method=method, coverage=coverage))
    assert coverage.now.share == pytest.approx(0.8, abs=0.06)
    assert not coverage.now.alarm


def normal(name: Any, mean: float, sd: float) -> dict[str, Any]:
    return {"id": name, "value": Normal(mean, sd * sd)}


def test_norm_is_as_wide_as_the_model_is_unsure() -> None:
    elements = [normal(1, 0.0, 2.0), told(1, 3.0), normal(2, 10.0, 4.0)]
    assert last(elements, score="norm") == (4.0, 16.0)
    plain = [{"id": at, "m": 0.0, "s": 1.0 + at} for at in range(2)]
    assert last([plain[0], told(0, 3.0), plain[1]], score="norm", prediction=("m", "s")) == (
        -6.0,
        6.0,
    )


def quantiles(low: float, high: float) -> Quantiles:
    return Quantiles([0.1, 0.9], [low, high])


def interval(low: float, high: float) -> Interval:
    return Interval(low, high, level=0.8, sort="central")


@pytest.mark.parametrize("wide", [quantiles, interval])
def test_cqr_moves_the_ends_of_quantiles(wide: Any) -> None:
    elements = [
        {"id": 1, "value": wide(0.0, 1.0)},
        told(1, 1.5),
        {"id": 2, "value": wide(4.0, 6.0)},
    ]
    assert last(elements, score="cqr") == (3.5, 6.5)


def test_each_side_may_learn_apart() -> None:
    flow = [*taught([-1.0, 4.0, -1.0, 4.0]), row("end")]
    assert last(flow, score="abs_sides") == (-1.0, 4.0)
