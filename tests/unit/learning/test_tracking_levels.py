"""track: levels of keys, times that are uneven or go back, readings that are missing, smoothing, batches, saved runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import CheckpointError, DistributionError, PipelineError, SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.testing.virtual_time import run
from rxml.uncertain import Normal
from rxml.uncertain.pooling import LocalLevel
from tests.unit.checkpointing.memory_store import Died, MemoryStore
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

CLOCK: Operator[Any, Any] = ops.with_event_time("t")
START = datetime(2026, 3, 1, tzinfo=UTC)


def at(second: float, value: Any, **more: Any) -> dict[str, Any]:
    return {"t": START + timedelta(seconds=second), "value": value, **more}


def levels(rows: list[Any], column: str = "level") -> list[tuple[float, float]]:
    return [(float(row[column].mean()), float(row[column].var())) for row in rows]


def by_element(**how: Any) -> Operator[Any, Any]:
    settings: dict[str, Any] = {"q": 1.0, "r": 1.0, "per": "element", **how}
    return ops.track(**settings)


def filtered(times: list[float], y: list[float], r: list[float], **how: Any) -> Any:
    level = LocalLevel(0.5, keys=1, **how)
    return level.update(np.zeros(len(y), np.intp), times, y, r)


def test_sensors_are_weighed_by_their_variances_and_time_makes_less_sure() -> None:
    rows = [
        at(0, Normal(5.0, 1.0)),
        at(2, Normal(9.0, 4.0)),
        at(7, None),
        at(7.5, Normal(6.0, 1.0)),
    ]
    found = results(rows, CLOCK, ops.track(q=0.5))
    want = filtered([0, 2, 7, 7.5], [5.0, 9.0, np.nan, 6.0], [1.0, 4.0, 1.0, 1.0])
    assert levels(found) == list(zip(want.mean.tolist(), want.var.tolist(), strict=True))
    np.testing.assert_array_equal([row["nis"] for row in found], want.nis)
    assert found[2]["value"] is None


def test_before_the_first_reading_nothing_is_known() -> None:
    found = results([{"value": None}, {"value": float("nan")}, {"value": 3}, {}], by_element())
    assert levels(found) == [(0.0, np.inf), (0.0, np.inf), (3.0, 1.0), (3.0, 2.0)]
    assert np.isnan([row["nis"] for row in found]).all()


def test_a_reading_of_infinite_variance_is_none() -> None:
    found = results([{"value": 3.0}, {"value": Normal(0.0, np.inf)}], by_element())
    assert levels(found) == [(3.0, 1.0), (3.0, 2.0)]


def test_a_reading_that_comes_late_counts_for_less() -> None:
    found = results([at(0, 1.0), at(10, 2.0), at(4, 9.0)], CLOCK, ops.track(q=0.5, r=1.0))
    want = filtered([0, 10, 10], [1.0, 2.0, 9.0], [1.0, 1.0, 1.0 + 0.5 * 6])
    assert levels(found) == list(zip(want.mean.tolist(), want.var.tolist(), strict=True))


def test_noise_may_be_a_column_and_is_added_to_what_readings_have_of_their_own() -> None:
    found = results(
        [{"value": Normal(5.0, 1.0), "n": 2.0}, {"value": 4.0, "n": 0.5}], by_element(r="n", q=0)
    )
    assert levels(found) == [(5.0, 3.0), pytest.approx((5.0 - 3 / 3.5, 1.5 / 3.5))]


def test_each_key_has_a_level_of_its_own_and_begins_anew_when_it_was_given_up() -> None:
    rows = [{"k": key, "value": float(at)} for at, key in enumerate("aabab")]
    alone = {key: results([row for row in rows if row["k"] == key], by_element()) for key in "ab"}
    found = results(rows, by_element(by="k"))
    for key in "ab":
        assert levels([row for row in found if row["k"] == key]) == levels(alone[key])
    few = results(rows, ops.key_by("k", max_keys=1), by_element())
    assert levels(few)[2:] == [(2.0, 1.0), (3.0, 1.0), (4.0, 1.0)]


def test_smoothing_tells_of_earlier_levels_by_what_came_since() -> None:
    y = [1.0, 4.0, 2.0, 7.0]
    found = results([{"value": each} for each in y], by_element(q=0.5, smooth=2))
    want = filtered([0, 1, 2, 3], y, [1.0] * 4, lag=2)
    assert levels(found, "smoothed")[:2] == [(0.0, np.inf)] * 2
    assert levels(found, "smoothed")[2:] == list(
        zip(want.late[2:].tolist(), want.late_var[2:].tolist(), strict=True)
    )
    assert "smoothed" not in results([{"value": 1.0}], by_element())[0]


def test_the_surprise_is_one_on_average_where_the_settings_are_right() -> None:
    rng = np.random.default_rng(6)
    level = np.cumsum(rng.normal(size=2000))
    y = level + 2.0 * rng.normal(size=2000)
    batch = Batch({"value": y})
    rows = run(rxml.from_batches([batch]).pipe(by_element(r=4.0)).to_list())
    nis = np.array([row["nis"] for row in rows[1:]])
    assert abs(nis.mean() - 1) < 0.1
    off = np.array([row["level"].mean() for row in rows]) - level
    assert np.mean(off**2) < 0.5 * np.mean((y - level) ** 2)


def test_batches_and_rows_give_the_same_to_the_last_bit() -> None:
    rng = np.random.default_rng(2)
    times = np.datetime64("2026-03-01T00:00:00", "ns") + rng.integers(0, 10**10, 40)
    columns: dict[str, Any] = {
        "t": np.sort(times),
        "k": rng.integers(0, 3, 40),
        "value": Normal(rng.normal(size=40), rng.random(40)),
    }
    whole = Batch(columns)
    parts = [whole[:7], whole[7:8], whole[8:40]]
    tracked = ops.track(q=0.25, by="k", smooth=1)
    one, more = (
        run(rxml.from_batches(each).pipe(CLOCK, tracked).to_list()) for each in ([whole], parts)
    )
    rows = results(list(whole), CLOCK, tracked)
    for name in ("level", "smoothed"):
        assert levels(one, name) == levels(more, name) == levels(rows, name)


def test_what_is_saved_goes_on_as_if_nothing_had_happened() -> None:
    rows = [at(second * second, float(second % 3), k=second % 2) for second in range(9)]

    async def known(store: MemoryStore) -> dict[Any, Any]:
        out: dict[Any, Any] = {}

        def keep(row: Any) -> None:
            out[row["t"]] = levels([row])

        tracked = ops.track(q=0.5, r=1.0, by="k", smooth=2)
        flow = rxml.from_iterable(rows).pipe(CLOCK, tracked, ops.do_action(keep))
        while True:
            try:
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
            except Died:
                continue
            return out

    assert run(known(MemoryStore(*range(1, 8)))) == run(known(MemoryStore()))


def test_a_state_of_other_settings_is_refused() -> None:
    saved = Checkpoint(MemoryStore(1), every=None, elements=1)
    rows = rxml.from_iterable([{"value": 1.0}, {"value": 2.0}])
    with pytest.raises(Died):
        run(rows.pipe(by_element()).run(checkpoint=saved))
    with pytest.raises(CheckpointError, match="track: value by 1 an element, lag 0"):
        run(rows.pipe(by_element(smooth=3)).run(checkpoint=saved))


@pytest.mark.parametrize(
    ("rows", "how", "error", "words"),
    [
        ([{"value": 1.0}], {"r": None}, SchemaError, "without variance: say that of its noise"),
        ([{"value": "x"}], {}, SchemaError, "row 0 is"),
        ([1.0], {}, SchemaError, "mapping or a row"),
        ([{"value": 1.0}, {"value": 2.0}], {"r": 0, "q": 0}, DistributionError, "contradict"),
        ([{"value": 1e200}], {}, DistributionError, "within"),
        ([{"value": 1.0, "n": -1.0}], {"r": "n"}, DistributionError, "variance is >= 0"),
        ([{"value": 1.0}], {"per": "second"}, PipelineError, "with_event_time"),
    ],
)
def test_what_is_wrong_with_elements_is_told(
    rows: list[Any], how: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        results(rows, by_element(**how))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"q": -1.0}, "q"),
        ({"r": -1.0}, "r"),
        ({"smooth": -1}, "smooth"),
        ({"per": "minute"}, "per"),
    ],
)
def test_what_is_wrong_with_settings_is_told_at_once(how: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        by_element(**how)
