"""Law cases of `rxml.operators.event_time`, and of windows by event time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml import windows as w
from rxml.eventtime import bounded
from tests.laws.case import Case
from tests.unit.windows.model import Always, Model, Rules, Sessions, Spans, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.operator import Operator
    from rxml.windows import Emission, Windowing
    from tests.unit.windows.model import Kind

NS = 1e-9
TIMES = st.integers(-5, 12)
RESULTS = ("start", "end", "time", "n", "total")


def moment(x: int) -> int:
    """The time of an element; 0 has none."""
    return x if 1 // x in {0, 1, -1} else 0


def key(x: int) -> int:
    return x % 2


def timed(xs: list[Any]) -> Iterator[Any]:
    for x in xs:
        moment(x)
        yield x


def windowed(
    windowing: Windowing, emit: Emission | None = None, **options: Any
) -> Operator[Any, Any]:
    def value(x: int) -> int:
        return x

    chosen: dict[str, Any] = options if emit is None else {"emit": emit, **options}
    windows: Any = ops.window(windowing, **chosen).aggregate(n=agg.count(), total=agg.sum(value))
    event_time: Operator[Any, Any] = ops.with_event_time(int, bounded(2 * NS), unit="ns")
    keyed: Operator[Any, Any] = ops.key_by(key)
    return rxml.compose(event_time, keyed, windows, ops.map(_plain))


def _plain(row: Any) -> dict[str, Any]:
    return dict(row)


def result(items: list[Any]) -> dict[str, Any]:
    return {"n": len(items), "total": sum(item["t"] for item in items)}


def model(kind: Kind, **rules: Any) -> Callable[[list[Any]], list[Any]]:
    """What windows tell; each result has the columns that windows of its kind have."""
    several = bool(rules.get("update") or rules.get("lateness"))
    none: set[str] = set()
    left_out = none if rules.get("accumulation") == "retracting" else {"retracted"}
    left_out |= none if several else {"pane", "timing", "final"}
    left_out |= {"start", "end"} if isinstance(kind, Always) else none

    def of(xs: list[Any]) -> list[Any]:
        items = [{"t": x, "k": key(x)} for x in xs]
        panes = Model(Rules(kind, result, delay=2, **rules)).run(items).panes
        return [_named(pane, left_out) for pane in panes]

    return of


def _named(pane: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    return {"key": pane["k"], **{name: pane[name] for name in pane if name not in {"k", *left_out}}}


def by_count(n: int, step: int) -> Callable[[list[Any]], list[Any]]:
    def of(xs: list[Any]) -> list[Any]:
        rows = counted([{"t": x, "k": key(x)} for x in xs], n, step, result)
        return [_named(row, set()) for row in rows]

    return of


OWN = {
    "L52": "it tells watermarks of its own, those of upstream end there: tests/unit/eventtime/test_watermarks.py"
}
MARKS: dict[str, Any] = {"waived": OWN}
WHOLE: dict[str, Any] = {"ahead": None, "waived": OWN}
BESIDE: dict[str, Any] = {"ahead": None, "order": "any", "waived": OWN}
"""Where windows tell before they end, how their results stand among one another may depend on the chunks."""

CASES = {
    "with_event_time": Case(
        lambda: ops.with_event_time(moment, bounded(2 * NS), unit="ns"), timed, TIMES, MARKS
    ),
    "with_event_time:partitions": Case(
        lambda: ops.with_event_time(moment, unit="ns", partition=key), timed, TIMES, MARKS
    ),
    "with_event_time:idle": Case(
        lambda: ops.with_event_time(moment, unit="ns", partition=key, idle_after=1.25),
        None,
        TIMES,
        options={"rate": True, "waived": OWN},
    ),
    "window:tumbling": Case(
        lambda: windowed(w.tumbling(4 * NS, origin=1)), model(Spans(4, 4, 1)), TIMES, WHOLE
    ),
    "window:sliding": Case(
        lambda: windowed(w.sliding(5 * NS, 2 * NS)), model(Spans(5, 2)), TIMES, WHOLE
    ),
    "window:gaps": Case(
        lambda: windowed(w.sliding(2 * NS, 3 * NS)), model(Spans(2, 3)), TIMES, WHOLE
    ),
    "window:session": Case(lambda: windowed(w.session(3 * NS)), model(Sessions(3)), TIMES, WHOLE),
    "window:global": Case(lambda: windowed(w.global_()), model(Always()), TIMES, WHOLE),
    "window:elements": Case(lambda: windowed(w.count(3, 2)), by_count(3, 2), TIMES, WHOLE),
    "window:update": Case(
        lambda: windowed(w.sliding(5 * NS, 2 * NS), w.on_update(), allowed_lateness=2 * NS),
        model(Spans(5, 2), update=1, lateness=2),
        TIMES,
        BESIDE,
    ),
    "window:retracting": Case(
        lambda: windowed(w.session(3 * NS), w.after_count(2), accumulation="retracting"),
        model(Sessions(3), update=2, accumulation="retracting"),
        TIMES,
        BESIDE,
    ),
    "window:discarding": Case(
        lambda: windowed(w.tumbling(4 * NS), w.on_update(), accumulation="discarding"),
        model(Spans(4, 4), update=1, accumulation="discarding"),
        TIMES,
        BESIDE,
    ),
    "window:every": Case(lambda: windowed(w.tumbling(4 * NS), w.every(1 * NS)), None, TIMES, WHOLE),
    "window:early": Case(
        lambda: windowed(w.tumbling(4 * NS), w.early(0.5)),
        None,
        TIMES,
        {"rate": True, "waived": OWN},
    ),
}
