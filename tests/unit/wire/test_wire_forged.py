"""Messages forged against numpy: what its own checks let through must not get that far."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.wire import Limits, dumps, loads
from tests.fuzz.forge import MULTIPLIERS, UNITS, array, extension, forged, scalar

COMMON = settings(max_examples=400, deadline=None)
NIL = b"\xc0"
REFUSED = {"0", "00", "01", "1", "4294967296"}  # numpy writes 1 as nothing
FEW = Limits(max_items=10_000)


def packed(value: Any) -> bytes:
    return bytes(msgpack.packb(value))


def keys(*several: bytes) -> bytes:
    return bytes([0x80 + len(several)]) + b"".join(key + NIL for key in several)


def fields(size: int, *listed: Any) -> bytes:
    return packed(["fields", size, [list(each) for each in listed]])


def refused(message: bytes, limits: Limits = FEW) -> str:
    """Why the message is refused, at a byte of it."""
    with pytest.raises(WireError) as caught:
        loads(message, limits=limits)
    assert caught.value.position is not None
    assert 0 <= caught.value.position <= len(message)
    return str(caught.value)


DEADLY = {
    "time in units of 0": keys(scalar(b"<M8[0s]", bytes(8)), scalar(b"<M8[s]", bytes(8))),
    "duration in units of 0": keys(scalar(b"<m8[00as]", bytes(8)), scalar(b"<m8[s]", bytes(8))),
    "field at the end of int": scalar(
        fields(4, ("a", "<f2", 0), ("b", "<f2", 2**31 - 1)), bytes(4)
    ),
    "field of an array at the end of int": array(
        fields(8, ("b", "|b1", 2**31 - 1)), [2], bytes(16)
    ),
    "subarray at the end of int": scalar(
        fields(8, ("a", ["array", "<f8", [1]], 2**31 - 8)), bytes(8)
    ),
}

READ_IT_ALL = """
import sys
import tracemalloc
from rxml import wire
from rxml.errors import WireError
try:
    value = wire.loads(sys.stdin.buffer.read())
    print(repr(value), value.tolist())
except WireError as error:
    print("refused at", error.position)
"""


@pytest.mark.parametrize("name", DEADLY)
def test_what_kills_numpy_is_refused(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_IT_ALL], input=DEADLY[name], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"refused at ")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("multiplier", MULTIPLIERS)
def test_times_have_a_unit_of_numpys_times_at_least_1(unit: str, multiplier: str) -> None:
    for kind in "Mm":
        name = f"<{kind}8[{multiplier}{unit}]".replace("[]", "").encode()
        if multiplier in REFUSED or (multiplier and not unit):
            assert "no numpy scalar" in refused(scalar(name, bytes(8)))
        elif unit or kind == "m":
            value = loads(scalar(name, b"\x05" + bytes(7)))
            assert loads(dumps(value)).dtype == value.dtype == np.dtype(name.decode())


def test_a_unit_keeps_its_spelling_though_numpy_takes_another_for_equal() -> None:
    for name in (b"<M8[1000ms]", b"<M8[s]", b"<M8[1000ms]"):
        assert dumps(loads(scalar(name, bytes(8))))[-8 - len(name) : -8] == name
        assert dumps(loads(array(name, [1], bytes(8)))).count(name) == 1


def test_a_time_without_a_unit_is_nat_or_refused() -> None:
    nat, five = np.int64(np.iinfo(np.int64).min).tobytes(), b"\x05" + bytes(7)
    assert np.isnat(loads(scalar(b"<M8", nat)))
    assert np.isnat(loads(dumps(np.datetime64("NaT"))))
    for message in (scalar(b"<M8", five), array(b"<M8", [1], five)):
        assert "without a unit" in refused(message)
    assert "without a unit" in refused(array(fields(8, ("a", "<M8", 0)), [1], five))
    refused(scalar(b">M8", nat))  # numpy reads it as 128
    for value in (np.zeros(1, "M8"), np.zeros(1, "M8")[0], np.zeros(1, [("a", "M8")])):
        with pytest.raises(WireError, match="without a unit"):
            dumps(value)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (scalar(b"<M8[Y]", bytes(8)), scalar(b"<M8[as]", bytes(8)), "a datetime64 cannot be"),
        (b"\x91" + scalar(b"<M8[Y]", bytes(8)), b"\x91" + scalar(b"<M8[as]", bytes(8)), "cannot"),
        (scalar(b"<M8", b"\x05" + bytes(7)), scalar(b"<M8", b"\x05" + bytes(7)), "without a unit"),
        (scalar(b"<M8[s]", bytes(8)), scalar(b"<M8[s]", bytes(8)), "second value for the key"),
        (scalar(b"<M8[7W]", bytes(8)), scalar(b"<M8[W]", bytes(8)), "second value for the key"),
        (scalar(b"<M8[Y]", b"\xff" * 7 + b"\x7f"), scalar(b"<M8[Y]", b"\xff" * 7 + b"\x7f"), ""),
    ],
)
def test_keys_that_are_times_are_told_apart_or_refused(
    first: bytes, second: bytes, reason: str
) -> None:
    assert reason in refused(keys(first, second))


OUT_OF_BOUNDS: list[tuple[int, list[Any]]] = [
    (8, [("a", "<f8", 1)]),
    (8, [("a", "<f8", -1)]),
    (8, [("a", "<f4", 0), ("b", "<f4", 3)]),
    (8, [("b", "<f4", 2), ("a", "<f4", 0)]),
    (8, [("a", "<f4", 2**31 - 4)]),
    (8, [("a", "|S0", 9)]),
    (8, [("a", "|u1", 2**64 - 1)]),
    (2**31, []),
    (-1, []),
    (8, [("a", ["array", "<f4", [3]], 0)]),
    (8, [("a", ["array", "<f4", [True]], 0)]),
    (8, [("a", ["array", "<f4", [-1]], 0)]),
    (8, [("a", ["array", "|S0", [2**31]], 0)]),
    (8, [("a", ["array", "<f8", [2**16, 2**16, 2**16, 2**16]], 0)]),
    (8, [("a", "<f8", 0, 7)]),
]


@pytest.mark.parametrize(("size", "listed"), OUT_OF_BOUNDS)
def test_fields_lie_in_their_structure_and_apart(size: int, listed: list[Any]) -> None:
    name = fields(size, *listed)
    refused(scalar(name, bytes(8)))
    refused(array(name, [1], bytes(8)))
    refused(array(name, [0], b""))


def test_what_lies_between_fields_is_kept_by_reading_and_is_zero_when_written() -> None:
    name = fields(64)
    value = loads(scalar(name, b"secret??" * 8))
    assert value.tobytes() == b"secret??" * 8
    assert dumps(value).endswith(name + bytes(64))
    spaced = np.dtype({"names": ["a"], "formats": ["<i2"], "offsets": [2], "itemsize": 8})
    nested = np.dtype([("p", spaced, (2,)), ("q", "|V3")])
    for dtype, mask in (
        (spaced, b"\0\0\1\1\0\0\0\0"),
        (nested, b"\0\0\1\1\0\0\0\0" * 2 + b"\1" * 3),
    ):
        full = np.frombuffer(b"\xff" * dtype.itemsize * 4, dtype)
        expected = mask.replace(b"\1", b"\xff")
        for array_ in (full, full[::2], full.reshape(2, 2).T):
            assert dumps(array_).endswith(expected * array_.size)
        assert dumps(full[0]).endswith(expected)
        assert dumps(loads(dumps(full))) == dumps(full)


def test_none_of_something_huge_is_written_at_once() -> None:
    huge = ["array", ["array", "<i4", [255, 10**6]], [0]]
    value = loads(array(fields(4, ("a", huge, 0)), [3], bytes(12)))
    tracemalloc.start()
    dumps(value)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6


MILLION = 10**6
HOLLOW = ["fields", 0, [["h", "|S0", 0]]]
ROWS_OF_NOTHING = [
    array(b"<f8", [MILLION, 0], b""),
    array(b"<f8", [1000, 1000, 0], b""),
    array(b"|S0", [MILLION], b""),
    array(fields(0), [MILLION], b""),
    array(fields(1, ("a", "|u1", 0), ("b", ["array", HOLLOW, [MILLION]], 1)), [1], b"a"),
    array(fields(0, ("b", ["array", "<f8", [MILLION, 0]], 0)), [1], b""),
    array(fields(1, ("a", "|u1", 0), *((f"{n}", "|S0", 1) for n in range(101))), [100], b"a" * 100),
    extension(2, b"\0\2" + (10_000).to_bytes(8, "little") + bytes(8) + b"\x90"),
    extension(3, packed(MILLION)),
    scalar(fields(0, ("b", ["array", HOLLOW, [MILLION]], 0)), b""),
]


@pytest.mark.parametrize("message", ROWS_OF_NOTHING)
def test_rows_without_bytes_count_as_items(message: bytes) -> None:
    assert len(message) < 3000
    assert "the limit is 9999" in refused(message, Limits(max_items=9999))


def test_rows_without_bytes_count_in_all_arrays_together() -> None:
    column = array(b"<f8", [400, 0], b"")
    loads(b"\x92" + column * 2, limits=Limits(max_items=802))
    assert "values in a message" in refused(b"\x92" + column * 2, Limits(max_items=801))
    batch = extension(3, b"\x81\xa1x" + array(b"<f8", [MILLION, 0], b""))
    assert "values in a message" in refused(batch, Limits())
    assert loads(dumps(np.zeros((0, 2000, 2000)))).shape == (0, 2000, 2000)


def test_rows_without_columns_keep_their_number() -> None:
    for rows in (1, 200, 10**5):
        assert loads(dumps([Batch.adopt({}, rows)])) == [Batch.adopt({}, rows)]
    assert len(loads(dumps(Batch({})))) == 0


@pytest.mark.parametrize("scalar_", [np.str_("abcd"), np.bytes_(b"abcd"), np.void(b"abcd")])
def test_text_and_bytes_of_numpy_are_bounded_as_pythons_are(scalar_: Any) -> None:
    assert loads(dumps(scalar_), limits=Limits(max_str=4, max_bin=4)) == scalar_
    assert "limit is 3" in refused(dumps(scalar_), Limits(max_str=3, max_bin=3))


def test_text_scalars_have_one_form() -> None:
    for name, data in ((b"<U3", bytes(12)), (b"|S3", b"abc"), (b"<U1", b"\0\xdd\0\0")):
        assert "texts and bytes are named" in refused(scalar(name, data))


def test_a_view_with_gaps_is_refused_when_written() -> None:
    with pytest.raises(WireError, match="contiguous"):
        dumps([memoryview(b"abcdef")[::2]])


def touch(value: Any) -> None:
    """Use every part of a value."""
    kind = value.__class__
    if kind is Batch:
        assert len(value.rows()) == len(value)
        assert value.nbytes >= 0
        value = dict(value.columns)
    if kind in {dict, Batch}:
        value = [*value, *value.values()]
    if kind in {list, tuple, dict, Batch}:
        for each in value:
            touch(each)
    elif issubclass(kind, (np.ndarray, np.generic)):
        value.tolist()
        assert repr(value)


def read(message: bytes) -> None:
    """Read and use the value, if it is one, and find it the same when written."""
    try:
        value = loads(message, limits=FEW)
    except WireError as caught:
        error = caught
    else:
        touch(value)
        written = dumps(value)
        assert dumps(loads(written)) == written
        return
    assert error.position is not None
    assert 0 <= error.position <= len(message)


CACHED = """
from random import Random
import numpy as np
from rxml import wire
random = Random(1)
pairs = [(("s", n), ("ms", 1000 * n)) for n in range(1, 300)]
times = [np.timedelta64(1, each) for pair in pairs for each in pair]
for _ in range(20_000):
    wire.dumps(random.choice(times))
for time in times:
    assert wire.loads(wire.dumps(time)).dtype.str == time.dtype.str
"""


def test_dtypes_that_are_equal_one_way_only_do_not_break_caches() -> None:
    done = subprocess.run([sys.executable, "-c", CACHED], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@COMMON
@given(st.data())
def test_forged_messages_are_read_or_refused(data: st.DataObject) -> None:
    read(forged(lambda n: data.draw(st.integers(0, n - 1))))


@COMMON
@given(st.randoms(use_true_random=False), st.integers(0, 10**6), st.binary(max_size=4))
def test_forged_messages_with_bytes_changed_are_read_or_refused(
    random: Any, place: int, patch: bytes
) -> None:
    message = forged(random.randrange)
    place %= len(message)
    read(message[:place] + patch + message[place + len(patch) :])
