"""What a batch keeps whatever is done to it: its rows, that it cannot be written to, and what it weighs."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any, cast

import numpy as np
import pytest

from rxml.batch import Batch, Field, Schema
from rxml.errors import SchemaError

BATCH = Batch({"x": [1.5, 2.5], "s": ["a", None], "v": [[1, 2], [3, 4]]})


def test_rows_without_columns_keep_their_number() -> None:
    batch = Batch.from_rows([{}, {}, {}])
    assert [dict(row) for row in batch.rows()] == [{}, {}, {}]
    assert len(batch) == 3
    assert dict(batch[1]) == dict(batch[-1]) == {}
    assert len(Batch.from_rows([{"x": 1}] * 2, Schema([]), extra="ignore")) == 2
    for part in (batch[:2], batch[[2, 0]], batch[[True, False, True]], batch.select()):
        assert len(part) == len(part.rows()) == (3 if part.equals(batch) else 2)
    assert len(Batch.concat([batch, batch[:1]])) == 4
    assert batch != batch[:2]
    with pytest.raises(IndexError):
        batch[[3]]


def test_dropping_the_last_column_keeps_the_rows() -> None:
    bare = BATCH.drop(*BATCH.names)
    assert len(bare) == len(BATCH.select()) == 2
    assert bare.with_columns(y=[1, 2]).names == ("y",)
    with pytest.raises(SchemaError, match="'y' has 3 rows, the batch has 2"):
        bare.with_columns(y=[1, 2, 3])
    assert len(Batch({}).with_columns(y=[1, 2, 3])) == 3


MADE: dict[str, Batch] = {
    "rows": Batch.from_rows([{"x": 1.0, "s": "a", "v": [1, 2]}]),
    "schema": Batch.from_rows(
        [{"x": True, "v": [1]}], Schema([Field("x", "?"), Field("v", "f4", (1,))])
    ),
    "lists": Batch({"x": [1, 2], "y": (1.5, 2.5), "z": range(2)}),
    "no rows": Batch({"x": []}),
    "take": BATCH[[1, 0]],
    "mask": BATCH[np.array([True, False])],
    "concat": Batch.concat([BATCH, BATCH]),
    "pickle": pickle.loads(pickle.dumps(BATCH)),
    "old pickle": pickle.loads(pickle.dumps(BATCH[1:], 2)),
    "copy": copy.copy(BATCH),
    "deep copy": copy.deepcopy(BATCH),
}


@pytest.mark.parametrize("name", MADE)
def test_arrays_that_a_batch_made_cannot_be_written_to_by_any_way(name: str) -> None:
    for array in map(np.asarray, MADE[name].columns.values()):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
        under: Any = array
        while isinstance(under, np.ndarray):
            assert not under.flags.writeable
            under = under.base


def test_a_copy_and_a_pickle_are_the_batch() -> None:
    for name in ("pickle", "copy", "deep copy"):
        assert MADE[name] == BATCH
    owned = np.arange(3.0)
    batch = Batch({"x": owned})
    for again in (copy.copy(batch), copy.deepcopy(batch), pickle.loads(pickle.dumps(batch))):
        assert again == batch
    assert owned.flags.writeable
    bare = Batch.from_rows([{}, {}])
    assert copy.deepcopy(bare) == pickle.loads(pickle.dumps(bare)) == bare


def test_texts_and_objects_within_objects_are_weighed() -> None:
    long = "x" * 10**6
    assert Batch({"s": np.array([long] * 10, np.dtypes.StringDType())}).nbytes == 160 + 10**7
    assert Batch({"s": np.array(["x" * 15, "y"], np.dtypes.StringDType())}).nbytes == 32
    nullable = np.array([long, None], np.dtypes.StringDType(na_object=None))
    assert Batch({"s": nullable}).nbytes == 32 + 10**6
    for value in ([long], (long,), {"k": [long]}, {long}, [np.array([long], object)]):
        column = np.empty(1, object)
        column[0] = value
        assert Batch({"o": column}).nbytes > 10**6
    structure = np.zeros(1, [("o", object), ("x", "f8")])
    structure["o"][0] = long
    assert Batch({"s": structure}).nbytes == 16 + sys.getsizeof(long)


def test_what_contains_itself_has_a_size() -> None:
    loop = np.empty(1, object)
    loop[0] = [loop, loop]
    assert 0 < Batch({"o": loop}).nbytes < 10**4


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([np.timedelta64(5, "Y"), np.timedelta64(5, "s")], r"timedelta64\[Y\], timedelta64\[s\]"),
        ([np.datetime64(5, "Y"), np.datetime64(5, "as")], r"datetime64\[Y\], datetime64\[as\]"),
        ([np.array([1], "m8[s]"), np.array([1.5])], r"float64, timedelta64\[s\]"),
        ([[np.timedelta64(5, "Y"), np.timedelta64(5, "s")]], "row 0: 'x' holds object"),
    ],
)
def test_units_that_have_nothing_in_common_are_refused_by_name(rows: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        Batch.from_rows([{"x": value} for value in rows])


def test_names_and_shapes_are_checked() -> None:
    for wrong, reason in (
        (lambda: BATCH.rename({"x": cast("str", 5)}), "named 5 .int.: names must be strings"),
        (lambda: Field(cast("str", 3), "f8"), "named 3 .int.: names must be strings"),
        (lambda: Field("x", "f8", cast("Any", (1.5,))), "'x': .1.5,. .tuple. is no shape"),
        (lambda: Field("x", "f8", cast("Any", 3)), "'x': 3 .int. is no shape"),
        (lambda: Field("x", "f8", cast("Any", "a")), "'x': 'a' .str. is no shape"),
    ):
        with pytest.raises(SchemaError, match=reason):
            wrong()
    assert Field("x", "f8", cast("Any", [np.int64(3)])).shape == (3,)
