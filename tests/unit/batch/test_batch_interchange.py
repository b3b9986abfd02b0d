"""Batches as Arrow tables and pandas frames."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from rxml.batch import Batch, Schema
from rxml.errors import SchemaError

pa: Any = pytest.importorskip("pyarrow")
pd: Any = pytest.importorskip("pandas")

BATCH = Batch(
    {
        "b": np.array([True, False, True]),
        "i": np.array([1, -2, 3], "i2"),
        "u": np.array([1, 2, 2**64 - 1], "u8"),
        "f": np.array([0.5, np.nan, -np.inf]),
        "h": np.array([0.5, 1.5, 2.5], "f4"),
        "t": np.array(["2020", "NaT", "2021"], "M8[us]"),
        "d": np.array([1, 2, 3], "m8[ns]"),
        "s": ["a", None, "ü"],
    }
)
WIDE = Batch({"v": np.arange(6.0).reshape(3, 2), "w": np.arange(12).reshape(3, 2, 2)})


def test_a_table_and_back_is_the_same_batch() -> None:
    both = BATCH.with_columns({name: WIDE[name] for name in WIDE.names})
    assert Batch.from_arrow(both.to_arrow()) == both
    assert Batch.from_arrow(both[:0].to_arrow()).names == both.names
    chunked = pa.concat_tables([both[:1].to_arrow(), both[1:].to_arrow()])
    assert Batch.from_arrow(chunked) == both
    assert Batch.from_arrow(both.to_arrow().slice(1)) == both[1:]


def test_a_frame_and_back_is_the_same_batch() -> None:
    assert Batch.from_pandas(BATCH.to_pandas()) == BATCH
    assert Batch.from_pandas(WIDE.select("v").to_pandas()) == WIDE.select("v")
    assert Batch.from_pandas(BATCH[:0].to_pandas()).names == BATCH.names


def test_a_number_column_reaches_arrow_without_a_copy() -> None:
    column = BATCH.to_arrow().column("f").chunk(0)
    shared = np.frombuffer(column.buffers()[1], "f8")
    assert np.shares_memory(shared, BATCH["f"])


def test_times_with_a_zone_become_utc() -> None:
    stamps = pd.to_datetime(["2024-05-01T12:00+02:00"]).tz_convert("Europe/Berlin")
    for batch in (
        Batch.from_pandas(pd.DataFrame({"t": stamps})),
        Batch.from_arrow(pa.Table.from_pandas(pd.DataFrame({"t": stamps}))),
    ):
        assert batch["t"][0] == np.datetime64("2024-05-01T10:00")


def test_dictionaries_categories_and_nulls_are_unfolded() -> None:
    table = pa.table(
        {
            "c": pa.array(["a", "b", "a"]).dictionary_encode(),
            "f": pa.array([1.5, None, 2.5]),
            "y": pa.array([b"a\0", None, b""]),
        }
    )
    batch = Batch.from_arrow(table)
    assert batch["c"].tolist() == ["a", "b", "a"]
    assert np.isnan(batch["f"][1])
    assert batch["y"].tolist() == [b"a\0", None, b""]
    frame = pd.DataFrame({"c": pd.Categorical(["a", None]), "i": pd.array([1, 2], "Int64")})
    assert Batch.from_pandas(frame)["c"].tolist() == ["a", None]
    assert Batch.from_pandas(frame)["i"].tolist() == [1, 2]


def test_rows_without_columns_keep_their_number() -> None:
    bare = BATCH.select()
    assert bare.to_arrow().num_rows == len(bare.to_pandas()) == 3
    assert Batch.from_arrow(bare.to_arrow()) == Batch.from_pandas(bare.to_pandas()) == bare


def test_batches_and_readers_of_arrow_are_taken_too() -> None:
    table = BATCH.to_arrow()
    (record,) = table.to_batches()
    assert Batch.from_arrow(record) == Batch.from_arrow(table.to_reader()) == BATCH
    for other in ([record], {"x": [1]}, None, BATCH):
        with pytest.raises(SchemaError, match=r"is no table of Arrow: give a pyarrow\.Table"):
            Batch.from_arrow(other)


def test_a_frame_and_back_by_the_schema_is_the_same_batch() -> None:
    batch = Batch(
        {
            "none": np.array([None, None], object),
            "day": np.array(["2020", "NaT"], "M8[D]"),
            "hour": np.array([3, 4], "m8[h]"),
            "wide": np.arange(6.0).reshape(2, 3),
            "cube": np.arange(12).reshape(2, 2, 3),
            "small": np.array([1, 2], "i2"),
            "hole": np.array([1.5, np.nan]),
        }
    )
    for part in (batch, batch[:1], batch[:0]):
        assert Batch.from_pandas(part.to_pandas(), part.schema) == part
    assert Batch.from_pandas(batch.select("none").to_pandas()) == batch.select("none")
    with pytest.raises(SchemaError, match="the frame has columns"):
        Batch.from_pandas(batch.to_pandas(), batch.select("small").schema)
    with pytest.raises(SchemaError, match=r"row 0: 'small' is np.int16.1."):
        Batch.from_pandas(batch.select("small").to_pandas(), Schema.of(small=str))


def test_texts_that_are_no_unicode_are_refused_by_row() -> None:
    for texts in (np.array(["a", "\ud800"], object), np.array(["a", "\ud800"])):
        with pytest.raises(SchemaError, match="row 1: 's' is no Unicode"):
            Batch({"x": [1, 2], "s": texts}).to_pandas()
        with pytest.raises(SchemaError, match="'s'"):
            Batch({"s": texts}).to_arrow()


def test_nanoseconds_of_pandas_are_kept() -> None:
    stamp = pd.Timestamp("2024-05-01T12:00:00.123456789", tz="Europe/Berlin")
    span = pd.Timedelta(1_000_000_007, "ns")
    batch = Batch.from_rows([{"t": stamp, "d": span}, {"t": stamp.floor("us"), "d": None}])
    assert batch["t"][0] == np.datetime64("2024-05-01T10:00:00.123456789")
    assert batch["d"][0] == np.timedelta64(1_000_000_007, "ns")
    assert batch["t"][1] == np.datetime64("2024-05-01T10:00:00.123456", "ns")
    mixed = pd.DataFrame({"t": pd.Series([stamp, stamp.tz_convert("UTC")], dtype=object)})
    assert Batch.from_pandas(mixed)["t"].tolist() == [batch["t"][0].item()] * 2
    coarse = Batch.from_rows([{"t": stamp}], Schema.of(t="M8[us]"))
    assert coarse["t"][0] == np.datetime64("2024-05-01T10:00:00.123456")
    with pytest.raises(SchemaError, match="'t'"):
        Batch.from_rows([{"t": pd.NaT}])


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (lambda: pa.table({"i": pa.array([1, None])}), "'i' has 1 nulls"),
        (lambda: pa.table({"m": pa.array([{"a": 1}])}), "'m' is of Arrow's struct"),
        (lambda: pa.table({"l": pa.array([[1], None], pa.list_(pa.int64(), 1))}), "'l'.*null"),
        (lambda: pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), "repeat a name"),
    ],
)
def test_a_table_that_is_no_batch_is_refused(table: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        Batch.from_arrow(table())


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (lambda: pd.DataFrame({"i": pd.array([1, None], "Int64")}), "'i' is None"),
        (lambda: pd.DataFrame({"m": pd.Series([1, "a"], dtype=object)}), "row 1: 'm' is 'a'"),
        (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), "repeat a name"),
        (lambda: pd.DataFrame({1: [2]}), "names must be strings"),
    ],
)
def test_a_frame_that_is_no_batch_is_refused(frame: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        Batch.from_pandas(frame())


def test_what_arrow_has_not_is_refused_by_name() -> None:
    for column in (np.zeros(2, "c16"), np.zeros(2, [("a", "f8")]), np.zeros((2, 0))):
        with pytest.raises(SchemaError, match="no type in Arrow"):
            Batch({"x": column}).to_arrow()


@pytest.mark.parametrize("name", ["pyarrow", "pandas"])
def test_without_the_library_the_error_names_the_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    convert = BATCH.to_arrow if name == "pyarrow" else BATCH.to_pandas
    with pytest.raises(ModuleNotFoundError, match=r"rxml\[(arrow|pandas)\]"):
        convert()
