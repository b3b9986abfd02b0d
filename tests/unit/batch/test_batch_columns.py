"""What a batch is made of, and that it copies nothing and lets nothing be written."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rxml.batch import Batch
from rxml.errors import SchemaError

DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.floating_dtypes(),
    hnp.complex_number_dtypes(),
    hnp.datetime64_dtypes(),
    hnp.unicode_string_dtypes(max_len=4),
    hnp.byte_string_dtypes(max_len=4),
)


@st.composite
def batches(draw: st.DrawFn, *, rows: int | None = None) -> Batch:
    count = draw(st.integers(0, 9)) if rows is None else rows
    names = draw(st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True))
    extents = st.sampled_from([(), (2,), (2, 3), (0,)])
    return Batch({name: draw(hnp.arrays(draw(DTYPES), (count, *draw(extents)))) for name in names})


def test_a_callers_array_stays_writeable_and_the_batch_has_a_view_of_it() -> None:
    array = np.arange(3.0)
    column = Batch({"x": array})["x"]
    assert array.flags.writeable
    assert np.shares_memory(array, column)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1.0


@given(batches(), st.slices(9))
def test_a_slice_has_the_same_rows_as_a_list_and_shares_the_memory(
    batch: Batch, where: slice[Any, Any, Any]
) -> None:
    part = batch[where]
    positions = list(range(len(batch)))[where]
    assert len(part) == len(positions)
    assert part.schema == batch.schema
    for name in batch.names:
        np.testing.assert_array_equal(part[name], batch[name][positions])
        assert not part[name].flags.writeable
        if part[name].size and part[name].dtype.itemsize:
            assert np.shares_memory(part[name], batch[name])


@given(batches(), st.data())
def test_concat_of_the_pieces_of_a_batch_is_the_batch(batch: Batch, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(batch)), max_size=4)))
    bounds = [0, *cuts, len(batch)]
    pieces = [batch[a:b] for a, b in pairwise(bounds)]
    whole = Batch.concat(pieces)
    assert whole == batch
    assert whole.schema == batch.schema


@given(batches(rows=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_mask_and_the_numbers_of_its_rows_choose_the_same(batch: Batch, mask: list[bool]) -> None:
    numbers = [number for number, kept in enumerate(mask) if kept]
    assert batch[mask] == batch[np.array(mask)] == batch[numbers]
    assert len(batch[mask]) == sum(mask)
    assert not any(batch[mask][name].flags.writeable for name in batch.names)


@given(batches())
def test_a_batch_equals_itself_and_no_batch_with_one_value_changed(batch: Batch) -> None:
    assert batch == Batch(batch.columns)
    assert batch != 7
    changed = batch.with_columns({"new": np.arange(len(batch))})
    assert changed != batch
    assert changed.drop("new") == batch or not batch.names
    if len(batch):
        assert changed != changed.with_columns({"new": np.arange(len(batch)) + 1})


def test_nan_and_nat_equal_themselves_in_a_batch() -> None:
    structure = np.array([(np.nan, [np.nan])], [("a", "f4"), ("b", "f8", (1,))])
    assert Batch({"s": structure}) == Batch({"s": structure.copy()})
    assert Batch({"s": structure}) != Batch({"s": np.zeros_like(structure)})
    holed = {"x": np.array([np.nan, 1.0]), "t": np.array(["NaT", "2020"], "M8[s]")}
    assert Batch(holed) == Batch(holed)
    assert Batch({"x": [1.0]}) != Batch({"x": [1]})
    assert Batch({"x": np.array(["a", None], object)}) == Batch({"x": ["a", None]})
    assert Batch({"x": np.zeros((1, 2))}) != Batch({"x": np.zeros((1, 3))})


def test_columns_are_selected_dropped_renamed_and_added() -> None:
    batch = Batch({"a": [1, 2], "b": [1.5, 2.5]})
    assert batch.select("b", "a").names == ("b", "a")
    assert batch.drop("a").names == ("b",)
    assert batch.rename(a="c").names == ("c", "b")
    assert batch.rename({"a": "b", "b": "a"})["b"].tolist() == [1, 2]
    assert batch.with_columns(c=[3, 4], a=["x", "y"]).names == ("a", "b", "c")
    assert len(batch.drop("a", "b")) == 2
    assert "a" in batch
    assert "z" not in batch
    assert {"a": 1, "b": 1.5} in batch
    assert {"a": 1, "b": 7.5} not in batch


def test_bytes_are_counted_with_the_objects_that_columns_hold() -> None:
    assert Batch({"x": np.zeros((4, 2))}).nbytes == 64
    assert Batch({"s": ["a" * 1000]}).nbytes > 1000


def test_a_repr_is_short_whatever_the_length() -> None:
    assert repr(Batch({"x": np.zeros((5000, 2))})) == "Batch(5000 rows: x float64(2,))"


REFUSED = [
    ({"x": 1.0}, "'x' is the scalar"),
    ({"x": [1, 2], "y": [1]}, "'y' has 1 rows, 'x' has 2"),
    ({"x": [1, "a"]}, "row 1: 'x' is 'a'"),
    ({"x": [[1, 2], [3]]}, "row 1: 'x' has shape"),
    ({"x": np.ma.masked_array([1, 2], [True, False])}, "masked"),
    ({"x": [None]}, "no value to infer"),
    ({3: [1]}, "names must be strings"),
]


@pytest.mark.parametrize(("columns", "reason"), REFUSED)
def test_what_is_no_column_is_refused_with_its_name(columns: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        Batch(columns)


def test_what_a_batch_has_not_is_refused() -> None:
    batch = Batch({"x": [1, 2], "y": [1, 2]})
    for wrong in (
        lambda: batch["z"],
        lambda: batch.select("z"),
        lambda: batch.drop("z"),
        lambda: batch.rename(z="a"),
        lambda: batch.rename(x="y"),
        lambda: batch.with_columns(z=[1]),
        lambda: batch[np.array([True])],
        lambda: batch[np.array([0.5])],
        lambda: batch.take(cast("Any", {"x"})),
        lambda: Batch.concat([]),
        lambda: Batch.concat([batch, batch.drop("x")]),
        lambda: Batch.concat([batch, batch.with_columns(x=[0.5, 1.5])]),
    ):
        with pytest.raises(SchemaError):
            wrong()
    for number in (2, -3):
        with pytest.raises(IndexError):
            batch[number]
    with pytest.raises(IndexError):
        batch[np.array([5])]


def test_fixed_size_text_of_other_widths_is_joined_to_the_wider() -> None:
    joined = Batch.concat([Batch({"s": np.array(["a"])}), Batch({"s": np.array(["bcd"])})])
    assert joined["s"].tolist() == ["a", "bcd"]


def test_a_list_of_texts_keeps_every_character() -> None:
    assert Batch({"s": ["a\0", ""]})["s"].tolist() == ["a\0", ""]
