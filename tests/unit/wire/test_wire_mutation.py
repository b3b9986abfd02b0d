"""Random and damaged messages: a value or a WireError, and memory in proportion, whatever the bytes."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.wire import Limits, dumps, loads

COMMON = settings(max_examples=60, deadline=None)
STRUCTURE = np.dtype([("a", "<i2"), ("b", "?", (2,)), ("c", [("d", "<U2")])])
SAMPLE = {
    "numbers": [1, -1, 200, -200, 70_000, 2**40, 1.5, True, None],
    "floats": [0.5] * 9,
    "text": "grün",
    "bytes": b"\x00\xff",
    "time": [datetime(2024, 1, 1, 1, 1, 1, 7, tzinfo=UTC), timedelta(1, 2, 3)],
    "scalars": [np.float32(1.5), np.bool_(True), np.str_("ab"), np.datetime64(3, "us")],
    "array": np.arange(6, dtype=">i2").reshape(2, 3),
    "structure": np.zeros(2, STRUCTURE),
    ("key", 1): np.array(["a", None], object),
    "batch": Batch(
        {
            "x": np.arange(3.0),
            "flag": np.array([True, False, True]),
            "name": ["a", None, "b"],
            "fixed": np.array(["ab", "c", ""]),
            "wide": np.zeros((3, 2), "f4"),
            "when": np.array(["2020", "NaT", "2021"], "M8[s]"),
        }
    ),
}
MESSAGE = dumps(SAMPLE)
# an empty map is a byte on the wire and 64 + 8 in memory, a batch of nothing 4 bytes and some 300
PER_BYTE, AT_LEAST = 100, 40_000


def refuses_or_reads(message: bytes, limits: Limits | None = None) -> Any:
    """The value, or the error; anything else than these raised fails the test."""
    try:
        return loads(message, limits=limits or Limits())
    except WireError as caught:
        error = caught
    assert error.position is not None
    assert 0 <= error.position <= len(message)
    return error


def touch(value: Any) -> None:
    """Use every part of a value: what was accepted must be sound."""
    kind = value.__class__
    if kind is Batch:
        assert len(value.rows()) == len(value)
        value = value.columns
    if kind in {dict, Batch}:
        value = [*value, *value.values()]
    if kind in {list, tuple, dict, Batch}:
        for each in value:
            touch(each)
    elif issubclass(kind, (np.ndarray, np.generic)):
        assert len(value.tobytes()) == value.nbytes
        assert repr(value.tolist())


def test_the_sample_itself_is_read() -> None:
    value = loads(MESSAGE)
    touch(value)
    assert value["batch"] == SAMPLE["batch"]


@COMMON
@given(st.binary(max_size=400))
@example(b"\xc7\x01\x03\x80" * 40)
def test_random_bytes_are_read_or_refused(message: bytes) -> None:
    touch(refuses_or_reads(message))


def test_a_message_cut_at_any_byte_is_refused() -> None:
    for length in range(len(MESSAGE)):
        with pytest.raises(WireError):
            loads(MESSAGE[:length])


def test_a_message_with_any_byte_changed_is_read_or_refused() -> None:
    for position in range(len(MESSAGE)):
        for change in (0x01, 0x80, 0xFF):
            damaged = bytearray(MESSAGE)
            damaged[position] ^= change
            touch(refuses_or_reads(bytes(damaged)))


INFLATED = [
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\xff" * 8,
    b"\xdd\xff\xff\xff\xff",
]


@pytest.mark.parametrize("inflation", INFLATED)
def test_a_message_with_any_length_inflated_is_read_or_refused(inflation: bytes) -> None:
    for position in range(len(MESSAGE)):
        end = position + len(inflation)
        touch(refuses_or_reads(MESSAGE[:position] + inflation + MESSAGE[end:]))


@COMMON
@given(st.data())
def test_a_message_spliced_with_itself_is_read_or_refused(data: st.DataObject) -> None:
    places = st.integers(0, len(MESSAGE))
    start, stop = sorted([data.draw(places), data.draw(places)])
    at = data.draw(places)
    touch(refuses_or_reads(MESSAGE[:at] + MESSAGE[start:stop] + MESSAGE[at:]))
    touch(refuses_or_reads(MESSAGE[start:]))


TOKENS = st.sampled_from(
    [b"\x80", b"\x90", b"\x91", b"\x81", b"\x81\x01", b"\xa0", b"\xa1a", b"\xc0", b"\xdc\x00\x10", b"\xdd\x00\x00\x01\x00",
     b"\xcb" + bytes(8), b"\xcd\x01\x01", b"\xc7\x01\x03\x80", b"\xc7\x00\x01", b"\xd6\x01\x00\x00\x00\x00", b"\xc4\x00",
     b"\xd5\x04\x00\x00", b"\xd6\xff\x00\x00\x00\x00", b"\xc7\x0c\x05" + bytes(12), b"\xc7\x07\x01\x00\x00\x03\x00|u1"]
)  # fmt: skip


@COMMON
@given(st.lists(TOKENS, max_size=300))
@example([b"\xdd\x00\x00\x08\x00", *[b"\x80"] * 2048])
@example([b"\xdd\x00\x00\x08\x00", *[b"\xc7\x01\x03\x80"] * 2048])
@example([b"\xdd\x00\x00\x08\x00", *[b"\xc7\x07\x01\x00\x00\x03\x00|S0"] * 2048])
@example([b"\xdd\x00\x00\x08\x00", *[b"\x91"] * 2048])
def test_memory_stays_in_proportion_to_the_message(tokens: list[bytes]) -> None:
    message = b"".join(tokens)
    refuses_or_reads(message)  # what is imported or cached once is not the message's
    tracemalloc.start()
    try:
        result = refuses_or_reads(message)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= PER_BYTE * len(message) + AT_LEAST, type(result)


@COMMON
@given(st.binary(max_size=200))
def test_what_is_read_reads_the_same_when_written_again(message: bytes) -> None:
    value = refuses_or_reads(message)
    if not isinstance(value, WireError):
        again = loads(dumps(value))
        assert dumps(again) == dumps(value)
