"""What goes into a message comes out of it."""

from __future__ import annotations

import gc
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.wire import Limits, dumps, loads
from rxml.wire.writer import Writer

COMMON = settings(max_examples=50, deadline=None)

PLAIN_DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    hnp.datetime64_dtypes(endianness="?"),
    hnp.timedelta64_dtypes(endianness="?"),
    hnp.byte_string_dtypes(max_len=5),
    hnp.unicode_string_dtypes(endianness="?", max_len=5),
)
DTYPES = st.one_of(PLAIN_DTYPES, hnp.array_dtypes(PLAIN_DTYPES, max_size=3))
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
ARRAYS = hnp.arrays(DTYPES, SHAPES)
TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=5)
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=30))]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=40),
    MOMENTS,
    st.timedeltas(),
)
NUMPY_SCALARS = PLAIN_DTYPES.flatmap(hnp.from_dtype)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    rows = draw(st.integers(0, 5))
    names = draw(st.lists(st.text(max_size=40), max_size=4, unique=True))
    columns: dict[str, Any] = {}
    for name in names:
        shape = (rows, *draw(st.sampled_from([(), (2,), (0,)])))
        texts = hnp.arrays(np.dtype(object), shape, elements=st.one_of(st.none(), st.text()))
        columns[name] = draw(st.one_of(hnp.arrays(DTYPES, shape), texts))
    return Batch(columns)


VALUES = st.recursive(
    st.one_of(SCALARS, NUMPY_SCALARS, ARRAYS, batches()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(
            st.one_of(st.text(max_size=4), st.integers(0, 2**64 - 1)), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal with its type, where a list stands for a tuple, and NaN equals NaN."""
    kind = one.__class__
    other_kind = other.__class__
    if other_kind is not (list if kind is tuple else kind):
        return False
    if kind in {list, tuple}:
        return len(one) == len(other) and all(map(same, one, other))
    if kind is dict:
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if kind is np.ndarray:
        return same_array(one, other)
    if issubclass(kind, (float, np.generic)):
        return np.asarray(one).tobytes() == np.asarray(other).tobytes()
    return bool(one == other)


def same_array(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bool(np.array_equal(one, other) or one.tobytes() == other.tobytes())


@COMMON
@given(VALUES)
def test_every_value_comes_back_with_its_type(value: Any) -> None:
    assert same(value, loads(dumps(value)))


@COMMON
@given(batches())
def test_a_batch_comes_back_in_the_order_of_its_columns(batch: Batch) -> None:
    back = loads(dumps({"id": 1, "data": batch}))["data"]
    assert back.names == batch.names
    assert back.schema == batch.schema
    for name in batch.names:
        assert same_array(back[name], batch[name])
        assert not back[name].flags.writeable


@COMMON
@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
))  # fmt: skip
def test_plain_values_are_plain_msgpack_both_ways(value: Any) -> None:
    assert msgpack.unpackb(dumps(value)) == value
    packed: Any = msgpack.packb(value)
    assert loads(packed) == value
    assert dumps(value) == packed


@pytest.mark.parametrize("width", [0, 31, 32, 255, 256, 65535, 65536])
def test_every_length_of_text_bytes_lists_and_maps_is_read(width: int) -> None:
    for value in ("x" * width, b"x" * width, [None] * width, [1.5] * width):
        assert loads(dumps(value)) == value
    numbers = {str(number): number for number in range(width)}
    assert loads(dumps(numbers)) == numbers


@COMMON
@given(st.lists(st.one_of(st.floats(), st.integers(0, 3)), min_size=7, max_size=10))
def test_a_run_of_floats_is_read_as_one_by_one(values: list[float]) -> None:
    assert same(values, loads(dumps(values)))
    assert same([values, "end"], loads(dumps([values, "end"])))


def test_times_are_the_timestamps_of_msgpack() -> None:
    moment = datetime(2262, 4, 12, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=5)))
    assert msgpack.unpackb(dumps(moment), timestamp=3) == moment
    packed: Any = msgpack.packb(moment, datetime=True)
    assert loads(packed) == moment


def test_keys_are_any_hashable_value_and_tuples_stay_tuples_there() -> None:
    now = datetime.now(UTC)
    value = {None: 1, 1.5: 2, b"a": 3, ("a", ("b", 1)): 4, now: 5, np.int8(3): 6, (): 7}
    back = loads(dumps(value))
    assert back == value
    assert ("a", ("b", 1)) in back


@pytest.mark.parametrize("count", [0, 15, 16, 65_536])
def test_a_batch_of_any_number_of_columns_is_read(count: int) -> None:
    batch = Batch({str(number): np.array([number]) for number in range(count)})
    assert loads(dumps(batch)) == batch


def test_what_is_longer_than_msgpack_can_say_is_refused() -> None:
    half = np.broadcast_to(np.uint8(0), (2**31,))  # no memory stands behind it
    for value in (np.broadcast_to(np.float64(0), (2**29,)), [np.broadcast_to(half, (2, 2**31))]):
        with pytest.raises(WireError, match="msgpack ends at 4294967295"):
            dumps(value)
    writer = Writer(lambda _: None)
    start = writer.open()
    for _ in range(2):
        writer.piece(half, half.nbytes)
    with pytest.raises(WireError, match="an extension value of 4294967296 bytes"):
        writer.close(start, 3)


def test_an_array_is_read_where_it_lies_aligned_and_cannot_be_written() -> None:
    for prefix in range(20):
        message = dumps({"x" * prefix: [np.arange(5.0), Batch({"y": np.arange(7.0)})]})
        array, batch = loads(message)["x" * prefix]
        for view in (array, batch["y"]):
            assert view.flags.aligned
            assert view.ctypes.data % 16 == 0
            assert not view.flags.writeable
            assert np.shares_memory(view, np.frombuffer(message, np.uint8))


def test_a_message_in_something_else_than_bytes_is_copied_once() -> None:
    message = bytearray(dumps(np.arange(3.0)))
    array = loads(message)
    message[-8:] = bytes(8)
    assert array.tolist() == [0.0, 1.0, 2.0]
    assert loads(memoryview(bytes(message))).tolist() == [0.0, 1.0, 0.0]
    wide = np.frombuffer(dumps("x" * 15), "<u4").data  # 16 bytes as 4 numbers
    assert loads(wide) == "x" * 15
    with pytest.raises(WireError, match="16 bytes, the limit is 15"):
        loads(wide, limits=Limits(max_bytes=15))
    assert loads(dumps([bytearray(b"ab"), memoryview(b"cd")])) == [b"ab", b"cd"]


def test_arrays_of_any_layout_arrive_in_c_order() -> None:
    base = np.arange(24.0).reshape(2, 3, 4)
    for array in (base.T, base[:, ::2], base[::-1], np.asfortranarray(base), base.astype(">f4").T):
        back = loads(dumps(array))
        assert same_array(array, back)
        assert back.flags.c_contiguous
    memory_map = np.zeros(3).view(np.recarray)
    assert loads(dumps(memory_map)).tolist() == [0.0, 0.0, 0.0]


def test_structures_keep_names_offsets_and_shapes() -> None:
    spaced = np.dtype(
        {"names": ["a", "b"], "formats": ["<i2", ">f8"], "offsets": [2, 8], "itemsize": 24}
    )
    titled = np.dtype([(("a title", "a"), "<f8"), ("b", "<f8")])
    nested = np.dtype([("p", spaced, (2,)), ("q", [("s", "S3"), ("t", "<M8[ms]")])])
    for dtype in (spaced, nested, titled):
        array = np.zeros(3, dtype)
        assert loads(dumps(array)).dtype == dtype
        assert loads(dumps(array[0])).dtype == dtype


def test_text_arrays_keep_their_sort() -> None:
    for dtype in (np.dtypes.StringDType(), np.dtypes.StringDType(na_object=None)):
        array = np.array([["a\0", "ü" * 50]], dtype)
        back = loads(dumps(array))
        assert back.dtype == dtype
        assert back.tolist() == array.tolist()
    nullable = np.array(["a", None], np.dtypes.StringDType(na_object=None))
    assert loads(dumps(nullable)).tolist() == ["a", None]
    texts = np.array([[b"a\0", None]], object)
    assert loads(dumps(texts)).tolist() == [[b"a\0", None]]
    assert loads(dumps(np.empty((0, 2), object))).shape == (0, 2)


def test_numpy_text_scalars_keep_a_nul_at_the_end() -> None:
    for text in (np.str_("a\0"), np.bytes_(b"a\0"), np.str_(""), np.str_("x" * 300)):
        back = loads(dumps(text))
        assert (type(back), str(back)) == (type(text), str(text))


def test_rows_and_subclasses_of_containers_become_plain_ones() -> None:
    row = Batch({"x": [1.5], "v": [[1.0, 2.0]]})[0]
    back = loads(dumps(row))
    assert back["x"] == 1.5
    assert back["v"].tolist() == [1.0, 2.0]

    class Names(dict[str, int]):
        pass

    assert loads(dumps([Names(a=1), (1, (2,))])) == [{"a": 1}, [1, [2]]]


class Colour(str):
    __slots__ = ()


def deep_structure(levels: int) -> np.ndarray[Any, Any]:
    dtype: np.dtype[Any] = np.dtype("f8")
    for _ in range(levels):
        dtype = np.dtype([("a", dtype)])
    return np.zeros(1, dtype)


def test_structures_go_as_deep_as_can_be_read_again() -> None:
    assert loads(dumps(deep_structure(8))).dtype == deep_structure(8).dtype


UNENCODABLE: list[Any] = [
    (object(), "builtins.object"),
    ({1, 2}, "builtins.set"),
    (Colour("red"), "Colour"),
    (2**64, "2\\^64"),
    ([-(2**63) - 1], "-2\\^63"),
    ("\ud800", "surrogates"),
    (datetime(2020, 1, 1), "without a time zone"),  # noqa: DTZ001
    (np.array([object()]), "object array of object"),
    (np.array(["a", b"b"], object), "object array of bytes, str"),
    (np.zeros(1, np.longdouble), "longdouble|float128"),
    pytest.param(10**5000, "whole number of 16610 bits", id="huge"),
    (np.zeros(1, [("o", object)]), "dtype object"),
    (np.zeros(1, {"names": ["a", "b"], "formats": ["i4", "f4"], "offsets": [0, 0]}), "overlap"),
    (np.zeros(1, [((b"title", "a"), "f4")]), "titles"),
    (deep_structure(9), "more than 8 levels"),
    (np.ma.masked_array([1], [True]), "MaskedArray"),
    (np.array(["a"], np.dtypes.StringDType(na_object=np.nan)), "StringDType with nan"),
    (Batch({"bad": np.array([1.5, "x"], object)}), "column 'bad': cannot encode"),
]


@pytest.mark.parametrize(("value", "reason"), UNENCODABLE)
def test_what_has_no_place_on_the_wire_is_refused_by_its_name(value: Any, reason: str) -> None:
    for wrapped in (value, [value], {"k": (value,)}):
        with pytest.raises(WireError, match=reason) as caught:
            dumps(wrapped)
        assert caught.value.position is None


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(WireError, match="recursion"):
        dumps(loop)


def test_limits_that_hold_nothing_are_refused() -> None:
    refused: list[dict[str, Any]] = [
        {"max_bytes": 0},
        {"max_items": -1},
        {"max_str": 1.5},
        {"max_depth": True},
    ]
    for wrong in refused:
        with pytest.raises(ValueError, match="must be a positive int"):
            Limits(**wrong)
    with pytest.raises(ValueError, match="at most 128"):
        Limits(max_depth=129)


@pytest.mark.parametrize("value", [{"x": [1, b"abc"]}, {"x": np.arange(3)}, {"x": 2**70}])
def test_a_message_is_gone_when_nobody_has_it_without_the_collector(value: object) -> None:
    gc.collect()
    gc.disable()
    try:
        with suppress(WireError):
            dumps(value)
        assert gc.collect() == 0
    finally:
        gc.enable()
