"""Early answers: what an incomplete window may still come to, in simulation, and how it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml import wire
from rxml.aggregates import possible as pw
from rxml.aggregates.possible.lags import Lags
from rxml.errors import PipelineError
from rxml.eventtime.event_time import EventTime
from rxml.eventtime.windows.kernel import TICK, WindowKernel
from rxml.eventtime.windows.plan import Plan, Settings
from rxml.testing import run
from rxml.windows import early, on_update, session, tumbling

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SIZE = 1000
DELAY = 400
EARLY: dict[str, Any] = {
    "n": pw.count(early=True),
    "total": pw.sum("v", method="normal", early=True),
}


def kernel() -> WindowKernel:
    settings = Settings(tumbling(SIZE / 1e9), early(1.0), "accumulating", 0, "count", 100)
    plan = Plan(settings, EARLY, None, EventTime("t", "ns"))
    plan.check()
    return WindowKernel("window", plan)


def arriving(random: Any, windows: int) -> NDArray[np.int64]:
    """Event times in the order of arrival: rates differ between windows, elements come late."""
    counts = random.poisson(random.uniform(5, 60, windows))
    times = np.concatenate(
        [random.integers(at * SIZE, (at + 1) * SIZE, n) for at, n in enumerate(counts)]
    )
    came = times + np.minimum(random.exponential(60, len(times)), DELAY - 1)
    order: NDArray[np.int64] = times[np.argsort(came, kind="stable")].astype(np.int64)
    return order


def simulated(windows: int, *, saved: bool = False) -> tuple[list[Any], dict[int, Any]]:
    """What has been told early, one tick every few elements, and in the end."""
    random = np.random.default_rng(11)
    told: list[Any] = []
    final: dict[int, Any] = {}
    one, front = kernel(), 0
    times = arriving(random, windows)
    values = random.normal(3.0, 1.0, len(times))
    for at, (t, v) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
        rows = list(one.push_all([{"t": t, "v": v}]))
        front = max(front, t)
        rows += one.advance(front - DELAY)
        if at % 7 == 3:
            told += list(map(dict, one.push_all([TICK])))
        if saved and at % 50 == 25:
            kept = wire.loads(wire.dumps(one.snapshot()))
            one = kernel()
            one.restore(kept)
        final |= {row["start"]: row for row in rows if row["final"]}
    final |= {row["start"]: row for row in one.flush()}
    return told, final


def held(told: list[Any], final: dict[int, Any], name: str) -> NDArray[np.bool_]:
    found: list[bool] = []
    for row in told:
        interval = row[name].interval(0.9)
        truth = float(final[row["start"]][name].mean())
        found.append(float(interval.lo) - 1e-9 <= truth <= float(interval.hi) + 1e-9)
    return np.array(found)


def test_intervals_of_early_answers_hold_their_level() -> None:
    told, final = simulated(60)
    later = [row for row in told if row["start"] >= 5 * SIZE]  # lags and rates have been seen
    for name in EARLY:
        assert 0.86 <= held(later, final, name).mean() <= 0.995
    seen = np.array([float(row["n"].ppf(1e-9)) for row in later])
    truth = np.array([float(final[row["start"]]["n"].mean()) for row in later])
    assert (seen < truth).mean() > 0.5  # they were far from complete


def test_early_answers_narrow_until_the_window_is_complete() -> None:
    told, final = simulated(12)
    widths: dict[int, list[float]] = {}
    for row in told:
        widths.setdefault(row["start"], []).append(float(row["n"].std()))
    several = [each for each in widths.values() if len(each) > 2]
    assert np.median([each[-1] / each[0] for each in several]) < 0.5
    assert all(float(row["n"].var()) == 0 for row in final.values())


def test_what_is_saved_tells_the_same() -> None:
    whole, parts = simulated(6)[0], simulated(6, saved=True)[0]
    for one, other in zip(whole, parts, strict=True):
        assert one["n"].equals(other["n"])
        assert one["total"].equals(other["total"])


def test_lags_do_not_depend_on_the_pieces_that_they_came_in() -> None:
    times = np.array([5, 3, 9, 1, 9, 20, 2], np.int64)
    whole, parts = Lags(), Lags()
    whole.saw(times)
    for at in range(len(times)):
        parts.saw(times[at : at + 1])
    assert whole.front == parts.front == 20
    assert np.array_equal(whole.counts, parts.counts)


def test_all_of_a_window_has_come_if_none_was_ever_so_late() -> None:
    lags = Lags()
    lags.saw(np.array([0, 100, 90, 200, 195], np.int64))
    starts, ends = np.array([0, 150, 400]), np.array([100, 250, 500])
    assert lags.share(starts, ends).round(2).tolist() == [1.0, 0.47, 0.0]


def test_a_tick_of_the_run_tells_early() -> None:
    rows = rxml.interval(1.0).pipe(
        ops.take(8),
        ops.map(lambda at: {"t": at, "v": 1.0}),
        ops.with_event_time("t", unit="s"),
        ops.window(tumbling(6), emit=early(2.0)).aggregate(n=pw.count(early=True)),
    )
    told = run(rows.to_list())
    first = [row for row in told if row["start"] == 0]
    assert [row["timing"] for row in first][-1] == "on_time"
    assert float(first[-1]["n"].mean()) == 6
    assert float(first[0]["n"].std()) > float(first[-1]["n"].std()) == 0


@pytest.mark.parametrize(
    ("windowing", "options"),
    [
        (tumbling(1), {}),
        (tumbling(1), {"emit": on_update()}),
        (session(1), {"emit": early(1)}),
        (tumbling(1), {"emit": early(1), "accumulation": "retracting"}),
    ],
)
def test_windows_that_cannot_tell_what_is_to_come_refuse(windowing: Any, options: Any) -> None:
    timed = rxml.of({"t": 1}).pipe(ops.with_event_time("t", unit="s"))
    window: Callable[..., Any] = ops.window
    with pytest.raises(PipelineError, match="early=True"):
        _ = timed.pipe(window(windowing, **options).aggregate(n=pw.count(early=True)))


def test_sums_that_cannot_be_foretold_refuse() -> None:
    with pytest.raises(ValueError, match="method='normal'"):
        pw.sum("v", early=True)
