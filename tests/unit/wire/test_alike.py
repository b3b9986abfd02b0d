"""Messages laid out like one before are read to the same values as any, and what differs elsewhere is looked through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.batch import Batch
from rxml.errors import ProtocolError, WireError
from rxml.http.codec import Codec
from rxml.http.protocol import MSGPACK, Next
from rxml.wire import Limits, dumps, loads
from rxml.wire.alike import Alike

DTYPES = st.sampled_from(["<f8", ">f4", "<i2", "u1", "<c16"])
SHAPES = st.sampled_from([(), (1,), (3,), (2, 2)])


def frame(items: Any, id_: int = 1) -> bytes:
    return dumps({"type": "next", "id": id_, "items": items})


def batch(start: float, columns: list[tuple[str, tuple[int, ...]]], rows: int) -> Batch:
    return Batch(
        {
            f"column {i}": (start + np.arange(rows * int(np.prod(shape))))
            .astype(dtype)
            .reshape(rows, *shape)
            for i, (dtype, shape) in enumerate(columns)
        }
    )


def learnt(*messages: bytes, begin: int = 0) -> Alike:
    alike = Alike(begin)
    for message in messages:
        assert alike.read(message) is None
        alike.saw(message, loads(message)["items"])
    return alike


@given(st.lists(st.tuples(DTYPES, SHAPES), min_size=1, max_size=4), st.integers(1, 5))
def test_only_the_numbers_differ(columns: list[tuple[str, tuple[int, ...]]], rows: int) -> None:
    first, second, third = (frame(batch(start, columns, rows)) for start in (0, 10, 20))
    got = learnt(first, second).read(third)
    assert got == loads(third)["items"]
    assert got is not None
    assert not any(got.array(name).flags.writeable for name in got.names)
    assert learnt(first).read(third) is None
    assert learnt(first, second).read(third + b"\x00") is None
    assert learnt(first, frame(batch(0, columns, rows + 1)), second).read(third) is None


@given(st.data())
def test_a_byte_that_is_no_element_makes_it_another_message(data: st.DataObject) -> None:
    given_ = batch(0, [("<f8", (2,)), ("<i2", ())], 3)
    message = frame(given_)
    place = data.draw(st.integers(0, len(message) - 1))
    changed = bytearray(message)
    changed[place] ^= data.draw(st.integers(1, 255))
    got = learnt(message, message).read(bytes(changed))
    if got is not None:
        assert got == loads(bytes(changed))["items"]
        assert got != given_
    begin = message.index(b"items") + len(b"items")
    of_others = learnt(message, message, begin=begin).read(bytes(changed))
    assert of_others == (given_ if place < begin else got)


@pytest.mark.parametrize(
    "column",
    [np.array([True, False]), np.array(["a", "b"]), np.array(["a", "b"], object)],
    ids=["bool", "text", "objects"],
)
def test_elements_that_have_to_be_looked_at_are(column: Any) -> None:
    message = frame(Batch({"x": column, "y": np.ones(2)}))
    assert learnt(message, message).read(message) is None
    codec = Codec(MSGPACK, Limits())
    for _ in range(3):
        codec.from_client(message, text=False)
    wrong = message.replace(b"\x01\x00", b"\x02\x00")
    if column.dtype == bool:
        with pytest.raises(WireError):
            loads(wrong)
        with pytest.raises(ProtocolError):
            codec.from_client(wrong, text=False)


def test_rows_without_columns_and_empty_columns() -> None:
    none = frame(Batch.adopt({}, 3))
    assert learnt(none, none).read(none) == Batch.adopt({}, 3)
    empty = frame(Batch({"x": np.empty(0)}))
    assert learnt(empty, empty).read(empty) is None


def test_a_frame_keeps_the_id_of_its_stream() -> None:
    codec = Codec(MSGPACK, Limits())
    columns: list[tuple[str, tuple[int, ...]]] = [("<f8", (2,))]
    one, two, longer = (batch(0, columns, 3), batch(1, columns, 3), batch(0, columns, 4))
    for id_, items in [(1, one), (1, two), (1, one), (2, longer), (1, two), (2, one), (1, one)] * 2:
        assert codec.from_client(frame(items, id_), text=False) == Next(id_, items)
