"""From rows to columns and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.batch import Batch, Field, Row, Schema
from rxml.errors import SchemaError

COMMON = settings(max_examples=50, deadline=None)

INT64 = st.integers(-(2**63), 2**63 - 1)
SHORT = st.text(max_size=3)
VALUES: list[st.SearchStrategy[Any]] = [
    st.booleans(),
    INT64,
    st.floats(allow_nan=False),
    st.one_of(st.floats(allow_nan=False), st.integers(-(2**53), 2**53)),
    st.complex_numbers(allow_nan=False),
    st.one_of(SHORT, st.none()),
    st.binary(max_size=3),
    st.lists(st.floats(allow_nan=False), min_size=2, max_size=2),
    st.lists(st.lists(INT64, min_size=2, max_size=2), min_size=3, max_size=3),
]


@st.composite
def rows_of_one_kind(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(SHORT, min_size=1, max_size=4, unique=True))
    columns = {name: draw(st.sampled_from(VALUES)) for name in names}
    rows = draw(st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=6))
    for name in names:  # a column of nothing but None has no dtype
        if all(row[name] is None for row in rows):
            rows[0][name] = "text"
    return rows


@COMMON
@given(rows_of_one_kind())
def test_rows_come_back_as_they_went_in(rows: list[dict[str, Any]]) -> None:
    batch = Batch.from_rows(rows)
    assert batch.rows() == rows
    assert list(batch) == [batch[number] for number in range(len(batch))] == rows
    assert Batch.from_rows(batch) == batch
    assert Batch.from_rows(rows, batch.schema) == batch
    assert batch[::-1].rows() == rows[::-1] == list(reversed(batch))


def test_rows_longer_than_a_block_are_all_there() -> None:
    assert [row["x"] for row in Batch({"x": np.arange(5000)})] == list(range(5000))


def test_a_row_is_a_mapping_of_python_values() -> None:
    row = Batch({"x": [1.5], "k": np.array([3], "i2"), "v": [[1, 2]]})[0]
    assert isinstance(row, Row)
    assert (type(row["x"]), type(row["k"])) == (float, int)
    assert dict(row).keys() == {"x", "k", "v"}
    assert row == {"v": [1, 2], "k": 3, "x": 1.5}
    assert row != {"v": [1, 3], "k": 3, "x": 1.5}
    assert row != {"x": 1.5}
    assert row != 3
    assert row != {"v": [[1], [1, 2]], "k": 3, "x": 1.5}
    assert dict(**row)["k"] == 3
    assert not row["v"].flags.writeable
    with pytest.raises(TypeError):
        cast("Any", row)["x"] = 2
    with pytest.raises(KeyError):
        row["z"]
    assert repr(Batch({"x": [1.5]})[0]) == "Row(x=1.5)"


def test_a_missing_float_is_nan_and_a_missing_text_none() -> None:
    batch = Batch.from_rows([{"x": 1.5, "s": "a"}, {"x": None}, {"s": None}])
    assert np.isnan(batch["x"]).tolist() == [False, True, True]
    assert batch["s"].tolist() == ["a", None, None]


def test_times_become_utc_in_microseconds() -> None:
    plus_two = timezone(timedelta(hours=2))
    rows: list[dict[str, Any]] = [
        {"t": datetime(2024, 5, 1, 12, tzinfo=plus_two), "d": timedelta(microseconds=-1)},
        {"t": None, "d": None},
    ]
    batch = Batch.from_rows(rows)
    assert batch["t"][0] == np.datetime64("2024-05-01T10:00", "us")
    assert batch["d"][0] == np.timedelta64(-1, "us")
    assert np.isnat(batch["t"][1])
    assert np.isnat(batch["d"][1])
    assert Batch.from_rows(batch) == batch


def test_numpy_values_keep_their_type() -> None:
    rows = [{"x": np.float32(1.5), "k": np.int16(3), "v": np.zeros(2, "f4")}]
    dtypes = [field.dtype for field in Batch.from_rows(rows).schema.values()]
    assert dtypes == [np.float32, np.int16, np.float32]


def test_whole_numbers_beyond_int64_are_uint64() -> None:
    assert Batch.from_rows([{"x": 2**64 - 1}, {"x": 0}])["x"].dtype == np.uint64


NOT_INFERRED: list[tuple[Any, str]] = [
    ([{"x": 1}, {"x": None}], "row 1: 'x' is None.*int64 has no missing value"),
    ([{"x": 1}, {}], "row 1 has no 'x'"),
    ([{"x": True}, {"x": 1}], "row 1: 'x' is 1 .int.*have bool"),
    ([{"x": 1}, {"x": 2.5}, {"x": "a"}], "row 2: 'x' is 'a'"),
    ([{"x": 2**60}, {"x": 0.5}], "row 0.*last digits"),
    ([{"x": 2**64}], "row 0: 'x' is 18446744073709551616"),
    ([{"x": 2**63}, {"x": -1}], "row 0: 'x' is 9223372036854775808"),
    ([{"x": {}}], "row 0: 'x' is {}.*dtype object"),
    ([{"x": [1, "a"]}], "row 0: 'x' holds <U21"),
    ([{"x": [1, None]}], "row 0: 'x' holds object"),
    ([{"x": [1]}, {"x": [1, 2]}], "row 1: 'x' has shape"),
    ([{"x": [[1], [1, 2]]}], "row 0: 'x' is ragged"),
    ([{"x": [2**62]}, {"x": [0.5]}], "row 0.*2\\^53"),
    ([{"x": datetime(2020, 1, 1)}], "row 0.*without a time zone"),  # noqa: DTZ001
    ([{"x": None}], "only|no value to infer"),
    ([3], "row 0 is 3 .int.: rows must be mappings"),
    ([{1: 2}], "names must be strings"),
]


@pytest.mark.parametrize(("rows", "reason"), NOT_INFERRED)
def test_rows_that_call_for_no_dtype_are_refused_by_row_and_column(rows: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        Batch.from_rows(rows)


NOT_DECLARED: list[tuple[Any, Any, str]] = [
    ("i1", 300, "row 0: 'x' is 300 .int.: it does not fit int8"),
    ("i1", np.int64(300), "does not fit int8"),
    ("u8", -1, "does not fit uint64"),
    ("i8", 1.0, "row 0: 'x' is 1.0 .float.: the schema wants int64"),
    ("i8", True, "wants int64"),
    ("f4", 1e300, "row 0: 'x' is 1e.300 .float.: it does not fit float32"),
    ("f8", 10**400, "whole number of 1329 bits: it does not fit float64"),
    ("f8", "1.5", "wants float64"),
    ("f8", True, "wants float64"),
    ("?", 1, "wants bool"),
    ("U2", "abc", "row 0: 'x' is 'abc' .str.: <U2 holds 2"),
    ("U2", "a\0", "no NUL"),
    ("S2", b"abc", "S2 holds 2"),
    ("U2", 12, "wants <U2"),
    (str, 12, "row 0: 'x' is 12 .int."),
    (str, b"a", "row 0: 'x' is b'a'"),
    ("M8[ns]", datetime(3000, 1, 1, tzinfo=UTC), "beyond datetime64.ns."),
    ("M8[us]", datetime(3000, 1, 1), "without a time zone"),  # noqa: DTZ001
    ("M8[us]", 5, "wants datetime64.us."),
    ("m8[ns]", timedelta(days=999_999_999), "row 0"),
    ("m8[us]", timedelta(days=999_999_999), "row 0"),
    ("f8", None, "row 0: 'x' is None"),
]


@pytest.mark.parametrize(("dtype", "value", "reason"), NOT_DECLARED)
def test_a_value_that_does_not_fit_its_declared_field_is_refused(
    dtype: Any, value: object, reason: str
) -> None:
    schema = Schema([Field("x", dtype)])
    with pytest.raises(SchemaError, match=reason):
        Batch.from_rows([{"x": value}], schema)


@pytest.mark.parametrize(
    ("dtype", "shape", "value", "reason"),
    [
        ("f8", (2,), [1.0], "float64 of shape .1,."),
        ("f8", (2,), ["a", "b"], "<U1 of shape"),
        ("i1", (2,), [1, 300], "do not fit int8"),
        ("f4", (2,), [1, 1e300], "do not fit float32"),
        ("f8", (2, 2), [[1, 2], [3]], "ragged"),
        ("i8", (1,), [0.5], "the schema wants int64"),
    ],
)
def test_an_element_of_the_wrong_shape_or_size_is_refused(
    dtype: str, shape: tuple[int, ...], value: object, reason: str
) -> None:
    with pytest.raises(SchemaError, match=reason):
        Batch.from_rows([{"x": value}], Schema([Field("x", dtype, shape)]))


def test_declared_fields_convert_what_fits() -> None:
    schema = Schema(
        [
            Field("f", "f4", nullable=True),
            Field("v", "f8", (2,), nullable=True),
            Field("t", "M8[s]", nullable=True),
            Field("s", str, nullable=True),
            Field("c", "c8"),
            Field("u", "U3"),
            Field("o", object),
        ]
    )
    now = datetime(2024, 1, 1, tzinfo=UTC)
    row = {"f": 1, "v": [1, 2], "t": now, "s": "x", "c": 1.5, "u": "abc", "o": {"any": 1}}
    batch = Batch.from_rows([row, {"c": 1, "u": "", "o": [1]}], schema)
    assert batch.schema == schema
    assert batch[0]["t"] == np.datetime64("2024-01-01", "s")
    assert np.isnan(batch["v"][1]).all()
    assert batch[1]["s"] is None
    assert batch["o"].tolist() == [{"any": 1}, [1]]
    assert Batch.from_rows([], schema).schema == schema
    assert len(Batch.from_rows([], schema)) == 0


def test_where_any_object_will_do_none_will_but_a_missing_one_will_not() -> None:
    schema = Schema([Field("o", object)])
    assert Batch.from_rows([{"o": None}, {"o": np.zeros(2)}], schema)["o"][0] is None
    with pytest.raises(SchemaError, match="row 1 has no 'o'"):
        Batch.from_rows([{"o": np.zeros(2)}, {}], schema)


def test_a_name_out_of_the_schema_is_refused_or_ignored_as_told() -> None:
    schema, rows = Schema.of(x="f8"), [{"x": 1.0}, {"x": 1.0, "y": 2}]
    with pytest.raises(SchemaError, match="row 1 has 'y'"):
        Batch.from_rows(rows, schema)
    assert Batch.from_rows(rows, schema, extra="ignore").names == ("x",)
    with pytest.raises(ValueError, match="'keep'"):
        Batch.from_rows(rows, schema, extra=cast("Any", "keep"))


def test_a_schema_refuses_what_makes_no_field() -> None:
    for wrong in (
        lambda: Field("x", cast("Any", None)),
        lambda: Field("x", "zz"),
        lambda: Field("x", "f8", (-1,)),
        lambda: Field("x", "i8", nullable=True),
        lambda: Schema([Field("x", "f8"), Field("x", "f4")]),
    ):
        with pytest.raises(SchemaError):
            wrong()


def test_schemas_compare_by_what_columns_are() -> None:
    one = Schema([Field("x", "f8", nullable=True), Field("s", str)])
    assert one == Schema([Field("s", object), Field("x", "float64")])
    assert hash(one) == hash(Schema([Field("s", object), Field("x", "float64")]))
    assert one != Schema.of(x="f4", s=str)
    assert repr(one) == "Schema([Field('x', 'float64', nullable=True), Field('s', 'str')])"
