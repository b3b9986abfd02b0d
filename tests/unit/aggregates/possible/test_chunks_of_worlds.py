"""However rows are cut into chunks, and wherever a window is saved and restored, results are the same to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.aggregates import possible as pw
from rxml.batch import Batch
from rxml.testing import run
from rxml.uncertain import Bernoulli, Categorical, Normal, Rows
from rxml.windows import after_count, count, session, sliding, tumbling
from tests.unit.windows.running import Hand, pieces, told, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.aggregates import Aggregate
    from rxml.windows import Windowing

Row = dict[str, Any]
NS = 1e-9

ALL: dict[str, Aggregate] = {
    "n": pw.count(lambda b: b["v"] > 0.2),
    "total": pw.sum("w"),
    "about": pw.sum("v", method="normal"),
    "mean": pw.average("v"),
    "high": pw.max("w"),
    "mid": pw.median("w"),
    "kinds": pw.count_distinct("name"),
    "by": pw.count_by("class"),
    "any": pw.exists(),
    "three": pw.having(3, at_least=0.5),
    "least": pw.exists(dependence="unknown"),
    "bounds": pw.count(dependence="unknown"),
    "top": pw.top_k("w", 2, id="name"),
    "fused": pw.fuse("v", method="ivw"),
}
WINDOWS: list[Windowing] = [
    tumbling(9 * NS),
    sliding(9 * NS, 3 * NS),
    session(4 * NS),
    count(5, 2),
]


def readings(seed: int) -> list[Row]:
    """Of three keys, as they may come, some with presence, with normal values and with known ones."""
    random = np.random.default_rng(seed)
    items: list[Row] = []
    for _ in range(10):
        p, v, k = random.choice([0.3, 0.5, 1.0]), random.uniform(-1, 1), random.choice([2, 10, 1])
        row = {
            "t": int(random.integers(20)),
            "k": int(k),
            "v": Normal(v, random.choice([0.25, 1.0])),
        }
        row |= {"w": v, "presence": Bernoulli(p), "name": f"s{k}"}
        items.append({**row, "class": Categorical([p, 1 - p], ["a", "b"])})
    return within(items, 3, [1, 3, 0, 2])


def require_same(got: list[Row], wanted: list[Row]) -> None:
    for one, other in zip(got, wanted, strict=True):
        for name, value in other.items():
            same = one[name].equals(value) if isinstance(value, Rows) else one[name] == value
            assert same, (name, one[name], value)


def cut(items: list[Row], sizes: Sequence[int], *, batches: bool) -> list[Any]:
    parts = pieces(items, sizes)
    return [Batch.from_rows(part) for part in parts] if batches else parts


EACH = pytest.mark.parametrize(
    "windowing", WINDOWS, ids=["tumbling", "sliding", "session", "count"]
)


@EACH
def test_chunks_do_not_matter(windowing: Windowing) -> None:
    items, windows = readings(1), ops.window(windowing).aggregate(**ALL)
    whole = told(windows, [items], delay=3)
    for sizes, batches in (([1], False), ([2, 1, 3], True)):
        parts = told(windows, cut(items, sizes, batches=batches), delay=3)
        require_same(parts, whole)


@EACH
def test_what_is_saved_goes_on(windowing: Windowing) -> None:
    hands = [Hand(windowing, ALL, delay=3) for _ in range(2)]
    rows: list[list[Row]] = [[], []]
    for at, item in enumerate(readings(2)):
        for number, hand in enumerate(hands):
            rows[number] += hand.take(item)
        if at % 3 == 1:
            hands[1].save_and_restore()
    for number, hand in enumerate(hands):
        rows[number] += hand.end()
    require_same(rows[1], rows[0])


def test_windows_that_tell_several_times_end_where_others_do() -> None:
    items = sorted(readings(3), key=lambda item: item["t"])
    once = told(ops.window(tumbling(9 * NS)).aggregate(**ALL), [items])
    windows = ops.window(tumbling(9 * NS), emit=after_count(2), accumulation="retracting")
    several = told(windows.aggregate(**ALL), [items])
    last = [row for row in several if row["final"]]
    require_same(last, once)
    back = sum(row["retracted"] for row in several)
    assert 0 < back == len(several) - back - len(last)


def test_running_aggregates_have_come_so_far() -> None:
    items = readings(4)
    rows = run(rxml.of(*items).pipe(ops.key_by("k"), ops.aggregate(n=pw.count())).to_list())
    seen: dict[int, float] = {}
    for item, row in zip(items, rows, strict=True):
        seen[item["k"]] = seen.get(item["k"], 0.0) + float(item["presence"].p)
        np.testing.assert_allclose(row["n"].mean(), seen[item["k"]], rtol=1e-12)
        assert row["n_error"] == 0
