"""Law cases of windows whose aggregates are over possible worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

import rxml
from rxml import operators as ops
from rxml import windows as w
from rxml.aggregates import possible as pw
from rxml.batch import Batch
from rxml.eventtime import bounded
from rxml.eventtime.reading import read
from tests.laws.case import Case
from tests.unit.windows.model import Model, Rules, Sessions, Spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.aggregates import Aggregate
    from rxml.flow.operator import Operator
    from rxml.windows import Windowing
    from tests.unit.windows.model import Kind

NS = 1e-9
ROWS = st.fixed_dictionaries(
    {
        "t": st.integers(-5, 12),
        "v": st.sampled_from([-1.0, 0.0, 2.0]),
        "p": st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    }
)
AGGREGATES: dict[str, Aggregate] = {
    "n": pw.count(presence="p"),
    "high": pw.max("v", presence="p"),
    "two": pw.having(2, at_least=0.5, presence="p"),
}
OWN = {
    "L52": "it tells watermarks of its own, those of upstream end there: tests/unit/eventtime/test_watermarks.py"
}
WHOLE: dict[str, Any] = {"ahead": None, "waived": OWN}


def moment(row: dict[str, Any]) -> int:
    return int(row["t"])


def key(row: dict[str, Any]) -> int:
    return int(row["t"]) % 2


def windowed(windowing: Windowing) -> Operator[Any, Any]:
    windows: Any = ops.window(windowing).aggregate(**AGGREGATES)
    event_time: Operator[Any, Any] = ops.with_event_time(moment, bounded(2 * NS), unit="ns")
    keyed: Operator[Any, Any] = ops.key_by(key)
    return rxml.compose(event_time, keyed, windows, ops.map(_plain))


def _plain(row: Any) -> dict[str, Any]:
    return dict(row)


def result(items: list[dict[str, Any]]) -> dict[str, Any]:
    """What a window's rows come to, taken all at once."""
    found: dict[str, Any] = {}
    batch = Batch.from_rows(items)
    for name, each in AGGREGATES.items():
        values = [np.asarray(read(batch, column)) for column in each.columns]
        state = each.lift(values, batch.array("t"), np.zeros(len(items), np.intp), 1)
        names = [name, *(f"{name}_{end}" for end in each.beside)]
        columns = Batch(dict(zip(names, each.lowered(state), strict=True)))
        found |= dict(columns[0])
    return found


def model(kind: Kind) -> Callable[[list[Any]], list[Any]]:
    def of(xs: list[Any]) -> list[Any]:
        panes = Model(Rules(kind, result, delay=2)).run([{**x, "k": key(x)} for x in xs]).panes
        out = {"k", "pane", "timing", "final", "retracted"}
        return [{"key": p["k"], **{n: p[n] for n in p if n not in out}} for p in panes]

    return of


CASES = {
    "window:possible sliding": Case(
        lambda: windowed(w.sliding(5 * NS, 2 * NS)), model(Spans(5, 2)), ROWS, WHOLE
    ),
    "window:possible session": Case(
        lambda: windowed(w.session(3 * NS)), model(Sessions(3)), ROWS, WHOLE
    ),
}
