"""Messages made to hurt: each is refused, at the byte where it lies, and costs next to nothing."""

from __future__ import annotations

import struct
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np
import pytest

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.wire import Limits, dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterator


def ext(code: int, payload: bytes) -> bytes:
    return struct.pack(">BIb", 0xC9, len(payload), code) + payload


def array_payload(
    dtype: bytes, shape: tuple[int, ...], data: bytes, *, dimensions: int = -1, padding: bytes = b""
) -> bytes:
    count = len(shape) if dimensions < 0 else dimensions
    head = struct.pack("<BBH", count, len(padding), len(dtype))
    return head + struct.pack(f"<{len(shape)}Q", *shape) + dtype + padding + data


def array(dtype: bytes, shape: tuple[int, ...], data: bytes, **more: Any) -> bytes:
    return ext(1, array_payload(dtype, shape, data, **more))


def texts(what: int, shape: tuple[int, ...], elements: bytes) -> bytes:
    return ext(2, struct.pack(f"<BB{len(shape)}Q", what, len(shape), *shape) + elements)


def scalar(name: bytes, data: bytes) -> bytes:
    return ext(4, struct.pack("<H", len(name)) + name + data)


def packed(value: Any) -> bytes:
    return bytes(msgpack.packb(value))


F8 = b"<f8"
ZEROS = bytes(16)

# name: message, position of the byte to blame
HOSTILE: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 0),
    "reserved byte": (b"\x92\x01\xc1", 2),
    "two values": (b"\x01\x02", 1),
    "truncated number": (b"\x92\x01\xcb\x00", 2),
    "truncated length": (b"\xda\x00", 0),
    "truncated string": (b"\x92\xc0\xa5abc", 2),
    "truncated bytes": (b"\xc4\x05abc", 0),
    "truncated list": (b"\x93\x01\x02", 0),
    "truncated map": (b"\x81\xa1a", 3),
    "truncated extension head": (b"\xc7\x05", 0),
    "truncated extension": (b"\xc7\x05\x01abc", 0),
    "truncated fixed extension": (b"\xd8\x01abc", 0),
    "huge list": (b"\xdd\xff\xff\xff\xff" + bytes(100), 0),
    "huge map": (b"\xdf\xff\xff\xff\xff" + bytes(100), 0),
    "huge string": (b"\xdb\xff\xff\xff\xff", 0),
    "huge extension": (b"\xc9\xff\xff\xff\xff\x01", 0),
    "not UTF-8": (b"\x92\x01\xa3a\xffb", 4),
    "equal keys": (b"\x82\xa1a\x01\xa1a\x02", 4),
    "equal keys of other types": (b"\x82\x01\x01\xc3\x02", 3),
    "map as key": (b"\x81\x80\x01", 1),
    "map in a tuple as key": (b"\x81\x91\x80\x01", 1),
    "array as key": (b"\x81" + array(F8, (), bytes(8)) + b"\x01", 1),
    "unknown extension": (b"\x91" + ext(99, b"abc"), 1),
    "negative unknown extension": (b"\x91" + ext(-77, b"abc"), 1),
    "array without a head": (ext(1, b"\x01"), 6),
    "array whose head is cut": (ext(1, b"\x02\x00\x03\x00" + bytes(8)), 6),
    "array with too many bytes": (array(F8, (2,), bytes(17)), 6),
    "array with too few bytes": (array(F8, (2,), bytes(15)), 6),
    "array with a huge dimension": (array(F8, (2**63,), bytes(8)), 6),
    "array whose size overflows": (array(F8, (2**32, 2**32), b""), 6),
    "array whose size overflows to the truth": (array(F8, (2**61 + 1,), bytes(8)), 6),
    "array with a negative dimension": (array(F8, (2**64 - 1,), bytes(8)), 6),
    "empty array with a huge dimension": (array(F8, (0, 2**40), b""), 6),
    "array of many nothings": (array(b"|S0", (2**40,), b""), 6),
    "array of 255 dimensions": (array(F8, (1,) * 255, bytes(8)), 6),
    "array of objects": (array(b"|O", (2,), ZEROS), 6),
    "array of objects by another name": (array(b"O8", (2,), ZEROS), 6),
    "array of no dtype": (array(b"", (2,), ZEROS), 6),
    "array of a list of dtypes": (array(b"f8,O", (1,), ZEROS), 6),
    "array of long doubles": (array(b"<f16", (1,), ZEROS), 6),
    "array of native order": (array(b"=f8", (2,), ZEROS), 6),
    "array of huge text": (array(b"<U999999999", (0,), b""), 6),
    "array of a strange unit": (array(b"<M8[us/3]", (2,), ZEROS), 6),
    "array of a huge unit": (array(b"<M8[999999999999us]", (2,), ZEROS), 6),
    "array of booleans that are none": (array(b"|b1", (2,), b"\x01\x02"), 6),
    "array of characters that are none": (array(b"<U1", (1,), b"\xff\xff\xff\xff"), 6),
    "array of swapped characters that are none": (array(b">U1", (1,), b"\x00\x11\x00\x00"), 6),
    "array with padding that is not zero": (array(F8, (1,), bytes(8), padding=b"\x01"), 6),
    "array with too much padding": (array(F8, (1,), bytes(8), padding=ZEROS), 6),
    "structure of objects": (
        array(packed(["fields", 8, [["a", "|O", 0]]]), (1,), bytes(8)),
        6,
    ),
    "structure beyond its size": (
        array(packed(["fields", 8, [["a", "<f8", 4]]]), (1,), bytes(8)),
        6,
    ),
    "structure before its start": (
        array(packed(["fields", 8, [["a", "<f8", -8]]]), (1,), bytes(8)),
        6,
    ),
    "structure of a negative size": (array(packed(["fields", -8, []]), (1,), bytes(8)), 6),
    "structure of a huge size": (array(packed(["fields", 2**62, []]), (1,), bytes(8)), 6),
    "structure with equal names": (
        array(packed(["fields", 8, [["a", "<f8", 0], ["a", "<f8", 0]]]), (1,), bytes(8)),
        6,
    ),
    "structure with lies in it": (
        array(packed(["fields", 1, [["a", "|b1", 0]]]), (1,), b"\x07"),
        6,
    ),
    "structure whose fields overlap": (
        array(packed(["fields", 1, [[str(n), "|b1", 0] for n in range(9)]]), (1,), b"a"),
        6,
    ),
    "structure of structures without end": (
        array(
            packed(["fields", 1, [["a", ["fields", 1, [["a", ["fields", 1, []], 0]]], 0]]])[:-1],
            (1,),
            b"a",
        ),
        6,
    ),
    "texts of an unknown sort": (texts(9, (1,), b"\x91\xa1a"), 6),
    "texts of the wrong shape": (texts(0, (2,), b"\x91\xa1a"), 6),
    "texts of a huge shape": (texts(0, (0, 2**50), b"\x90"), 6),
    "texts that announce too many": (texts(0, (2**31,), b"\xdd\x80\x00\x00\x00"), 16),
    "texts that are numbers": (texts(0, (1,), b"\x91\x01"), 6),
    "texts that are lists": (texts(0, (1,), b"\x91\x90"), 6),
    "texts that are not a list": (texts(0, (1,), b"\xa1a"), 16),
    "texts that are not UTF-8": (texts(0, (1,), b"\x91\xa1\xff"), 6),
    "texts with more behind": (texts(0, (1,), b"\x91\xa1a\xa1b"), 6),
    "texts without a list": (texts(0, (1,), b""), 16),
    "texts with None where none may be": (texts(2, (1,), b"\x91\xc0"), 6),
    "batch that is no map": (ext(3, b"\x93\x01\x02\x03"), 6),
    "batch of nothing": (ext(3, b""), 6),
    "batch with a number for a column": (ext(3, b"\x81\xa1a\x01"), 9),
    "batch with a list for a column": (ext(3, b"\x81\xa1a\x91\x01"), 9),
    "batch with a scalar for a column": (ext(3, b"\x81\xa1a" + array(F8, (), bytes(8))), 9),
    "batch with a number for a name": (ext(3, b"\x81\x01" + array(F8, (0,), b"")), 7),
    "batch with equal names": (
        ext(3, b"\x82\xa1a" + array(b"|u1", (1,), b"a") + b"\xa1a" + array(b"|u1", (1,), b"a")),
        31,
    ),
    "batch with more behind": (ext(3, b"\x80\x01"), 7),
    "batch of columns that differ in length": (
        ext(3, b"\x82\xa1a" + array(b"|u1", (1,), b"a") + b"\xa1b" + array(b"|u1", (2,), b"ab")),
        33,
    ),
    "scalar of too few bytes": (scalar(F8, bytes(7)), 6),
    "scalar of objects": (scalar(b"|O", bytes(8)), 6),
    "scalar that is no boolean": (scalar(b"|b1", b"\x02"), 6),
    "scalar whose name is cut": (ext(4, b"\x09\x00<f8"), 6),
    "text scalar that is not UTF-8": (scalar(b"str", b"\xff"), 11),
    "timestamp of a strange length": (ext(-1, b"abc"), 6),
    "timestamp beyond all years": (ext(-1, struct.pack(">Iq", 0, 2**62)), 6),
    "timestamp with too many nanoseconds": (ext(-1, struct.pack(">Iq", 10**9, 0)), 6),
    "timestamp with nanoseconds": (ext(-1, struct.pack(">Iq", 1, 0)), 6),
    "duration of a strange length": (ext(5, bytes(11)), 6),
    "duration with more behind": (ext(5, bytes(13)), 18),
    "duration of too many seconds": (ext(5, struct.pack(">iII", 0, 86_400, 0)), 6),
    "duration of too many days": (ext(5, struct.pack(">iII", 2**31 - 1, 0, 0)), 6),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_message_that_lies_is_refused_at_the_byte(name: str) -> None:
    message, position = HOSTILE[name]
    with pytest.raises(WireError) as caught:
        loads(message)
    assert caught.value.position == position, str(caught.value)
    with pytest.raises(WireError) as inside:
        loads(b"\x92\x01" + message)
    assert name in {"two values", "empty"} or inside.value.position == position + 2
    assert f"(at byte {position})" in str(caught.value)


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


DEEP = 50_000


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(
    "message",
    [
        b"\x91" * DEEP + b"\xc0",
        b"\x81\xa1a" * DEEP + b"\xc0",
        b"\x81" * DEEP + b"\xc0" * DEEP,
        (b"\xdd" + struct.pack(">I", DEEP)) * 500 + b"\xc0" * DEEP,
        (b"\xdf" + struct.pack(">I", DEEP // 2)) * 500 + b"\xc0" * DEEP,
        ext(3, b"\x81\xa1a" + ext(3, b"\x81\xa1a" + ext(1, bytes(DEEP)))),
        b"\xdd\xff\xff\xff\xff" + b"\xc0" * DEEP,
        texts(0, (2**31,), b"\xdd\x80\x00\x00\x00" + b"\xa0" * DEEP),
        array(F8, (2**60,), bytes(DEEP)),
        array(b"<U999999999", (1,), bytes(DEEP)),
        array(b"|V999999999", (1,), bytes(DEEP)),
    ],
)
def test_nesting_and_inflated_lengths_cost_no_memory(message: bytes) -> None:
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    with pytest.raises(WireError):
        loads(message)
    assert tracemalloc.get_traced_memory()[1] - before < 2 * len(message) + 20_000


def nested_extensions(levels: int) -> bytes:
    message = b"\xc0"
    for _ in range(levels):
        message = ext(3, b"\x81\xa1a" + message)
    return message


def test_extensions_in_extensions_count_as_depth() -> None:
    with pytest.raises(WireError, match="levels"):
        loads(nested_extensions(3000))


LIMITED: list[tuple[Limits, Any, str, Any]] = [
    (Limits(max_bytes=9), "x" * 9, "message of 10 bytes", "x" * 8),
    (Limits(max_depth=3), [[[[]]]], "4 levels", [[[]]]),
    (Limits(max_depth=3), {"a": {"b": {"c": {}}}}, "4 levels", {"a": {"b": {"c": 1}}}),
    (Limits(max_items=4), [1, 2, [3, 4]], "5 values", [1, [2, 3]]),
    (Limits(max_items=4), {"a": 1, "b": 2, "c": 3}, "6 values", {"a": 1, "b": 2}),
    (Limits(max_items=4), Batch({"s": ["a", "b", "c"]}), "5 values", Batch({"s": ["a", "b"]})),
    (Limits(max_containers=3), [[], [], {}], "4 containers", [[], {}]),
    (Limits(max_str=3), "abcd", "4 bytes of a string", "abc"),
    (Limits(max_str=3), ["üü"], "4 bytes of a string", ["üa"]),
    (
        Limits(max_str=8),
        np.array(["ü" * 5], object),
        "10 bytes of a string",
        Batch({"s": ["ü" * 4]}),
    ),
    (Limits(max_bin=3), b"abcd", "4 bytes of a binary", b"abc"),
    (Limits(max_ext=40), np.zeros(9), "bytes of an extension", np.zeros(1)),
    (
        Limits(max_unsalted_keys=2),
        {1: 1, 2.5: 2, None: 3},
        "3 keys",
        {1: 1, 2.5: 2, "a": 1, b"a": 2},
    ),
]


@pytest.mark.parametrize(("limits", "beyond", "reason", "within"), LIMITED)
def test_a_limit_admits_what_is_within_and_nothing_beyond(
    limits: Limits, beyond: Any, reason: str, within: Any
) -> None:
    loads(dumps(beyond))
    with pytest.raises(WireError, match=reason) as caught:
        loads(dumps(beyond), limits=limits)
    assert caught.value.position is not None
    loads(dumps(within), limits=limits)


def test_numbers_made_to_collide_as_keys_end_before_they_cost_much() -> None:
    # slots along one probe sequence of Python's dict, taken first; then keys that must walk it to the end:
    # 0.9 MB that take the time of half a gigabyte, if they are put in a dict
    slot, keys = 1, list[int]()
    for _ in range(80_000):
        keys.append(slot)
        slot = (slot * 5 + 1) % 2**18
    pairs = [packed(key) + b"\xc0" for key in [*keys, *(key + 2**18 for key in keys)]]
    message = b"\xdf" + struct.pack(">I", len(pairs)) + b"".join(pairs)
    began = time.perf_counter()
    with pytest.raises(WireError, match="keys without text"):
        loads(message)
    assert time.perf_counter() - began < 0.5


def test_a_message_at_the_end_of_pythons_stack_is_refused() -> None:
    message = b"\x91" * 31 + b"\xc0"

    def deeper(level: int) -> Any:
        return loads(message) if level == 0 else deeper(level - 1)

    outcomes: set[str] = set()
    for level in range(0, 1000, 7):
        try:
            outcomes.add(type(deeper(level)).__name__)
        except WireError as error:
            outcomes.add("refused" if "stack" in str(error) else str(error))
        except RecursionError:  # not even loads could be called
            break
    assert outcomes == {"list", "refused"}
