"""KeyTable: a dict's idea of keys, in dense slots, whatever the keys come as."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from rxml.errors import SchemaError
from rxml.eventtime.keyed.key_table import KeyTable
from rxml.wire import dumps, loads

KEYS = st.one_of(
    st.integers(0, 9),
    st.integers(-(1 << 70), 1 << 70),
    st.sampled_from(["a", "b", "", b"a", 1.0, True, 0.5]),
    st.tuples(st.integers(0, 2), st.sampled_from("ab")),
    st.frozensets(st.integers(0, 2)),
    st.just(datetime(2026, 1, 1, tzinfo=UTC)),
)


def as_taken(table: KeyTable, keys: Any) -> list[Any]:
    return table.keys_of(table.codes(keys))


@given(st.lists(st.lists(KEYS, max_size=20), max_size=6))
def test_equal_keys_share_a_slot_and_others_do_not(chunks: list[list[Any]]) -> None:
    table, model = KeyTable(), dict[Any, int]()
    for chunk in chunks:
        expected = [model.setdefault(key, len(model)) for key in chunk]
        assert table.codes(chunk).tolist() == expected
    assert len(table) == table.capacity == len(model)
    assert table.keys_of(table.slots()) == list(model)


@given(st.lists(st.tuples(st.lists(st.integers(0, 12), max_size=20), st.booleans()), max_size=8))
def test_columns_and_rows_are_the_same_keys_also_after_releases(
    steps: list[tuple[list[int], bool]],
) -> None:
    by_rows, by_columns = KeyTable(), KeyTable()
    for keys, forget in steps:
        column = np.array(keys, np.uint8)
        assert by_rows.codes(keys).tolist() == by_columns.codes(column).tolist()
        assert by_columns.keys_of(by_columns.codes(column)) == keys
        if forget and len(by_rows):
            gone = by_rows.slots()[::2]
            by_rows.release(gone)
            by_columns.release(gone)
        assert by_rows.slots().tolist() == by_columns.slots().tolist()


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        (np.array([3, 1 << 40, 3]), [3, 1 << 40, 3]),
        (np.array([-1, 2]), [-1, 2]),
        (np.array([0.5, 2.0]), [0.5, 2]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(["a", "b"], object), ["a", "b"]),
        (np.array([True, False]), [True, False]),
        (np.array([], np.int64), []),
        (np.array(["2026-01-01"], "M8[ns]"), [np.datetime64("2026-01-01", "ns")]),
    ],
)
def test_columns_stand_for_their_values(column: Any, keys: list[Any]) -> None:
    table = KeyTable()
    assert as_taken(table, column) == keys
    assert table.codes(keys).tolist() == table.codes(column).tolist()


def test_a_released_slot_goes_to_the_next_new_key() -> None:
    table = KeyTable()
    table.codes(["a", "b", "c"])
    table.release([1])
    assert "b" not in table
    assert table.slot_of("b") is None
    assert table.codes(["d", "b", "a"]).tolist() == [1, 3, 0]
    assert table.fresh == [1, 3]
    assert table.capacity == 4


@pytest.mark.parametrize(
    "bad", [None, float("nan"), (1, float("nan")), np.datetime64("NaT"), [], {}]
)
def test_what_is_no_key_is_refused_and_nothing_has_changed(bad: Any) -> None:
    table = KeyTable()
    table.codes(["a"])
    with pytest.raises(SchemaError, match=r"no key|hashable"):
        table.codes(["b", "a", bad, "c"])
    assert table.keys_of(table.slots()) == ["a"]
    assert table.codes(["a", "z"]).tolist()[0] == 0
    assert len(table) == 2


def test_nan_in_a_column_is_refused() -> None:
    with pytest.raises(SchemaError, match="an element has no key: got nan"):
        KeyTable().codes(np.array([1.0, np.nan]))


def test_errors_of_a_key_of_ones_own_are_its_own() -> None:
    class Odd:
        @override
        def __hash__(self) -> int:
            raise RuntimeError

    table = KeyTable()
    with pytest.raises(RuntimeError):
        table.codes(["a", Odd()])
    assert len(table) == 0


@given(st.lists(KEYS, max_size=20), st.lists(KEYS, max_size=10), st.data())
def test_a_snapshot_goes_on_as_if_nothing_had_been(
    before: list[Any], after: list[Any], data: st.DataObject
) -> None:
    table = KeyTable()
    table.codes(before)
    used = table.slots().tolist()
    table.release(data.draw(st.lists(st.sampled_from(used), unique=True)) if used else [])
    state = loads(dumps(table.snapshot()))
    again = KeyTable()
    again.codes(["something", "else"])
    again.restore(state)
    assert again.codes(after).tolist() == table.codes(after).tolist()
    assert again.keys_of(again.slots()) == table.keys_of(table.slots())
