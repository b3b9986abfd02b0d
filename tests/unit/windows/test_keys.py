"""Keys of windows: in an order that depends on no other keys, forgotten with their last window, of any hashable kind."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml import windows as w
from rxml import wire
from rxml.eventtime.keying import Keying
from rxml.eventtime.windows.engine import in_order
from rxml.eventtime.windows.keys import Keys, ranked
from rxml.testing import run

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

NAMES = st.integers(-5, 5) | st.text("ab", max_size=2) | st.floats(-2, 2) | st.dates()
KEYS = st.lists(NAMES | st.tuples(NAMES, NAMES), unique=True, max_size=8)


@given(keys=KEYS, data=st.data())
def test_the_order_of_two_keys_depends_on_no_other(keys: list[Any], data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(keys), unique=True)) if keys else []
    place = dict(zip(map(repr, keys), ranked(keys).tolist(), strict=True))
    ordered = sorted(some, key=lambda key: place[repr(key)])
    assert (
        sorted(some, key=dict(zip(some, ranked(some).tolist(), strict=True)).__getitem__) == ordered
    )


def test_keys_that_compare_are_in_their_order() -> None:
    for keys in ([3, -1, 10**30, 2], ["b", "ab", ""], [2.5, -1, 2], [(1, "b"), (1, "a"), (0, "z")]):
        named: list[Any] = list(keys)
        assert [named[at] for at in np.argsort(ranked(named)).tolist()] == sorted(named)


@given(names=st.lists(st.integers(0, 50), min_size=1, unique=True), data=st.data())
def test_few_keys_of_many_are_put_in_the_same_order(names: list[int], data: st.DataObject) -> None:
    keys = Keys(Keying("k"))
    codes = keys.codes(names)
    some = codes[: data.draw(st.integers(1, len(names)))]
    fresh = keys.column(some[in_order(keys, some)]).tolist()
    keys.rank(codes)  # now the order of all is known
    assert keys.column(some[in_order(keys, some)]).tolist() == fresh == sorted(names[: len(some)])


def test_keys_without_windows_are_forgotten() -> None:
    keys = Keys(Keying("k"))
    for at in range(0, 20_000, 500):
        codes = keys.codes(list(range(at, at + 500)))
        keys.hold(codes)
        keys.release(codes)
        keys.sweep()
    assert len(keys) < 3_000
    assert keys.capacity < 5_000


def test_keys_are_told_as_they_came() -> None:
    named: list[Any] = [("a", 1), 7, "x", date(2024, 5, 1), 2.5, b"y", ("a", 1), 10**30]
    items = [{"t": 1, "k": key} for key in named]
    timed: Operator[Any, Any] = ops.with_event_time("t", unit="ns")
    operator: Any = ops.window(w.tumbling(1)).aggregate(n=agg.count())
    rows = run(rxml.from_iterable(items).pipe(timed, ops.key_by("k"), operator).to_list())
    assert {row["k"]: row["n"] for row in rows} == {**dict.fromkeys(named, 1), ("a", 1): 2}


def test_the_column_of_whole_numbers_is_one_of_int64_whatever_other_keys_there_are() -> None:
    keys = Keys(Keying("k"))
    codes = keys.codes([5, "a", 7])
    assert keys.column(codes[[0, 2]]).dtype == np.int64
    assert keys.column(codes).dtype == object
    restored = Keys(Keying("k"))
    restored.restore(wire.loads(wire.dumps(keys.snapshot())))
    assert restored.column(codes).tolist() == [5, "a", 7]
    assert restored.codes(["a"]).tolist() == codes[[1]].tolist()
