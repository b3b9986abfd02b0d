"""Windows of so many elements that overlap hold these elements in their order, however many share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rxml import aggregates as agg
from rxml import operators as ops
from rxml import windows as w
from rxml.errors import BufferOverflowError
from tests.unit.windows.model import counted
from tests.unit.windows.running import Hand, pieces, told

if TYPE_CHECKING:
    from rxml.aggregates import Aggregate

ORDERED: dict[str, Aggregate] = {
    "words": agg.monoid("", str, str.__add__, column="v"),
    "n": agg.count(),
}
FEW = settings(max_examples=settings().max_examples // 2)


def in_order(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"words": "".join(item["v"] for item in items), "n": len(items)}


def lettered(keys: list[int]) -> list[dict[str, Any]]:
    return [{"t": at, "k": key, "v": chr(97 + at % 26)} for at, key in enumerate(keys)]


def chained(early: float, late: float) -> float:
    """Not associative, and fails when it is to take what is poison."""
    if late == POISON:
        raise ValueError("poison")
    return early + late / 3


POISON = -1.0
KEYS = st.lists(st.sampled_from([1, 1, 1, 2, 3]), max_size=60)
SIZES = st.lists(st.integers(1, 25), min_size=1, max_size=3)


@FEW
@given(keys=KEYS, sizes=SIZES, n=st.integers(2, 17), step=st.integers(1, 6))
def test_they_hold_their_elements_in_order(
    keys: list[int], sizes: list[int], n: int, step: int
) -> None:
    items = lettered(keys)
    expected = counted(items, n, step, in_order)
    rows = told(ops.window(w.count(n, step)).aggregate(**ORDERED), pieces(items, sizes))
    assert [{name: row[name] for name in rows[0]} for row in expected] == rows


@FEW
@given(
    keys=KEYS,
    sizes=SIZES,
    n=st.integers(2, 17),
    step=st.integers(1, 6),
    saved=st.sets(st.integers(0, 30)),
)
def test_chunks_that_fail_and_snapshots_change_nothing(
    keys: list[int], sizes: list[int], n: int, step: int, saved: set[int]
) -> None:
    aggregates = {"n": agg.count(), "chain": agg.monoid(0.0, float, chained, column="v")}
    hands = [Hand(w.count(n, min(step, n - 1)), aggregates) for _ in range(2)]
    poison = [{"t": 0, "k": key, "v": POISON} for key in (1, 4) for _ in range(6)]
    numbered = [{"t": at, "k": key, "v": at + 0.1} for at, key in enumerate(keys)]
    for number, items in enumerate(pieces(numbered, sizes)):
        if number in saved:
            hands[1].save_and_restore()
        with pytest.raises(ValueError, match="poison"):
            hands[1].kernel.push_all([*items, *poison])
        one, other = (list(map(dict, hand.kernel.push_all(items))) for hand in hands)
        assert one == other
    assert hands[0].end() == hands[1].end()


def test_what_they_keep_follows_from_the_overlap() -> None:
    hand = Hand(w.count(100, 10), {"n": agg.count()})
    kernel = hand.kernel
    for start in range(0, 5000, 500):
        kernel.push_all([{"t": start + at, "k": at % 2, "v": 1} for at in range(500)])
        pool: Any = vars(kernel)["_pool"]
        assert len(pool) <= 2 * (10 + 2)


def test_more_than_there_is_room_for_is_an_error_that_leaves_the_rest() -> None:
    operator: Any = ops.window(w.count(50, 1), capacity=40).aggregate(n=agg.count())
    with pytest.raises(BufferOverflowError, match="capacity=40"):
        told(operator, [[{"t": at, "k": 1, "v": 1} for at in range(60)]])


def test_sums_of_floats_do_not_drift() -> None:
    values = np.random.default_rng(3).normal(size=3000) * 10.0 ** np.arange(3000).clip(max=12)
    values[1000:] = 1.0
    items = [{"t": at, "k": 1, "v": float(value)} for at, value in enumerate(values)]
    rows = told(ops.window(w.count(100, 1)).aggregate(total=agg.sum("v")), pieces(items, [700]))
    full = [row["total"] for row in rows[: len(items) - 99]]
    assert full[1000:] == [100.0] * (len(full) - 1000)
    exact = [values[at : at + 100].sum() for at in range(len(full))]
    assert np.allclose(full, exact, rtol=1e-9)


@FEW
@given(keys=KEYS, sizes=SIZES, n=st.integers(2, 17), step=st.integers(1, 16))
@example(keys=[1] * 30, sizes=[9], n=10, step=7)
@example(keys=[1] * 13, sizes=[9], n=10, step=7)  # of which a block has 14
def test_what_a_window_may_collect_bounds_no_chunk_and_no_block(
    keys: list[int], sizes: list[int], n: int, step: int
) -> None:
    items = lettered(keys)
    operator: Any = ops.window(w.count(n, step)).aggregate(all=agg.collect("v", most=n))
    expected = counted(items, n, step, lambda held: {"all": [item["v"] for item in held]})
    rows = told(operator, pieces(items, sizes))
    assert [row["all"] for row in rows] == [row["all"] for row in expected]


def test_a_state_of_an_earlier_version_is_refused_where_it_was_another_one_only() -> None:
    windowings = (w.count(3, 2), w.count(3, 3), w.tumbling(3), w.sliding(3, 1), w.session(3))
    versions = [Hand(each, {"n": agg.count()}).kernel.version for each in windowings]
    assert versions == [2, 1, 1, 1, 1]
