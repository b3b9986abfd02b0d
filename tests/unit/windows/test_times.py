"""Whose times windows go by, and what following windows may go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.testing import run
from rxml.windows import count, global_, session, sliding, tumbling

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.windows import Windowing

COUNTED = ops.window(tumbling(10)).aggregate(n=agg.count())


def seconds(*moments: int, column: str = "t", unit: Any = "s") -> Flowable[Any]:
    rows: list[Any] = [{column: moment, "k": "a"} for moment in moments]
    return rxml.from_iterable(rows).pipe(ops.with_event_time(column, unit=unit))


def counts(flow: Flowable[Any], name: str = "n") -> list[int]:
    return [row[name] for row in run(flow.to_list())]


@pytest.mark.parametrize("windows", [tumbling(5), sliding(10, 5), session(2)], ids=str)
def test_windows_of_spans_may_follow_one_another(windows: Windowing) -> None:
    counted: Any = ops.window(windows).aggregate(n=agg.count())
    first: Flowable[Any] = seconds(*range(40)).pipe(counted)
    second = first.pipe(ops.window(tumbling(20)).aggregate(total=agg.sum("n")))
    assert sum(counts(second, "total")) == sum(counts(first))


@pytest.mark.parametrize("windows", [global_(), count(2)], ids=str)
def test_results_whose_time_the_stream_may_have_passed_are_refused(windows: Windowing) -> None:
    counted: Any = ops.window(windows).aggregate(n=agg.count())
    first: Flowable[Any] = seconds(1, 2, 100).pipe(counted)
    with pytest.raises(PipelineError, match="newest element, which the stream may have passed"):
        _ = first.pipe(COUNTED)
    behind = first.pipe(ops.with_event_time("time", unit="ns"), COUNTED)
    assert counts(behind)


@pytest.mark.parametrize(
    "other", [seconds(3_000, unit="ms"), seconds(3, column="ts")], ids=["unit", "column"]
)
def test_flows_that_meet_have_one_event_time(other: Flowable[Any]) -> None:
    for both in (rxml.merge(seconds(1), other), rxml.concat(seconds(1), other)):
        with pytest.raises(PipelineError, match="the flows that meet before it have their event"):
            _ = both.pipe(COUNTED)
    assert counts(rxml.merge(seconds(1, 12), seconds(3)).pipe(COUNTED)) == [2, 1]


def test_a_column_of_its_own_may_count_other_units() -> None:
    rows: Flowable[Any] = rxml.from_iterable(
        [{"t": 1_700_000_000 + 30 * number} for number in range(4)]
    )
    windows = ops.window(tumbling(60), time="t", unit="s").aggregate(n=agg.count())
    assert sum(counts(rows.pipe(windows))) == 4
    starts = [row["start"] for row in run(rows.pipe(windows).to_list())]
    assert all(start >= 1_699_999_900 * 10**9 for start in starts)
    with pytest.raises(ValueError, match="wants a unit of"):
        ops.window(tumbling(60), unit="s")


@pytest.mark.parametrize("name", ["time", "start", "end"])
def test_a_key_cannot_have_the_name_of_a_column_of_results(name: str) -> None:
    rows: Flowable[Any] = rxml.from_iterable([{name: 1, "t": 1}]).pipe(
        ops.with_event_time("t", unit="s")
    )
    with pytest.raises(PipelineError, match=f"can have no key {name!r}"):
        _ = rows.pipe(ops.key_by(name), COUNTED)


def test_late_elements_are_either_handed_on_or_an_error() -> None:
    with pytest.raises(PipelineError, match="hands late elements on"):
        ops.window(tumbling(1), late="error").with_late(n=agg.count())
