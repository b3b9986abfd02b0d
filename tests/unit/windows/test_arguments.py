"""What does not go together is refused when the pipeline is built, with a word on what would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

import rxml
from rxml import aggregates as agg
from rxml import operators, windows
from rxml.errors import PipelineError, SchemaError
from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.testing import run
from tests.unit.checkpointing.memory_store import MemoryStore

ops: Any = operators
w: Any = windows
TUMBLING = w.tumbling(10)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: w.tumbling(0),
            ValueError,
            r"tumbling\(size\) wants a duration > 0 and below 146 years, got 0",
        ),
        (lambda: w.tumbling("1"), TypeError, r"tumbling\(size\) wants seconds as a number"),
        (lambda: w.tumbling(1, origin=datetime(2024, 1, 1)), SchemaError, "no time zone"),  # noqa: DTZ001
        (lambda: w.tumbling(10**11), ValueError, "less than 292 years"),
        (lambda: w.sliding(1, -1), ValueError, r"sliding\(every\) wants a duration >= 0"),
        (lambda: w.session(timedelta()), ValueError, r"session\(gap\) wants a duration > 0"),
        (lambda: w.count(0), ValueError, r"count\(n\) wants an int >= 1, got 0"),
        (lambda: w.count(2, 1.5), PipelineError, r"count\(step\) wants an int >= 1"),
        (lambda: w.after_count(0), ValueError, r"after_count wants an int >= 1, got 0"),
        (lambda: w.every(0), ValueError, "every wants a period > 0, got 0"),
        (lambda: w.early(0), ValueError, "early wants a period > 0, got 0"),
        (lambda: ops.window(10), PipelineError, "or a flow, got 10"),
        (
            lambda: ops.window(TUMBLING, emit="close"),
            PipelineError,
            r"emit=on_close\(\), .*'close'",
        ),
        (
            lambda: ops.window(TUMBLING, accumulation="sum"),
            PipelineError,
            "'discarding'.*got 'sum'",
        ),
        (lambda: ops.window(TUMBLING, late="drop"), PipelineError, "'count', 'error', got 'drop'"),
        (lambda: ops.window(TUMBLING, allowed_lateness=-1), ValueError, "allowed_lateness"),
        (
            lambda: ops.window(TUMBLING, capacity=0),
            ValueError,
            r"window\(capacity=\) wants an int >= 1",
        ),
        (lambda: ops.window(TUMBLING, count=1), TypeError, "count"),
        (lambda: ops.window(w.count(2), emit=w.on_update()), PipelineError, "leave emit out"),
        (lambda: ops.window(w.count(2), allowed_lateness=1), PipelineError, "no late elements"),
        (
            lambda: ops.window(w.session(1), emit=w.every(1)),
            PipelineError,
            r"tumbling and global windows, not with session ones; use on_update\(\)",
        ),
        (
            lambda: ops.window(TUMBLING, emit=w.every(1), allowed_lateness=1),
            PipelineError,
            "leave allowed_lateness out",
        ),
        (lambda: ops.window(TUMBLING).aggregate(), PipelineError, r"such as n=agg.count\(\)"),
        (lambda: ops.window(TUMBLING).aggregate(n=len), PipelineError, "wants an aggregate"),
        (lambda: ops.with_event_time(3), TypeError, "name of a column"),
        (lambda: ops.with_event_time("t", unit="m"), ValueError, "unit of ns, us, ms, s, got 'm'"),
        (lambda: ops.with_event_time("t", 5), PipelineError, r"bounded\(delay\), .* got 5"),
        (lambda: ops.with_event_time("t", idle_after=0), ValueError, "idle_after > 0, got 0"),
        (lambda: ops.with_event_time("t", partition=5), TypeError, "partition"),
    ],
)
def test_arguments(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


ONE = agg.count()


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        (
            [ops.window(TUMBLING).aggregate(n=ONE)],
            r"put ops.with_event_time\(...\) before it, or say",
        ),
        (
            [ops.with_event_time("t"), ops.window(TUMBLING).aggregate(start=ONE)],
            "have a column 'start' already, beside start, end, time; give the aggregate another name",
        ),
        (
            [ops.with_event_time("t"), ops.key_by("n"), ops.window(TUMBLING).aggregate(n=ONE)],
            "have a column 'n' already",
        ),
        (
            [
                ops.with_event_time("t"),
                ops.key_by("k", max_keys=9),
                ops.window(TUMBLING).aggregate(n=ONE),
            ],
            "cannot give it up by max_keys: leave max_keys out of key_by",
        ),
        (
            [
                ops.with_event_time("t"),
                ops.key_by("k", ttl=9),
                ops.window(w.global_()).aggregate(n=ONE),
            ],
            "cannot give it up by ttl",
        ),
    ],
)
def test_what_does_not_go_together(operators: list[Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        _ = rxml.of({"t": 1}).pipe(*operators)


def test_windows_may_be_chained() -> None:
    """The time of a result is the last instant of its window, so that it is in the right window of the next."""
    timed: Any = ops.with_event_time(int, unit="s")
    small: Any = ops.window(w.tumbling(10)).aggregate(n=agg.count())
    large: Any = ops.window(w.tumbling(30)).aggregate(total=agg.sum("n"), parts=agg.count())
    rows = run(rxml.of(1, 9, 10, 29, 30, 31, 65).pipe(timed, small, large).to_list())
    shown = [(row["start"] // 10**9, row["total"], row["parts"]) for row in rows]
    assert shown == [(0, 4, 3), (30, 2, 1), (60, 1, 1)]


def test_windows_by_count_need_no_time() -> None:
    operator: Any = ops.window(w.count(2)).aggregate(total=agg.sum(int))
    assert list(map(dict, run(rxml.range(5).pipe(operator).to_list()))) == [
        {"total": 1},
        {"total": 5},
        {"total": 4},
    ]


@pytest.mark.parametrize("emit", [w.on_close(), w.early(1)])
def test_a_run_with_windows_can_be_saved(emit: Any) -> None:
    timed: Any = ops.with_event_time(int, unit="s", idle_after=60)
    operator: Any = ops.window(TUMBLING, emit=emit).aggregate(n=agg.count())
    flow = rxml.range(100).pipe(timed, operator)

    async def rows() -> list[Any]:
        got: list[Any] = []
        await flow.pipe(ops.do_action(got.append)).run(
            checkpoint=Checkpoint(MemoryStore(), elements=7)
        )
        return got

    assert [row["n"] for row in run(rows()) if row.get("final", True)] == [10] * 10
